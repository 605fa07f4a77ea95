"""A reader that is cut off anywhere ends with the same text as one that never was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.stream.position import BLOCKS_MOST, WHOLE, Position
from palaver.stream.progress import GapError, Progress, step
from palaver.wire.chats import Versions
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
from palaver.wire.messages import Message, Text

WHEN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def part(text: str, offset: int, *, block: int = 0, episode: str = "3.1") -> MessagePartEvent:
    return MessagePartEvent(episode, block, offset, "text", text)


def message(id: int, text: str, revision: int) -> Message:  # noqa: A002
    return Message(id, "assistant", [Text(text)], revision, WHEN)


def status(snapshot: int) -> StatusEvent:
    return StatusEvent("running", Versions(snapshot, 1, 1, 0, 0), "a title")


AT = Progress(5, Position("3.1", (9, 4)))


@pytest.mark.parametrize(
    ("event", "progress", "new"),
    [
        (CaughtUp(7), Progress(7, AT.at), CaughtUp(7)),
        (CaughtUp(2), AT, CaughtUp(2)),
        (status(7), Progress(7, AT.at), status(7)),
        (status(2), AT, status(2)),
        (Incomplete("3.1"), Progress(5, Position("3.1")), Incomplete("3.1")),
        (Incomplete("3.0"), AT, None),
        (part("ab", 4, block=1), Progress(5, Position("3.1", (9, 6))), part("ab", 4, block=1)),
        (part("xyab", 2, block=1), Progress(5, Position("3.1", (9, 6))), part("ab", 4, block=1)),
        (part("xy", 2, block=1), AT, None),
        (part("xy", 7, block=0), AT, None),
        (part("x", 9, block=0), Progress(5, Position("3.1", (10, 4))), part("x", 9, block=0)),
        (part("yx", 8, block=0), Progress(5, Position("3.1", (10, 4))), part("x", 9, block=0)),
        (part("", 4, block=1), AT, None),
        (part("", 0, block=2), Progress(5, Position("3.1", (9, 4, 0))), part("", 0, block=2)),
        (part("new", 0, block=2), Progress(5, Position("3.1", (9, 4, 3))), part("new", 0, block=2)),
        (part("n", 0, block=3), Progress(5, Position("3.1", (9, 4, 0, 1))), part("n", 0, block=3)),
        (
            part("new", 0, episode="3.2"),
            Progress(5, Position("3.2", (3,))),
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
    assert after.at == Position("6.0", (4,))


def test_episodes_are_compared_as_numbers() -> None:
    _, new = step(Progress(5, Position("9.9")), part("x", 0, episode="10.0"))
    assert new is not None


def test_episodes_with_names_of_the_future_are_never_late() -> None:
    _, new = step(Progress(5, Position("zz")), part("x", 0, episode="aa"))
    assert new is not None


@pytest.mark.parametrize(
    "event", [part("x", 5, block=1), part("x", 1, block=2), part("x", 10, block=0)]
)
def test_missing_output_is_an_error_unless_the_reader_jumps(event: MessagePartEvent) -> None:
    with pytest.raises(GapError):
        step(AT, event)
    _, new = step(AT, event, jump=True)
    assert new == event


def test_offsets_count_code_points() -> None:
    progress, _ = step(Progress(), part("né🙂", 0))
    assert progress.at == Position("3.1", (3,))
    assert step(progress, part("🙂!", 2))[1] == part("!", 3)


def test_the_progress_asks_for_what_is_missing() -> None:
    assert Progress().query() == {}
    assert Progress(5, replaced="3.1").query() == {"since": "5"}
    asked = {"since": "5", "episode": "3.1", "at": "0.9", "read": "9.4"}
    assert AT.query() == asked


@given(st.builds(Position, st.just("3.1"), st.lists(st.integers(0, WHOLE - 1)).map(tuple)))
def test_a_daemon_reads_the_position_that_a_client_writes(position: Position) -> None:
    query = position.query()
    assert Position.parse(query["episode"], query["at"], query.get("read")) == position
    assert Position.parse(position.episode, None, None) == Position(position.episode)


@pytest.mark.parametrize("blocks", [BLOCKS_MOST, BLOCKS_MOST + 1])
def test_a_position_in_very_many_blocks_still_fits_the_head_of_a_request(blocks: int) -> None:
    position = Position("3.1", (2_000_000,) * blocks)
    query = position.query()
    assert len(urlencode(query)) < 6_000
    parsed = Position.parse(query["episode"], query["at"], query.get("read"))
    assert parsed == (position if blocks == BLOCKS_MOST else Position("3.1"))


@pytest.mark.parametrize(
    ("at", "read"),
    [
        ("0.0", ()),
        ("0.7", (7,)),
        ("2.7", (WHOLE, WHOLE, 7)),
        ("1.0", (WHOLE,)),
        ("999999999.1", ()),
    ],
)
def test_a_position_of_an_older_client_has_all_of_the_earlier_blocks(
    at: str, read: tuple[int, ...]
) -> None:
    assert Position.parse("3.1", at, None) == Position("3.1", read)


@pytest.mark.parametrize(
    ("episode", "at", "read"),
    [
        (None, "0.1", None),
        ("3", "0.1", None),
        ("3.1", "1", None),
        ("3.1", "-1.2", None),
        ("٣.1", "0.0", None),
        (None, None, "1"),
        ("3.1", "0.0", ""),
        ("3.1", "0.0", "1..2"),
        ("3.1", "0.0", "-1"),
        ("3.1", "0.0", ".".join("1" * (BLOCKS_MOST + 1))),
    ],
)
def test_what_is_no_position_is_not_read(
    episode: str | None, at: str | None, read: str | None
) -> None:
    with pytest.raises(ValueError, match=r"^(episode|at|read) is "):
        Position.parse(episode, at, read)


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
    # Two blocks that grow in turn.
    for n, (first, second) in enumerate([("gh", "kl"), ("ij", "mn")]):
        events += [part(first, 2 * n, block=1, episode="3.2")]
        events += [part(second, 2 * n, block=2, episode="3.2")]
    events += [MessageEvent(message(1, "abcdefghijklmn", 6), replaces="3.2"), CaughtUp(6)]
    events += [PreviewReset("6.1")]
    events += [part(letter, n, episode="6.1") for n, letter in enumerate("the second step")]
    events += [MessageEvent(message(2, "the second step", 8), replaces="6.1"), CaughtUp(8)]
    return events


class Daemon:
    """What a daemon knows after the first `n` recorded events, and sends to whoever comes.

    An `older` one does not know `read`: it sends the block of `at` from there on, and all of the
    later ones.
    """

    def __init__(self, events: list[StreamEvent], *, older: bool = False) -> None:
        self.older = older
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
        read: tuple[int, ...] = ()
        if query.get("episode") == self.episode:
            exact = None if self.older else query.get("read")
            at = Position.parse(self.episode, query.get("at"), exact)
            read = at.read if at else ()
        else:
            yield PreviewReset(self.episode)
        for number, text in self.blocks.items():
            start = read[number] if number < len(read) else 0
            if self.episode is not None and start < len(text):
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
    return {1: "abcdefghijklmn", 2: "the second step"}


@pytest.mark.parametrize("older", [False, True])
def test_a_reader_cut_off_after_any_event_sees_the_same(older: bool) -> None:
    events = recorded()
    for cut in range(len(events) + 1):
        view = View()
        for event in events[:cut]:
            view.take(event)
        for event in Daemon(events[:cut], older=older).sync(view.progress.query()):
            view.take(event)
        assert view.live == live_after(events[:cut])
        for event in events[cut:]:
            view.take(event)
        assert view.messages == final_text(), cut


@pytest.mark.parametrize("older", [False, True])
def test_a_reader_cut_off_while_it_catches_up_sees_the_same(older: bool) -> None:
    events = recorded()
    for first in range(len(events) + 1):
        for missed in range(first, len(events) + 1, 3):
            daemon = Daemon(events[:missed], older=older)
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
    assert step(progress, status(9))[0].since == 9
