"""Where a daemon answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

API = "/api/v1"


@dataclass(frozen=True)
class Endpoint:
    """A daemon's address.

    `base` is the URL before the path of a route. With `socket`, connections go through that
    Unix socket, and `base` only fills the Host header. `token` is the bearer token, if any.
    """

    base: str = "http://localhost"
    socket: Path | None = None
    token: str | None = field(default=None, repr=False)

    @classmethod
    def unix(cls, socket: Path) -> Endpoint:
        """Return the endpoint of a daemon that listens on `socket`."""
        return cls(socket=socket)

    def __str__(self) -> str:
        return str(self.socket) if self.socket is not None else self.base
