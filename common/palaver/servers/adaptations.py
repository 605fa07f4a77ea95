"""Describe how Palaver adapts to a server. Pure."""

from __future__ import annotations

from palaver.servers.facts import Server


def does_for(server: Server) -> list[str]:
    """Return phrases that say how requests to `server` differ from the default."""
    done: list[str] = []
    limit = server.wanted("limit_parameter")
    if limit not in (None, "max_tokens") and server.protocol == "openai-compatible":
        done.append(f"calls the output limit {limit}")
    if server.wanted("stream_options") is False:
        done.append("does not ask for counts, which come anyway")
    if server.wanted("system_role") not in (None, "system"):
        done.append(f"tells the system prompt as {server.wanted('system_role')}")
    if server.wanted("vision") is True and server.protocol == "openai-compatible":
        done.append("shows pictures to its models")
    if server.sends is not None and not server.sends.done:
        done.append("takes the finish word for the end")
    return done
