"""The state of the connection to the daemon, as a value."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from palaver.client import Connected, ConnectionLost

# `starting`: the first attempt has not ended. `offline`: it failed; the next attempt is made when
# the user asks for it, or when the cause of the failure changes.
Phase = Literal["starting", "live", "reconnecting", "offline"]


class Connection(msgspec.Struct, frozen=True):
    """The phase. Without a connection also since when, why, and when the next attempt is made.

    `lost`: there was a connection before. A daemon that was never reached may not be ready yet.
    `headline` is the banner's title for `offline`.
    """

    phase: Phase = "starting"
    reason: str | None = None
    since: datetime | None = None
    retry_at: datetime | None = None
    lost: bool = False
    headline: str = "No connection"


def connection_after(
    connection: Connection, event: Connected | ConnectionLost, now: datetime
) -> Connection:
    """Return the connection after an event of the stream."""
    if isinstance(event, Connected):
        return Connection("live")
    retry_at = now + timedelta(seconds=event.retry_in)
    lost = connection.lost or connection.phase == "live"
    return Connection("reconnecting", event.reason, event.since, retry_at, lost)


def offline(reason: str, now: datetime, headline: str = "No connection") -> Connection:
    """Return the state after a failed attempt that is not repeated by time alone."""
    return Connection("offline", reason, now, headline=headline)
