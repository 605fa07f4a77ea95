"""Which versions of the protocol this program speaks, and whether it and a daemon fit together.

A daemon tells both numbers in `Info`: the protocol that it speaks, and the oldest one of a client
that it still serves. A client knows the oldest daemon that it can work with. What is added in a way
that an older side ignores changes no number; what an older side would misread raises PROTOCOL, and
the oldest ones follow when they are no longer served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from palaver.wire.chats import Info

# 1: before there were numbers. 2: heartbeats, tokens, the numbers themselves.
PROTOCOL: Final = 2
OLDEST_CLIENT: Final = 1  # that this daemon serves
OLDEST_DAEMON: Final = 1  # that this client can use
# Messages carry the key under which they were sent, and the id that they had in the queue. An older
# client does not see that. One that can use an older daemon: what it sent is known by the answer to
# its request alone, and which message of history a queued one became is not known.
MESSAGE_KEYS: Final = "message_keys"
# What a daemon of these sources does, by names that do not change.
CAPABILITIES: Final = ("stream", "watch", "heartbeat", MESSAGE_KEYS)
# What no client can do without.
NEEDED: Final = frozenset({"stream", "watch"})

Side = Literal["client", "daemon"]


def too_old(info: Info) -> Side | None:
    """Return which side has to be upgraded before they can work together; None: neither."""
    if info.oldest_protocol > PROTOCOL:
        return "client"
    if info.protocol < OLDEST_DAEMON or not set(info.capabilities) >= NEEDED:
        return "daemon"
    return None


def is_older(info: Info, version: str) -> bool:
    """Say whether a daemon is older than this program, whose version is `version`.

    By its protocol, then by the numbers of its version; what has none is not judged.
    """
    if info.protocol != PROTOCOL:
        return info.protocol < PROTOCOL
    theirs, ours = _numbers(info.version), _numbers(version)
    return bool(theirs) and bool(ours) and theirs < ours


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: (0, 2) for 0.2.dev7."""
    found = []
    for part in version.split("."):
        if not part.isascii() or not part.isdecimal():
            break
        found.append(int(part))
    return tuple(found)
