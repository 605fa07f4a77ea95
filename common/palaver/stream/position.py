"""A position in the live output of an attempt. Daemon, client and interface share this type.

Live output is a sequence of blocks of text, named by its *episode* (see `palaver.wire.events`).
Several blocks can grow in turn, as parallel tool calls do, so a position has a number for each.
"""

from __future__ import annotations

import re
from typing import Final, Self

import msgspec

# What an episode and a position in it look like in an address, as regular expressions.
EPISODE = r"^[0-9]{1,19}\.[0-9]{1,9}$"
AT = r"^([0-9]{1,9})\.([0-9]{1,9})$"
# Blocks in a query, so that it stays below 6 KB of the 8 KB that servers accept. For a position in
# more of them everything is requested again, and the reader drops what it has.
BLOCKS_MOST: Final = 512
READ = rf"^[0-9]{{1,9}}(\.[0-9]{{1,9}}){{0,{BLOCKS_MOST - 1}}}$"
_EPISODE, _AT, _READ = re.compile(EPISODE), re.compile(AT), re.compile(READ)
# In place of a number of code points: the whole block, however long it is.
WHOLE: Final = 10**9


class Position(msgspec.Struct, frozen=True):
    """What a reader has of `episode`: the first `read[n]` code points of block n.

    A block may have begun without any text. Those after the last one in `read` have not begun.
    """

    episode: str
    read: tuple[int, ...] = ()

    def grown(self, block: int, end: int) -> Position:
        """Return the position after reading `block` up to `end`."""
        read = self.read
        if block >= len(read):
            read += (0,) * (block + 1 - len(read))
        return Position(self.episode, (*read[:block], end, *read[block + 1 :]))

    def query(self) -> dict[str, str]:
        """Return the query parameters of `WS /chats/{id}/stream` for this position.

        A daemon that is too old for `read` understands `at` as "everything before it was read".
        What it sends twice because of that is dropped.
        """
        first = self.read[0] if self.read else 0
        if len(self.read) > BLOCKS_MOST:
            return {"episode": self.episode, "at": "0.0"}
        exact = {"read": ".".join(map(str, self.read))} if self.read else {}
        return {"episode": self.episode, "at": f"0.{first}"} | exact

    @classmethod
    def parse(cls, episode: str | None, at: str | None, read: str | None) -> Self | None:
        """Return the position in query parameters; None without any.

        `at` is `<block>.<offset>`, by which a client that is too old for `read` means all of the
        earlier blocks.

        Raises:
            ValueError: one is not in the format of `query`, or `episode` is missing.
        """
        if episode is None and at is None and read is None:
            return None
        if episode is None or not _EPISODE.fullmatch(episode):
            raise ValueError("episode is <history>.<attempt>.")
        if read is not None:
            if not _READ.fullmatch(read):
                raise ValueError(f"read is up to {BLOCKS_MOST} numbers with dots between them.")
            return cls(episode, tuple(map(int, read.split("."))))
        place = _AT.fullmatch(at or "0.0")
        if place is None:
            raise ValueError("at is <block>.<offset>.")
        block, offset = int(place[1]), int(place[2])
        if block >= BLOCKS_MOST:
            return cls(episode)
        # At offset 0 it may not have begun.
        return cls(episode, (*(WHOLE,) * block, *((offset,) if offset else ())))


def is_older(episode: str, other: str | None) -> bool:
    """Return whether `episode` began before `other`; False if one is not a valid name."""
    if other is None:
        return False
    mine, theirs = _order(episode), _order(other)
    return mine is not None and theirs is not None and mine < theirs


def _order(episode: str) -> tuple[int, int] | None:
    """Return history version and attempt, which increase with each episode; None if invalid."""
    history, dot, attempt = episode.partition(".")
    if not (dot and history.isdecimal() and attempt.isdecimal()):
        return None
    return int(history), int(attempt)
