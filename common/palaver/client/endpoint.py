"""The address of a daemon."""

from __future__ import annotations

import socket as sockets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

API = "/api/v1"

# Returns a new connected, non-blocking stream socket, which the caller closes. Raises `OSError`,
# with a clause as its message, if a retry may help, and `PalaverError` if not.
Dial = Callable[[], Awaitable[sockets.socket]]


@dataclass(frozen=True)
class Endpoint:
    """A daemon's address.

    `base` is the URL before the path of a route. With `socket`, connections go through that
    Unix socket, with `dial` through what it returns, and `base` only fills the Host header.
    `token` is the bearer token, if any. With `ca_file` (PEM) only certificates of its CAs are
    trusted. `name` is the name to show instead of the URL; `note` is a sentence about the
    connection for the user, if any.
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
        """Return the endpoint of a daemon at a Unix socket."""
        return cls(socket=socket)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        return str(self.socket) if self.socket is not None else self.base
