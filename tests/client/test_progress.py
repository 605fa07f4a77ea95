"""A reader that is cut off anywhere ends with the same text as one that never was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.stream.position import Position
from palaver.stream.progress import GapError, Progress, step
from palaver.wire.events import (
    CaughtUp,
    HistoryReset,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    StreamEvent,
)
from palaver.wire.messages import Message, Text

WHEN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def part(text: str, offset: int, *, block: int = 0, episode: str = "3.1") -> MessagePartEvent:
    return MessagePartEvent(episode, block, offset, "text", text)


def message(id: int, text: str, revision: int) -> Message:  # noqa: A002
    return Message(id, "assistant", [Text(text)], revision, WHEN)


AT = Progress(5, Position("3.1", 1, 4))


@pytest.mark.parametrize(
    ("event", "progress", "new"),
    [
        (CaughtUp(7), Progress(7, Position("3.1", 1, 4)), CaughtUp(7)),
        (CaughtUp(2), AT, CaughtUp(2)),
        (part("ab", 4, block=1), Progress(5, Position("3.1", 1, 6)), part("ab", 4, block=1)),
        (part("xyab", 2, block=1), Progress(5, Position("3.1", 1, 6)), part("ab", 4, block=1)),
        (part("xy", 2, block=1), AT, None),
        (part("x", 9, block=0), AT, None),
        (part("", 4, block=1), AT, part("", 4, block=1)),
        (part("", 3, block=1), AT, None),
        (part("new", 0, block=2), Progress(5, Position("3.1", 2, 3)), part("new", 0, block=2)),
        (
            part("new", 0, episode="3.2"),
            Progress(5, Position("3.2", 0, 3)),
            part("new", 0, episode="3.2"),
        ),
        (part("late", 0, episode="3.0"), AT, None),
        (part("late", 0, episode="2.9", block=7), AT, None),
        (PreviewReset("3.2"), Progress(5, Position("3.2")), PreviewReset("3.2")),
        (PreviewReset(None), Progress(5), PreviewReset(None)),
        (HistoryReset(), Progress(), HistoryReset()),
    ],
)
def test_each_event_moves_the_position_and_is_trimmed(
    event: StreamEvent, progress: Progress, new: StreamEvent | None
) -> None:
    assert step(AT, event) == (progress, new)


def test_output_that_a_message_has_replaced_is_late() -> None:
    event = MessageEvent(message(1, "done", 6), replaces="3.1")
    progress, new = step(AT, event)
    assert new == event
    for late in (part("more", 4, block=1), part("more", 0), part("late", 0, episode="2.7")):
        assert step(progress, late) == (progress, None)
    after, _ = step(progress, part("next", 0, episode="6.0"))
    assert after.at == Position("6.0", 0, 4)


def test_episodes_are_compared_as_numbers() -> None:
    _, new = step(Progress(5, Position("9.9")), part("x", 0, episode="10.0"))
    assert new is not None


def test_episodes_with_names_of_the_future_are_never_late() -> None:
    _, new = step(Progress(5, Position("zz")), part("x", 0, episode="aa"))
    assert new is not None


@pytest.mark.parametrize("event", [part("x", 5, block=1), part("x", 1, block=2)])
def test_missing_output_is_an_error_unless_the_reader_jumps(event: MessagePartEvent) -> None:
    with pytest.raises(GapError):
        step(AT, event)
    _, new = step(AT, event, jump=True)
    assert new == event


def test_offsets_count_code_points() -> None:
    progress, _ = step(Progress(), part("né🙂", 0))
    assert progress.at == Position("3.1", 0, 3)
    assert step(progress, part("🙂!", 2))[1] == part("!", 3)


def test_the_progress_asks_for_what_is_missing() -> None:
    assert Progress().query() == {}
    assert Progress(5, replaced="3.1").query() == {"since": "5"}
    assert AT.query() == {"since": "5", "episode": "3.1", "at": "1.4"}


@given(st.builds(Position, st.just("3.1"), st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1)))
def test_a_daemon_reads_the_position_that_a_client_writes(position: Position) -> None:
    query = position.query()
    assert Position.parse(query.get("episode"), query.get("at")) == position
    assert Position.parse(position.episode, None) == Position(position.episode)


@pytest.mark.parametrize(
    ("episode", "at"), [(None, "0.1"), ("3", "0.1"), ("3.1", "1"), ("3.1", "-1.2"), ("٣.1", "0.0")]
)
def test_what_is_no_position_is_not_read(episode: str | None, at: str | None) -> None:
    with pytest.raises(ValueError, match="episode is"):
        Position.parse(episode, at)


def test_an_attempt_that_has_begun_is_not_begun_again() -> None:
    assert step(AT, PreviewReset("3.1")) == (AT, None)


@pytest.mark.parametrize("late", ["3.1", "3.0", "2.9"])
def test_of_an_attempt_that_is_over_nothing_begins(late: str) -> None:
    progress = Progress(5, replaced="3.1")
    assert step(progress, PreviewReset(late)) == (progress, PreviewReset(None))
    assert step(progress, part("late", 0, episode=late)) == (progress, None)


# --- every split ----------------------------------------------------------------------------


def recorded() -> list[StreamEvent]:
    """Two attempts and two steps of one turn: what an uninterrupted reader is sent."""
    events: list[StreamEvent] = [CaughtUp(3), PreviewReset("3.1")]
    events += [part(letter, index) for index, letter in enumerate("a first try")]
    events += [PreviewReset("3.2")]
    events += [part(word, 2 * n, episode="3.2") for n, word in enumerate(["ab", "cd", "ef"])]
    events += [part(word, 2 * n, block=1, episode="3.2") for n, word in enumerate(["gh", "ij"])]
    events += [MessageEvent(message(1, "abcdefghij", 6), replaces="3.2"), CaughtUp(6)]
    events += [PreviewReset("6.1")]
    events += [part(letter, n, episode="6.1") for n, letter in enumerate("the second step")]
    events += [MessageEvent(message(2, "the second step", 8), replaces="6.1"), CaughtUp(8)]
    return events


class Daemon:
    """What a daemon knows after the first `n` recorded events, and sends to whoever comes."""

    def __init__(self, events: list[StreamEvent]) -> None:
        self.snapshot = 0
        self.messages: list[MessageEvent] = []
        self.episode: str | None = None
        self.blocks: dict[int, str] = {}
        for event in events:
            match event:
                case CaughtUp(snapshot_version=version):
                    self.snapshot = version
                case MessageEvent():
                    self.messages.append(event)
                    self.snapshot = event.message.revision
                case PreviewReset(episode=episode):
                    self.episode, self.blocks = episode, {}
                case MessagePartEvent():
                    self.blocks[event.block] = self.blocks.get(event.block, "") + event.delta

    def sync(self, query: dict[str, str]) -> Iterator[StreamEvent]:
        since = int(query.get("since", "0"))
        yield from (event for event in self.messages if event.message.revision > since)
        block, offset = 0, 0
        if query.get("episode") == self.episode:
            block, offset = map(int, query["at"].split(".")) if self.episode else (0, 0)
        else:
            yield PreviewReset(self.episode)
        for number, text in self.blocks.items():
            if self.episode is not None and number >= block:
                start = offset if number == block else 0
                yield part(text[start:], start, block=number, episode=self.episode)
        yield CaughtUp(self.snapshot)


class View:
    """What a person sees: messages by id, and live output that has no hole and no echo."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.messages: dict[int, str] = {}
        self.live: dict[int, str] = {}

    def take(self, event: StreamEvent) -> None:
        shown_of = self.progress.at.episode if self.progress.at else None
        self.progress, new = step(self.progress, event)
        match new:
            case MessageEvent(message=Message(id=number, parts=[Text(text=text)])):
                self.messages[number] = text
                # A repeated message must not take away the output of a newer episode.
                if new.replaces == shown_of:
                    self.live = {}
            case PreviewReset():
                self.live = {}
            case MessagePartEvent():
                shown = self.live.get(new.block, "")
                assert new.offset == len(shown)
                self.live[new.block] = shown + new.delta


