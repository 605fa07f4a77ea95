"""Credentials of the process at the other end of a Unix socket (SO_PEERCRED)."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

_TOLD: Final = struct.Struct("3i")  # process, user, group: unix(7), SO_PEERCRED


class Peer(NamedTuple):
    """A process id and the id of the user that it runs as."""

    process: int
    user: int


def peer_of(connected: socket.socket) -> Peer | None:
    """Return the process connected to or listening on a socket, None where unsupported."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _TOLD.size)
    process, user, _group = _TOLD.unpack(told)
    return Peer(process, user)
