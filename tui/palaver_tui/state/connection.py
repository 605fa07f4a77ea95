"""The connection to the daemon, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from palaver.client import Connected, ConnectionLost

# `starting`: the first attempt is not over. `offline`: it failed; another one
# waits for the person, or for what it failed for to change.
Phase = Literal["starting", "live", "reconnecting", "offline"]


@dataclass(frozen=True, slots=True)
class Connection:
    """Whether there is one; since when not, why, and when the next try is.

    `lost` says that there was one: a daemon that was never reached may not be ready yet.
    `headline` is what to call it that there is none.
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
    """Return the connection after what its stream says."""
    if isinstance(event, Connected):
        return Connection("live")
    retry_at = now + timedelta(seconds=event.retry_in)
    lost = connection.lost or connection.phase == "live"
    return Connection("reconnecting", event.reason, event.since, retry_at, lost)


def offline(reason: str, now: datetime, headline: str = "No connection") -> Connection:
    """Return the state after an attempt that time alone will not repeat."""
    return Connection("offline", reason, now, headline=headline)
