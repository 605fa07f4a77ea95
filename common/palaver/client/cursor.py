"""How far a client has read a chat, as a value: what makes reconnecting exact.

`step` is the whole of it: given a position and the next event it says what of that event is new,
and the position after it. A client that is cut off at any point goes on from its position, is
sent some things again, and `step` takes out what the reader has had.

Three rules:

- `since` moves at `caught_up` only. A sync can be cut off half-way; counting its messages as read
  would lose the rest of them. So messages can come twice: readers merge them by id.
- Live output is trimmed by its offsets, so it never comes twice.
- Episodes only grow. Output of an older one than the newest seen, or of one that a committed
  message has replaced, is late and is dropped.
"""

from __future__ import annotations

import msgspec

from palaver.wire.events import (
    CaughtUp,
    HistoryReset,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    StreamEvent,
)


class Position(msgspec.Struct, frozen=True):
    """How far a chat was read.

    `since` is a snapshot version (None: nothing was read), `block` and `offset` (code points) the
    end of what was read of the live output of `episode`, and `replaced` the newest episode whose
    committed message was read.
    """

    since: int | None = None
    episode: str | None = None
    block: int = 0
    offset: int = 0
    replaced: str | None = None

    def query(self) -> dict[str, str]:
        """Return the parameters of `WS /chats/{id}/stream` that ask for what is missing."""
        query: dict[str, str] = {}
        if self.since is not None:
            query["since"] = str(self.since)
        if self.episode is not None:
            query["episode"] = self.episode
            query["at"] = f"{self.block}.{self.offset}"
        return query


class GapError(Exception):
    """Live output is missing between what was read and what came."""


def step(
    position: Position, event: StreamEvent, *, jump: bool = False
) -> tuple[Position, StreamEvent | None]:
    """Return the position after `event`, and what of the event is new (None: nothing).

    Raises:
        GapError: live output is missing before `event`, and `jump` does not allow that.
    """
    match event:
        case MessagePartEvent():
            return _part(position, event, jump=jump)
        case CaughtUp(snapshot_version=version):
            since = version if position.since is None else max(position.since, version)
            return msgspec.structs.replace(position, since=since), event
        case MessageEvent(replaces=str(episode)) if not _older(episode, position.replaced):
            return msgspec.structs.replace(position, replaced=episode), event
        case PreviewReset(episode=episode):
            return Position(position.since, episode, replaced=position.replaced), event
        case HistoryReset():
            # All messages follow again; until they have, a new connection needs all of them.
            return Position(), event
        case _:
            return position, event


def _part(
    position: Position, part: MessagePartEvent, *, jump: bool
) -> tuple[Position, MessagePartEvent | None]:
    if _is_late(position, part.episode):
        return position, None
    same_episode = part.episode == position.episode
    if same_episode and part.block < position.block:
        return position, None
    same_block = same_episode and part.block == position.block
    read = position.offset if same_block else 0
    if part.offset > read and not jump:
        raise GapError(f"{part.episode} block {part.block}: {part.offset} after {read}")
    end = part.offset + len(part.delta)
    # An empty delta can begin a tool call; exactly at the position it may not have been seen.
    if end < read or (end == read and part.delta):
        return position, None
    if part.offset < read:
        part = msgspec.structs.replace(part, offset=read, delta=part.delta[read - part.offset :])
    after = Position(position.since, part.episode, part.block, end, position.replaced)
    return after, part


def _is_late(position: Position, episode: str) -> bool:
    if position.replaced is not None and (
        episode == position.replaced or _older(episode, position.replaced)
    ):
        return True
    return _older(episode, position.episode)


def _older(episode: str, other: str | None) -> bool:
    """Say whether `episode` is certainly older; names that cannot be compared are not."""
    if other is None:
        return False
    mine, theirs = _order(episode), _order(other)
    return mine is not None and theirs is not None and mine < theirs


def _order(episode: str) -> tuple[int, int] | None:
    history, dot, attempt = episode.partition(".")
    if not (dot and history.isdecimal() and attempt.isdecimal()):
        return None
    return int(history), int(attempt)
