"""Versions of the protocol, and whether client and daemon are compatible.

`Info` has a daemon's protocol version and the oldest version of a client that it serves. A client
knows the oldest daemon that it can use. Additions that an older side ignores change no version;
anything that an older side would misread increments PROTOCOL, and the oldest versions follow when
they are no longer served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from palaver.wire.chats import Info

# 1: before there were versions. 2: heartbeats, tokens, the versions themselves.
PROTOCOL: Final = 2
OLDEST_CLIENT: Final = 1  # that this daemon serves
OLDEST_DAEMON: Final = 1  # that this client can use
# Messages have the idempotency key of their request and their former id in the queue. A client of
# a daemon without this feature finds what it sent by the response alone, and cannot find out which
# message of history a queued one became.
MESSAGE_KEYS: Final = "message_keys"
# Labels and pins can be changed, chats are reported as read, and the list has filters by labels,
# status, parent and unread ones. A daemon without this feature ignores or refuses all of these.
CHAT_MARKS: Final = "chat_marks"
# Chats are exported, and exports imported.
EXPORTS: Final = "exports"
# Files can be sent.
FILES: Final = "files"
# Messages can be searched. The client of a daemon without this feature filters titles alone.
SEARCH: Final = "search"
# A chat has a mode, which says what its tools may do. A daemon without this feature has no tools.
MODES: Final = "modes"
# Messages can steer: they join the current turn. A daemon without this feature refuses them.
STEERING: Final = "steering"
# Messages have files. A daemon without this feature refuses them.
ATTACHMENTS: Final = "attachments"
# The features of this daemon, by permanent names.
CAPABILITIES: Final = (
    "stream",
    "watch",
    "heartbeat",
    MESSAGE_KEYS,
    CHAT_MARKS,
    EXPORTS,
    FILES,
    SEARCH,
    MODES,
    STEERING,
    ATTACHMENTS,
)
# Features that every client needs.
NEEDED: Final = frozenset({"stream", "watch"})

Side = Literal["client", "daemon"]


def too_old(info: Info) -> Side | None:
    """Return the side that must be upgraded before they can work together; None: neither."""
    if info.oldest_protocol > PROTOCOL:
        return "client"
    if info.protocol < OLDEST_DAEMON or not set(info.capabilities) >= NEEDED:
        return "daemon"
    return None


def is_older(info: Info, version: str) -> bool:
    """Return whether a daemon is older than this program, whose version is `version`.

    Compares protocols, then the numbers of the versions; without numbers it is not older.
    """
    if info.protocol != PROTOCOL:
        return info.protocol < PROTOCOL
    theirs, ours = _numbers(info.version), _numbers(version)
    return bool(theirs) and bool(ours) and theirs < ours


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (0, 2) for 0.2.dev7."""
    found = []
    for part in version.split("."):
        if not part.isascii() or not part.isdecimal():
            break
        found.append(int(part))
    return tuple(found)
