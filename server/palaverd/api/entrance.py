"""By which door a connection came in."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Entrance(NamedTuple):
    """A Unix socket or a TCP port, with TLS or without.

    `peer` is the address of who came, "" for a Unix socket. `user` is the id of who opened a Unix
    socket, as the kernel knows it; None for TCP, and where the system does not tell.
    """

    kind: Literal["unix", "tcp"]
    tls: bool = False
    peer: str = ""
    user: int | None = None
