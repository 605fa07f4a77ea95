"""By which door a connection came in."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Entrance(NamedTuple):
    """A Unix socket or a TCP port, with TLS or without. `peer` is who came, "" where unknown: an
    address, or of a Unix socket nothing.
    """

    kind: Literal["unix", "tcp"]
    tls: bool = False
    peer: str = ""
