"""The socket through which a connection was accepted."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Entrance(NamedTuple):
    """A Unix socket or a TCP port, with TLS or without.

    `peer` is the client's address, "" for a Unix socket. `user` is the user id of a Unix socket's
    client, from the kernel; None for TCP, or if unsupported.
    """

    kind: Literal["unix", "tcp"]
    tls: bool = False
    peer: str = ""
    user: int | None = None