def final_text() -> dict[int, str]:
    return {1: "abcdefghij", 2: "the second step"}


def test_a_reader_cut_off_after_any_event_sees_the_same() -> None:
    events = recorded()
    for cut in range(len(events) + 1):
        view = View()
        for event in events[:cut]:
            view.take(event)
        for event in Daemon(events[:cut]).sync(view.progress.query()):
            view.take(event)
        for event in events[cut:]:
            view.take(event)
        assert view.messages == final_text(), cut


def test_a_reader_cut_off_while_it_catches_up_sees_the_same() -> None:
    events = recorded()
    for first in range(len(events) + 1):
        for missed in range(first, len(events) + 1, 3):
            daemon = Daemon(events[:missed])
            view = View()
            for event in events[:first]:
                view.take(event)
            catching_up = list(daemon.sync(view.progress.query()))
            for half in range(len(catching_up) + 1):
                again = View()
                again.progress, again.messages = view.progress, dict(view.messages)
                again.live = dict(view.live)
                for event in catching_up[:half]:
                    again.take(event)
                for event in daemon.sync(again.progress.query()):
                    again.take(event)
                assert again.live == live_after(events[:missed]), (first, missed, half)
                for event in events[missed:]:
                    again.take(event)
                assert again.messages == final_text(), (first, missed, half)


def live_after(events: list[StreamEvent]) -> dict[int, str]:
    view = View()
    for event in events:
        view.take(event)
    return view.live


def test_a_snapshot_counts_as_read_only_when_all_of_it_came() -> None:
    progress, _ = step(Progress(since=5), MessageEvent(message(1, "x", 9)))
    assert progress.since == 5
