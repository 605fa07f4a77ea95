"""The words about a missing model: what helps, in paragraphs. Pure."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from palaver.setup.local import PORTS, LocalModel, LocalServer, example
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.first_run import FirstRun
from palaver_tui.text.visible import visible_line

Tone = Literal["title", "text", "muted", "code", "key", "warning"]

# The server in the example if none answers.
SAMPLE: Final = LocalServer("Ollama", f"127.0.0.1:{PORTS['Ollama']}", (LocalModel("llama3.2"),))
ENTER: Final = key_of("composer.send")
NAMED: Final = 3  # models that are named; further ones are counted


class Row(msgspec.Struct, frozen=True):
    """A paragraph. Those with the highest `spare` are omitted first if there is no room."""

    text: str
    tone: Tone = "text"
    spare: int = 0


def paragraphs(state: FirstRun) -> list[Row]:
    """Return the paragraphs of the screen, from the top down."""
    rows = [Row("One thing is missing: a model to talk to.", "title"), Row("", spare=2)]
    rows += [Row(visible_line(reason), "warning") for reason in state.reasons[:2]]
    rows += [Row("", spare=3)] if state.reasons else []
    if state.there is not None:
        return [*rows, *_there(state.there)]
    if state.keys:
        names = " and ".join(visible_line(name) for name in state.keys)
        rows.append(Row(f"This shell has {names}; the daemon began without."))
        rows.append(Row(f"{ENTER}  start the daemon anew with it", "key"))
    else:
        wanted = state.lacking or ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        names = " or ".join(visible_line(name) for name in wanted[:NAMED])
        which = f" ({names})" if len(wanted) > 1 else ""
        rows.append(Row(f"With a key{which}, in a shell:"))
        rows.append(Row(f"export {visible_line(wanted[0])}=…", "code"))
        rows.append(Row("palaver daemon restart", "code"))
    return [
        *rows,
        Row("", spare=2),
        *_local(state),
        Row("", spare=1),
        Row("Without any, to see what this is like:  palaver demo"),
    ]


def _there(path: str) -> list[Row]:
    """Return what to do on the daemon's machine, which uses no keys or servers of this one."""
    return [
        Row(f"The daemon is on another machine. Name a model there, in {visible_line(path)}:"),
        Row("palaverd config example", "code"),
        Row("shows what can stand in it. The daemon reads it again by itself.", "muted", spare=1),
        Row("", spare=1),
        Row("Without any, to see what this is like:  palaver demo"),
    ]


def _local(state: FirstRun) -> list[Row]:
    """Return how to use a model server on this machine."""
    server, path = state.server, visible_line(state.path or "config.toml")
    if server is None:
        ports = ", ".join(f"{kind} :{port}" for kind, port in PORTS.items())
        return [
            Row(f"With a model server on this machine, in {path}:"),
            *_code(SAMPLE),
            Row(f"None answers yet on its usual port ({ports}).", "muted", spare=5),
        ]
    answers = f"{server.kind} answers at {server.address}"
    if not server.models:
        return [Row(f"{answers}, but it has no model to talk to yet.")]
    answers = f"{answers} with {_some(server)}."
    if state.help == "setup.local":
        return [Row(answers), Row(f"{ENTER}  write {path}:", "key"), *_code(server)]
    return [Row(f"{answers} To use it, put into {path}:"), *_code(server)]


def _some(server: LocalServer) -> str:
    names = [visible_line(model.id) for model in server.models]
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def _code(server: LocalServer) -> list[Row]:
    """Return the lines of the example with one model, without comments and empty lines."""
    one = LocalServer(server.kind, server.address, server.models[:1])
    lines = [line for line in example(one).splitlines() if line and not line.startswith("#")]
    return [Row(visible_line(line), "code") for line in lines]
