"""Reducing recorded streams to views, with a disconnect after any event."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from palaver.client import Connected, ConnectionLost
from palaver.stream.progress import Progress, step
from palaver.wire.chats import RetryInfo
from palaver.wire.events import (
    CaughtUp,
    ErrorEvent,
    HistoryReset,
    HistoryTruncated,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    QueueUpdate,
    RetryEvent,
    StreamEvent,
    UsageEvent,
)
from palaver_tui.state.chat import ChatView, Outgoing
from palaver_tui.state.growing_text import GrowingText
from palaver_tui.state.outgoing import acknowledged, sending
from palaver_tui.state.reduce import Item, reduce, reduce_all, with_messages
from tui.replay import BAD_KEY, OVERLOADED, T0, answer, part, queued, status, user, versions

WORDS = ["It", "waits", "for", "one", "timer,", "but", "two", "paths", "create", "it."]
RETRY = RetryInfo(1, 10, 1000, T0 + timedelta(seconds=1), OVERLOADED)


def words(episode: str, block: int = 0) -> Iterator[MessagePartEvent]:
    at = 0
    for word in WORDS:
        yield part(word + " ", at, block, episode)
        at += len(word) + 1


RECORDED: list[StreamEvent] = [
    MessageEvent(user(1, "why?")),
    status("running", versions=versions(2, 1, 1)),
    CaughtUp(2),
    *list(words("1.1"))[:4],
    PreviewReset("1.2"),
    RetryEvent(RETRY),
    RetryEvent(None),
    *words("1.2"),
    QueueUpdate([queued(1, "next")], held=False),
    MessageEvent(answer(2, " ".join(WORDS) + " "), replaces="1.2"),
    UsageEvent(None, 10, 100, 5),
    QueueUpdate([], held=False),
    MessageEvent(user(3, "next")),
    status("running", versions=versions(6, 6, 6)),
    PreviewReset("6.1"),
    CaughtUp(6),
    *words("6.1"),
    MessageEvent(answer(4, "done"), replaces="6.1"),
    status("waiting", versions=versions(8, 8, 6)),
    CaughtUp(8),
]


def final(events: Iterable[Item]) -> ChatView:
    return reduce_all(ChatView(chat_id="c"), events, T0)


def test_the_recorded_stream_ends_in_the_history_without_live_output() -> None:
    view = final(RECORDED)
    assert [message.id for message in view.messages] == [1, 2, 3, 4]
    assert (view.live, view.status, view.retry, view.queue) == (None, "waiting", None, ())


@pytest.mark.parametrize("cut", range(len(RECORDED) + 1))
def test_a_disconnect_at_any_event_ends_in_the_same_view(cut: int) -> None:
    """The daemon repeats the events after the last `caught_up`; the client skips known parts."""
    expected = final(RECORDED)
    progress = Progress()
    taken: list[Item] = []
    for event in RECORDED[:cut]:
        progress, new = step(progress, event)
        taken += [new] if new is not None else []
    since = progress.since
    again = next(
        (
            index + 1
            for index, event in enumerate(RECORDED[:cut])
            if isinstance(event, CaughtUp) and event.snapshot_version == since
        ),
        0,
    )
    taken += [ConnectionLost("cut", T0, 1.0), Connected()]
    for event in [*RECORDED[again:], CaughtUp(8)]:
        progress, new = step(progress, event, jump=True)
        taken += [new] if new is not None else []
    assert final(taken) == expected


@pytest.mark.parametrize("cut", range(len(RECORDED) + 1))
def test_how_events_are_framed_makes_no_difference(cut: int) -> None:
    view = reduce_all(final(RECORDED[:cut]), RECORDED[cut:], T0)
    assert view == final(RECORDED)


def test_output_of_an_attempt_that_a_message_replaced_is_late_whatever_comes_first() -> None:
    view = final([*words("1.1"), MessageEvent(answer(2, "all"), replaces="1.1"), *words("1.1")])
    assert view.live is None


def test_a_message_takes_the_place_of_its_preview_in_one_step() -> None:
    before = final([*words("1.1")])
    after = reduce(before, MessageEvent(answer(2, "x"), replaces="1.1"), T0)
    assert before.live is not None
    assert after.live is None
    assert after.messages


@pytest.mark.parametrize("replaces", ["1.1", "1.2", None])
def test_a_message_that_comes_again_leaves_the_output_of_a_newer_attempt_alone(
    replaces: str | None,
) -> None:
    """After a reconnect the daemon repeats messages whose live output has ended long ago."""
    asked = [MessageEvent(user(1, "a")), MessageEvent(answer(2, "b"), replaces=replaces)]
    streaming = final([*asked, MessageEvent(user(3, "c")), *words("6.1")])
    again = reduce_all(streaming, [Connected(), *asked, CaughtUp(7)], T0)
    assert again.live == streaming.live
    assert [message.id for message in again.messages] == [1, 2, 3]
    ended = reduce(again, MessageEvent(answer(4, "d"), replaces="6.1"), T0)
    assert ended.live is None


def test_repeated_live_output_is_not_doubled() -> None:
    view = final([part("Hello", 0), part("lo wor", 3), part("Hello", 0), part("ld", 9)])
    assert view.live is not None
    assert str(view.live.blocks[0].text) == "Hello world"


def test_blocks_that_grow_in_turn_are_one_block_each_in_order() -> None:
    parts = [
        part(word, at, block, "1.1") for at, word in [(0, "ab"), (2, "cd")] for block in (1, 0)
    ]
    view = final([part("e", 0, 2, "1.1"), *parts, part("f", 1, 2, "1.1")])
    assert view.live is not None
    texts = [(block.number, str(block.text)) for block in view.live.blocks]
    assert texts == [(0, "abcd"), (1, "abcd"), (2, "ef")]


def test_a_preview_reset_drops_the_failed_attempt() -> None:
    view = final([*words("1.1"), PreviewReset("1.2"), *words("1.1")])
    assert view.live is not None
    assert (view.live.episode, view.live.blocks) == ("1.2", ())


def test_an_older_revision_of_a_message_does_not_win() -> None:
    view = with_messages(ChatView(), [answer(2, "new", created_at=T0)])
    from msgspec.structs import replace

    old = replace(answer(2, "old"), revision=1)
    assert with_messages(view, [old]).messages == view.messages


def test_history_is_cut_at_an_edit_and_dropped_by_a_repair() -> None:
    messages = [MessageEvent(user(number, "x")) for number in (1, 2, 3)]
    assert len(final([*messages, HistoryTruncated(2)]).messages) == 1
    assert final([*messages, *words("9.1"), HistoryReset()]).live is None


def test_an_error_is_shown_until_it_is_left_behind() -> None:
    view = final([status("error"), ErrorEvent(BAD_KEY)])
    assert view.error == BAD_KEY
    assert reduce(view, ErrorEvent(None), T0).error is None


def out(content: str = "hi", **more: Any) -> Outgoing:
    return Outgoing("key", content, T0, **more)


class TestSending:
    @pytest.mark.parametrize("told", ["key", None], ids=["", "an older daemon tells no keys"])
    def test_a_sent_message_is_shown_once_whichever_way_it_is_confirmed(
        self, told: str | None
    ) -> None:
        from palaver.wire.chats import Sent
        from tui.replay import chat

        view = sending(ChatView(chat_id="c"), out())
        event = MessageEvent(user(7, "hi", key=told))
        sent = Sent(chat("c", "t"), message=event.message)
        stream_first = acknowledged(reduce(view, event, T0), "key", sent)
        answer_first = reduce(acknowledged(view, "key", sent), event, T0)
        for result in (stream_first, answer_first):
            assert [message.id for message in result.messages] == [7]
            assert result.outgoing == ()

    def test_the_stream_alone_confirms_a_message_by_its_key(self) -> None:
        event = MessageEvent(user(7, "whatever became of it", key="key"))
        view = reduce(sending(ChatView(), out()), event, T0)
        assert view.outgoing == ()

    @pytest.mark.parametrize("key", [None, "of another client"])
    def test_the_same_words_of_somebody_else_confirm_nothing(self, key: str | None) -> None:
        view = sending(ChatView(), out())
        view = reduce(view, MessageEvent(user(7, "hi", key=key)), T0)
        other = msgspec.structs.replace(queued(1, "hi"), key=key)
        view = reduce(view, QueueUpdate([other], held=False), T0)
        assert [item.key for item in view.outgoing] == ["key"]

    def test_an_old_message_that_comes_again_confirms_nothing(self) -> None:
        view = reduce(ChatView(), MessageEvent(user(7, "hi")), T0)
        view = reduce(sending(view, out()), MessageEvent(user(7, "hi")), T0)
        assert len(view.outgoing) == 1

    def test_a_queued_message_leaves_the_outgoing_ones(self) -> None:
        view = sending(ChatView(), out(landing="queue"))
        mine = msgspec.structs.replace(queued(1, "said anew by somebody else"), key="key")
        view = reduce(view, QueueUpdate([mine], held=False), T0)
        assert (view.outgoing, len(view.queue)) == ((), 1)


class TestGrowing:
    def test_growing_one_text_twice_gives_two_texts(self) -> None:
        base = GrowingText().plus("ab")
        assert (str(base.plus("c")), str(base.plus("d")), str(base)) == ("abc", "abd", "ab")

    @pytest.mark.parametrize("length", range(8))
    def test_what_comes_after_a_length_is_the_tail(self, length: int) -> None:
        text = GrowingText().plus("ab").plus("").plus("cde").plus("fg")
        assert text.since(length) == "abcdefg"[length:]

    def test_appending_shares_what_is_there(self) -> None:
        text = GrowingText()
        for _ in range(1000):
            longer = text.plus("x")
            assert longer._pieces is text._pieces
            text = longer
