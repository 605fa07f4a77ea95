"""A client's progress in a chat's stream, as a value, which makes reconnecting exact. Pure.

`step` takes the progress and the next event, and returns the new progress and the part of the
event that is new. After a disconnection a client resumes from its progress; the daemon repeats
some events, and `step` removes what the client has. The client calls it for each connection, an
interface for what it displays.

Three rules:

- `since` changes at `status`, which follows the messages and the queue of its snapshot; counting
  single messages as read would lose the rest of them. So messages can be repeated: readers merge
  them by id. It does not wait for `caught_up`, which follows all of the live output: a reader that
  was cut off before would have messages that a daemon knows nothing of, and cannot withdraw.
- Live output is trimmed by its offsets, so it is never repeated.
- Episodes only increase. Output of an older one than the newest seen, or of one that a committed
  message has replaced, is late and is dropped.
"""

from __future__ import annotations

import msgspec

from palaver.stream.position import Position, is_older
from palaver.wire.events import (
    CaughtUp,
    HistoryReset,
    Incomplete,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    StatusEvent,
    StreamEvent,
)


class Progress(msgspec.Struct, frozen=True):
    """How far a chat was read.

    `since` is a snapshot version (None: nothing was read), `replaced` the newest episode whose
    committed message was read, and `at` the live output that was read (None: no output newer than
    `replaced`).
    """

    since: int | None = None
    at: Position | None = None
    replaced: str | None = None

    def query(self) -> dict[str, str]:
        """Return the query parameters of `WS /chats/{id}/stream` that request the rest."""
        since = {} if self.since is None else {"since": str(self.since)}
        return since if self.at is None else since | self.at.query()


class GapError(Exception):
    """Live output is missing between the progress and an event."""


def step(
    progress: Progress, event: StreamEvent, *, jump: bool = False
) -> tuple[Progress, StreamEvent | None]:
    """Return the progress after `event`, and the part of the event that is new (None: nothing).

    Args:
        jump: accept a gap in the live output before `event`.

    Raises:
        GapError: there is one, and `jump` is False.
    """
    match event:
        case MessagePartEvent():
            return _part(progress, event, jump=jump)
        case StatusEvent(versions=versions):
            return _read_to(progress, versions.snapshot), event
        case CaughtUp(snapshot_version=version):
            return _read_to(progress, version), event
        case MessageEvent(replaces=str(episode)) if not is_older(episode, progress.replaced):
            at = progress.at
            if at is not None and (at.episode == episode or is_older(at.episode, episode)):
                at = None
            return Progress(progress.since, at, episode), event
        case PreviewReset():
            return _preview_reset(progress, event)
        case Incomplete(episode):
            if progress.at is None or progress.at.episode != episode:
                return progress, None  # nothing of it is shown
            return Progress(progress.since, Position(episode), progress.replaced), event
        case HistoryReset():
            # All messages are sent again; until then, a new connection needs all of them.
            return Progress(), event
        case _:
            return progress, event


def _read_to(progress: Progress, version: int) -> Progress:
    if progress.since is not None and progress.since >= version:
        return progress
    return Progress(version, progress.at, progress.replaced)


def _preview_reset(progress: Progress, event: PreviewReset) -> tuple[Progress, PreviewReset | None]:
    if event.episode is None or _is_late(progress, event.episode):
        return Progress(progress.since, None, progress.replaced), PreviewReset()
    if progress.at is not None and progress.at.episode == event.episode:
        return progress, None  # already begun
    return Progress(progress.since, Position(event.episode), progress.replaced), event


def _part(
    progress: Progress, part: MessagePartEvent, *, jump: bool
) -> tuple[Progress, MessagePartEvent | None]:
    at = progress.at
    if at is None or at.episode != part.episode:
        if _is_late(progress, part.episode):
            return progress, None
        at = Position(part.episode)
    began = part.block < len(at.read)
    read = at.read[part.block] if began else 0
    if part.offset > read and not jump:
        raise GapError(f"{part.episode} block {part.block}: {part.offset} after {read}")
    end = part.offset + len(part.delta)
    if began and end <= read:  # an empty delta can begin a block: a tool call without arguments
        return progress, None
    if part.offset < read:
        part = msgspec.structs.replace(part, offset=read, delta=part.delta[read - part.offset :])
    at = at.grown(part.block, end)
    return Progress(progress.since, at, progress.replaced), part


def _is_late(progress: Progress, episode: str) -> bool:
    if episode == progress.replaced or is_older(episode, progress.replaced):
        return True
    return progress.at is not None and is_older(episode, progress.at.episode)
