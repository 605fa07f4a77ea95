"""A position in the live output of an attempt. Daemon, client and interface share this type.

Live output is a sequence of blocks of text, named by its *episode* (see `palaver.wire.events`).
"""

from __future__ import annotations

import re
from typing import Self

import msgspec

# What an episode and a position in it look like in an address, as regular expressions.
EPISODE = r"^[0-9]{1,19}\.[0-9]{1,9}$"
AT = r"^([0-9]{1,9})\.([0-9]{1,9})$"
_EPISODE = re.compile(EPISODE)
_AT = re.compile(AT)


class Position(msgspec.Struct, frozen=True):
    """A position `offset` code points into block `block` of `episode`.

    A reader at this position has all of the earlier blocks and nothing of the later ones.
    """

    episode: str
    block: int = 0
    offset: int = 0

    def read_of(self, block: int) -> int | None:
        """Return how many code points of a block precede this position; None for all of them."""
        if block < self.block:
            return None
        return self.offset if block == self.block else 0

    def query(self) -> dict[str, str]:
        """Return the query parameters of `WS /chats/{id}/stream` for this position."""
        return {"episode": self.episode, "at": f"{self.block}.{self.offset}"}

    @classmethod
    def parse(cls, episode: str | None, at: str | None) -> Self | None:
        """Return the position in query parameters; None without any.

        Raises:
            ValueError: one is not in the format of `query`, or there is only `at`.
        """
        if episode is None and at is None:
            return None
        place = _AT.fullmatch(at or "0.0")
        if episode is None or not _EPISODE.fullmatch(episode) or place is None:
            raise ValueError("episode is <history>.<attempt>, at is <block>.<offset>.")
        return cls(episode, int(place[1]), int(place[2]))


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
