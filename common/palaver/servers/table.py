"""The table of servers, and the words of all of them together. Pure.

An unknown server may use any of them: its responses are read with every word, message and code in
the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from palaver.servers.anyone import ANYONE
from palaver.servers.facts import Meaning, Says, Server, Topic
from palaver.servers.gateways import GATEWAYS
from palaver.servers.home import HOME
from palaver.servers.vendors import VENDORS

SERVERS: Final[tuple[Server, ...]] = (*HOME, *VENDORS, *GATEWAYS, ANYONE)
BY_SLUG: Final[dict[str, Server]] = {server.slug: server for server in SERVERS}


def codes(topic: Topic) -> frozenset[str]:
    """Return the types and codes that mean `topic`, of all servers."""
    return frozenset(
        name
        for server in SERVERS
        for known in server.codes
        if known.topic == topic
        for name in known.names
    )


def sentences() -> Iterator[tuple[Server, Says]]:
    """Yield every error message with its server."""
    for server in SERVERS:
        for says in server.says:
            yield server, says


def words() -> dict[Meaning, dict[str, str]]:
    """Return the finish words: meaning, word, and the names of the servers that use it."""
    said: dict[Meaning, dict[str, list[str]]] = {}
    for server in SERVERS:
        for known in server.words:
            for meaning, some in known.by_meaning().items():
                for word in some:
                    said.setdefault(meaning, {}).setdefault(word, []).append(server.name)
    return {
        meaning: {word: ", ".join(dict.fromkeys(names)) for word, names in found.items()}
        for meaning, found in said.items()
    }
