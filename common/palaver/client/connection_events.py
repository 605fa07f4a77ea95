"""Events of a stream's connection, beside those of the daemon."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Connected(msgspec.Struct, frozen=True):
    """The connection is established; the missed events follow."""


class ConnectionLost(msgspec.Struct, frozen=True):
    """The connection is lost; nothing was received after `since`.

    The next attempt is in `retry_in` seconds. `reason` is a clause without a full stop.
    """

    reason: str
    since: datetime
    retry_in: float
