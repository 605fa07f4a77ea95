"""Where a daemon answers."""

from __future__ import annotations

import socket as sockets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

API = "/api/v1"

# Returns a connected stream socket that does not block, a fresh one at each call; the caller closes
# it. It raises `OSError`, whose text is a clause, where another try may help, and `PalaverError`
# where none will.
Dial = Callable[[], Awaitable[sockets.socket]]


@dataclass(frozen=True)
class Endpoint:
    """A daemon's address.

    `base` is the URL before the path of a route. With `socket`, connections go through that
    Unix socket, with `dial` through what it returns, and `base` only fills the Host header.
    `token` is the bearer token, if any. With `ca_file` (PEM) only certificates that it vouches
    for are taken. `name` is what a person calls this daemon, where that is not the URL; `note` is
    a sentence that they are to know of the way there, if any.
    """

    base: str = "http://localhost"
    socket: Path | None = None
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    dial: Dial | None = field(default=None, repr=False)
    name: str | None = None
    note: str = ""

    @classmethod
    def unix(cls, socket: Path) -> Endpoint:
        """Return the endpoint of a daemon that listens on `socket`."""
        return cls(socket=socket)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        return str(self.socket) if self.socket is not None else self.base
