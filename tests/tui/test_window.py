"""Of a chat of any length only messages around the view are in memory, and the view is stable."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from palaver.stream.progress import Progress
from palaver.wire.events import HistoryTruncated, MessageEvent
from palaver_tui.state.chat import ChatView
from palaver_tui.state.message_window import (
    AROUND,
    NEWEST,
    SLACK,
    around,
    at_the_end,
    newest,
    trimmed,
    with_newer,
    with_older,
)
from palaver_tui.state.reduce import reduce
from tui.long_chat import LongChat, history
from tui.replay import T0, answer, user
from tui.screen import Client, client

MOST = NEWEST + 2 * AROUND + SLACK
UNDER_WAY = 50  # messages: a page that arrived after messages were last discarded


def view_of(first: int, last: int, **more: Any) -> ChatView:
    messages = tuple(user(number, "x") for number in range(first, last + 1))
    return ChatView("a", messages=messages, progress=Progress(1), **more)


def ids(view: ChatView) -> list[int]:
    return [message.id for message in view.messages]


class TestLettingGo:
    def test_what_is_not_much_stays(self) -> None:
        view = view_of(1, MOST)
        assert trimmed(view, 5, 6) is view

    def test_what_is_read_and_what_is_newest_stay(self) -> None:
        view = trimmed(view_of(1, 1000, older=False), 300, 310)
        assert ids(view)[0] == 300 - AROUND
        assert view.gap == 310 + AROUND
        assert ids(view)[-NEWEST:] == list(range(1001 - NEWEST, 1001))
        assert view.older

    def test_at_the_end_only_the_newest_stay(self) -> None:
        view = at_the_end(view_of(1, 1000))
        assert ids(view) == list(range(1001 - NEWEST, 1001))
        assert view.older
        assert view.gap is None

    @given(st.integers(1, 3000), st.integers(1, 3000), st.data())
    def test_memory_is_bounded_and_what_is_read_is_never_let_go(
        self, count: int, at: int, data: st.DataObject
    ) -> None:
        at = min(at, count)
        view = view_of(1, count, older=False)
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.sampled_from(ids(view)))
            view = trimmed(view, at, at)
            assert at in ids(view)
            assert ids(view)[-1] == count
            assert len(view.messages) <= MOST
            jumps = [a for a, b in zip(ids(view), ids(view)[1:], strict=False) if b != a + 1]
            assert jumps == ([] if view.gap is None else [view.gap])
            assert view.older is (ids(view)[0] > 1 or view.older)


class TestTheGap:
    VIEW = replace(
        view_of(1, 10), gap=5, messages=(*view_of(1, 5).messages, *view_of(90, 99).messages)
    )

    def test_a_page_behind_it_moves_it(self) -> None:
        page = [user(number, "x") for number in range(6, 16)]
        view = with_newer(self.VIEW, page, True)
        assert view.gap == 15
        assert ids(view) == [*range(1, 16), *range(90, 100)]

    def test_a_page_that_reaches_the_end_closes_it(self) -> None:
        page = [user(number, "x") for number in range(6, 93)]
        view = with_newer(self.VIEW, page, True)
        assert view.gap is None
        assert ids(view) == list(range(1, 100))

    def test_new_messages_come_after_it(self) -> None:
        view = reduce(self.VIEW, MessageEvent(answer(100, "new")), T0)
        assert ids(view)[-1] == 100
        assert view.gap == 5

    @pytest.mark.parametrize("number", [6, 50, 89])
    def test_a_change_of_a_message_in_it_waits_for_its_page(self, number: int) -> None:
        assert reduce(self.VIEW, MessageEvent(user(number, "changed")), T0) is self.VIEW

    def test_a_change_before_the_first_message_waits_for_its_page(self) -> None:
        view = view_of(10, 20)
        assert reduce(view, MessageEvent(user(3, "changed")), T0) is view

    def test_what_is_cut_off_within_it_leaves_it(self) -> None:
        view = reduce(self.VIEW, HistoryTruncated(50), T0)
        assert ids(view) == [1, 2, 3, 4, 5]
        assert view.gap == 5

    def test_what_is_cut_off_before_it_closes_it(self) -> None:
        view = reduce(self.VIEW, HistoryTruncated(4), T0)
        assert ids(view) == [1, 2, 3]
        assert view.gap is None

    def test_messages_from_elsewhere_come_between_two_gaps_or_touch_the_end(self) -> None:
        page = [user(number, "x") for number in range(40, 60)]
        apart = around(view_of(90, 99), page, True)
        assert ids(apart) == [*range(40, 60), *range(90, 100)]
        assert apart.gap == 59
        touching = around(view_of(50, 99), page, True)
        assert ids(touching) == list(range(40, 100))
        assert touching.gap is None
        assert [message.id for message in newest(apart)] == list(range(90, 100))

    def test_older_ones_come_before_it(self) -> None:
        assert ids(with_older(view_of(5, 9), [user(4, "x")], False)) == [4, 5, 6, 7, 8, 9]


async def painted(me: Client) -> None:
    await me.until(lambda: me.transcript.viewport.view is me.view)


@pytest.mark.parametrize("count", [10_000])
async def test_ten_thousand_messages_are_scrolled_through_with_few_in_memory(
    tmp_path: Path, count: int
) -> None:
    daemon = LongChat(history(count))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(80, 40)) as me:
        await me.shows(f"message {count} says")
        await me.press("ctrl+t")
        most = 0
        last = count
        while last > count - 1500:
            before = len(daemon.served)
            me.transcript.viewport.to_start()
            await me.until(partial(lambda before: len(daemon.served) > before, before))
            await me.until(lambda: me.transcript.scroll_offset.y > 0)
            await painted(me)
            most = max(most, len(me.view.messages), len(me.transcript.viewport.column.sections) - 1)
            last = me.view.messages[0].id
        assert most <= MOST + UNDER_WAY
        assert me.view.gap is not None
        ids_in_view = me.transcript.viewport.ids()
        assert ids_in_view is not None
        first, _last = ids_in_view
        # Down again through the gap: each message appears once, in order.
        for _ in range(12):
            pages = len(daemon.served)
            gap = me.view.gap
            column = me.transcript.viewport.column
            index = column.index("gap")
            assert index is not None
            y = column.start(index)
            me.transcript.viewport.to_line(max(0, y - 20))
            await me.until(partial(lambda pages: len(daemon.served) > pages, pages))
            await me.until(partial(lambda gap: me.view.gap != gap, gap))
            await painted(me)
            assert len(me.view.messages) <= MOST + UNDER_WAY
        ids_in_view = me.transcript.viewport.ids()
        assert ids_in_view is not None
        assert ids_in_view[0] > first
        await me.press("G")
        await me.shows(f"message {count} says")
        assert me.view.gap is None
        assert len(me.view.messages) <= NEWEST + SLACK


async def test_letting_go_moves_nothing_that_is_in_view(tmp_path: Path) -> None:
    daemon = LongChat(history(2000))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(80, 40)) as me:
        await me.shows("message 2000 says")
        await me.press("ctrl+t")

        def seen() -> list[str]:
            top = me.transcript.scroll_offset.y
            rows = range(me.transcript.size.height)
            return [me.transcript.viewport.column.line(top + row)[2].text for row in rows]

        let_go = False
        for _ in range(400):
            before, gap = seen(), me.view.gap
            me.transcript.viewport.move(-12)
            await me.pilot.pause()
            assert seen()[12:] == before[:-12]
            let_go = let_go or (gap is None and me.view.gap is not None)
            if let_go and me.view.messages[0].id < 1400:
                break
        assert let_go


async def test_a_chat_that_is_left_keeps_its_newest_messages_only(tmp_path: Path) -> None:
    daemon = LongChat(history(1000))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 1000 says", "Second chat")
        await me.press("ctrl+t")
        while len(me.view.messages) < 260:
            count = len(me.view.messages)
            me.transcript.viewport.to_start()
            await me.until(partial(lambda count: len(me.view.messages) > count, count))
            await painted(me)
        me.app.session.open("b")
        assert len(me.app.session.views["a"].messages) == NEWEST
