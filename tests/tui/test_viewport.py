"""The viewport without a screen: what is in view, and that the view is stable.

Each word of a text is unique, so that it identifies its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from palaver.stream.progress import Progress
from palaver.wire.messages import Message, Reasoning, ToolCall, ToolResult
from palaver_tui.state.chat import ChatView, Live, LiveBlock
from palaver_tui.state.growing_text import GrowingText
from palaver_tui.state.message_window import at_the_end, trimmed, with_older
from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.folds import Folds
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.search import Search
from palaver_tui.transcript.target_cursor import TargetCursor
from palaver_tui.transcript.viewport import Viewport
from support.examples import examples
from tui.replay import answer, user
from tui.test_anchors import GROWING

FIRST = 1000  # id of the oldest message in memory at the start
WORD = re.compile(r"w\d+x")  # a word of a text; those of reasoning, which folds, differ
BEGINS = re.compile(r"\W*(w\d+x)")


class Screen:
    """A fake screen that counts the requests to draw."""

    def __init__(self) -> None:
        self.lines = self.marks = 0

    def show_lines(self) -> None:
        self.lines += 1

    def show_marks(self) -> None:
        self.marks += 1


class Reader:
    """A viewport with a chat of random messages, and methods for everything that may happen."""

    def __init__(self, seed: int = 1, messages: int = 12, size: tuple[int, int] = (60, 20)) -> None:
        self.chance = Random(seed)
        self.screen = Screen()
        self.viewport = Viewport(Look(), self.screen)
        self.words = 0
        self.episode = 0
        made = [self.message(FIRST + number) for number in range(messages)]
        self.view = ChatView("a", status="running", messages=tuple(made), progress=Progress(1))
        self.viewport.resize(*size)
        self.viewport.turn_to("a", self.view)
        self.show(self.view)

    # --- texts ----------------------------------------------------------------------------

    def say(self, many: int, mark: str = "w") -> str:
        first, self.words = self.words, self.words + many
        return " ".join(f"{mark}{number}x" for number in range(first, self.words))

    def text(self) -> str:
        """Return a random text of paragraphs, lists, quotes, tables and fences."""
        return "\n\n".join(self.piece() for _ in range(self.chance.randint(1, 5)))

    def piece(self) -> str:
        many = self.chance.randint(1, 12)
        match self.chance.randrange(5):
            case 0:
                return "\n".join(f"- {self.say(9)}" for _ in range(many))
            case 1:
                rows = "".join(f"| {self.say(1)} | {self.say(many)} |\n" for _ in range(many))
                return f"| {self.say(1)} | {self.say(1)} |\n|---|---|\n{rows}"
            case 2:
                code = "\n".join(f"{self.say(1)} = '{self.say(many)}'" for _ in range(many))
                return f"```python\n{code}\n```"
            case 3:
                return "\n".join(f"> {self.say(7)}" for _ in range(many))
            case _:
                return f"{self.say(many * 6)} **{self.say(many)}** {self.say(many)}"

    def message(self, message_id: int) -> Message:
        parts: list[str | Reasoning] = [self.text()]
        if self.chance.random() < 0.4:
            parts.insert(0, Reasoning("\n\n".join(self.say(20, "r") for _ in range(4))))
        if self.chance.random() < 0.3:
            return user(message_id, self.say(30))
        return answer(message_id, *parts)

    # --- reading --------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Return the lines in view."""
        viewport = self.viewport
        return [viewport.column.line(viewport.top + row)[2].text for row in range(viewport.height)]

    def read(self, share: float) -> str:
        """Scroll to a share (0 to 1) of the chat, to a line with a word; return its first word."""
        viewport = self.viewport
        while viewport.lay_out_more():
            pass
        viewport.to_line(round(share * (viewport.column.height - 2 * viewport.height)))
        for _ in range(viewport.column.height):
            # Not the rest of a word that begins on the line above.
            if found := BEGINS.match(self.lines()[0]):
                return found[1]
            viewport.move(1)
        raise AssertionError("there is no text to read")

    @property
    def is_at_end(self) -> bool:
        return self.viewport.top >= self.viewport.column.height - self.viewport.height

    # --- events ---------------------------------------------------------------------------

    def show(self, view: ChatView) -> None:
        self.view = view
        self.viewport.show(view, "sonnet")

    def grow(self, delta: str | None = None) -> None:
        """Append to the live answer; begin one if there is none."""
        live = self.view.live or Live(f"{self.episode}.1", (LiveBlock(0, "text", GrowingText()),))
        block = live.blocks[-1]
        if delta is None:
            delta = self.text() + self.chance.choice(["", "\n\n", " "])
        grown = replace(block, text=block.text.plus(delta))
        self.show(replace(self.view, live=replace(live, blocks=(*live.blocks[:-1], grown))))

    def commit(self) -> None:
        """Commit the live answer as a message."""
        live = self.view.live
        if live is not None:
            last = self.view.messages[-1].id
            message = answer(last + 1, str(live.blocks[-1].text))
            self.episode += 1
            self.show(
                replace(
                    self.view,
                    messages=(*self.view.messages, message),
                    live=None,
                    progress=Progress(1, replaced=live.episode),
                )
            )

    def finish(self) -> None:
        """Finish all layouts in threads."""
        while (job := self.viewport.next_job()) is not None:
            self.viewport.finish_job(job, job.lines())

    def fail(self) -> None:
        """Fail the next layout in a thread."""
        if (job := self.viewport.next_job()) is not None:
            self.viewport.finish_job(job, None)

    def page_in(self) -> None:
        """Add a page of older messages."""
        first = self.view.messages[0].id
        page = [self.message(first - number) for number in range(5, 0, -1)]
        self.show(with_older(self.view, page, more=True))

    def let_go(self) -> None:
        """Discard messages far from the view."""
        if self.viewport.following:
            self.show(at_the_end(self.view))
        elif (ids := self.viewport.ids()) is not None:
            self.show(trimmed(self.view, *ids))

    def fold(self) -> None:
        """Fold or unfold all reasoning."""
        folds = self.viewport.folds
        self.viewport.set_folds(folds.with_kind("reasoning", not folds.open_kinds))

    def look_on(self) -> None:
        """Lay out more text outside of the view."""
        self.viewport.lay_out_more()

    def settle(self) -> None:
        self.viewport.settle()


Event = Callable[[Reader], None]
EVENTS: list[Event] = [
    Reader.grow,
    Reader.commit,
    Reader.finish,
    Reader.fail,
    Reader.page_in,
    Reader.let_go,
    Reader.fold,
    Reader.look_on,
    Reader.settle,
]
events = st.lists(st.sampled_from(EVENTS), max_size=12)
widths = st.integers(30, 104)


@examples(60, shrinks=False)
@given(seed=st.integers(0, 999), share=st.floats(0, 1), happens=events)
def test_the_first_line_in_view_stays_whatever_happens_around_it(
    seed: int, share: float, happens: list[Event]
) -> None:
    reader = Reader(seed)
    word = reader.read(share)
    follows = reader.viewport.following
    for event in happens:
        event(reader)
        reader.viewport.column.measure(reader.viewport.top, reader.viewport.height)
        if follows:  # the chat is shorter than the view
            return
        assert word in reader.lines()[0] or (reader.is_at_end and word in str(reader.lines()))


@examples(60, shrinks=False)
@given(
    seed=st.integers(0, 999),
    share=st.floats(0, 1),
    happens=st.lists(st.one_of(widths, st.sampled_from(EVENTS)), max_size=8),
)
def test_the_first_word_in_view_stays_in_the_first_line_in_any_width(
    seed: int, share: float, happens: list[int | Event]
) -> None:
    reader = Reader(seed)
    word = reader.read(share)
    if reader.viewport.following:
        return
    for event in happens:
        if isinstance(event, int):
            reader.viewport.resize(event, 20)
            reader.viewport.settle()
        else:
            event(reader)
        assert word in reader.lines()[0] or (reader.is_at_end and word in str(reader.lines()))


@examples(60, shrinks=False)
@given(seed=st.integers(0, 999), happens=st.lists(st.one_of(widths, st.sampled_from(EVENTS))))
def test_who_follows_sees_the_end(seed: int, happens: list[int | Event]) -> None:
    reader = Reader(seed)
    for event in happens:
        if isinstance(event, int):
            reader.viewport.resize(event, 20)
            reader.viewport.settle()
        else:
            event(reader)
        assert reader.viewport.following
        assert reader.is_at_end
        assert reader.viewport.new_lines == 0


@examples(60, shrinks=False)
@given(seed=st.integers(0, 999), share=st.floats(0, 0.9), happens=events)
def test_what_is_new_is_what_is_below_the_line_that_was_the_last(
    seed: int, share: float, happens: list[Event]
) -> None:
    reader = Reader(seed, messages=20)
    viewport = reader.viewport
    reader.grow()
    last = WORD.findall(" ".join(reader.lines()))[-1]
    reader.read(share)
    below = under(reader, last)
    if viewport.following:
        return
    for event in happens:
        event(reader)
        assert viewport.new_lines == under(reader, last) - below


def under(reader: Reader, word: str) -> int:
    """Return the number of lines below the one with `word`."""
    column = reader.viewport.column
    lines = [column.line(y)[2].text for y in range(column.height)]
    (y,) = [number for number, line in enumerate(lines) if word in WORD.findall(line)]
    return len(lines) - 1 - y


def test_several_widths_in_a_row_do_not_drift() -> None:
    reader = Reader(3)
    long = answer(FIRST + 100, reader.say(4000))
    reader.show(replace(reader.view, messages=(*reader.view.messages, long)))
    word = reader.read(0.8)
    for width in (30, 104, 41, 77, 33, 98, 52, 71):
        reader.viewport.resize(width, 20)
        reader.viewport.settle()
        reader.page_in()
        assert word in reader.lines()[0]
    reader.viewport.resize(60, 20)
    reader.viewport.settle()
    assert reader.lines()[0].startswith(f"  {word}")


@pytest.mark.parametrize("name", GROWING)
def test_who_reads_inside_a_block_that_is_set_anew_stays_where_they_are(name: str) -> None:
    before, more = GROWING[name]
    reader = Reader(1)
    for start in range(0, len(before), 997):
        reader.grow(before[start : start + 997])
    viewport, last = reader.viewport, WORD.findall(before)[-1]
    viewport.move(-47)
    row, first = next((row, found[0]) for row, line in enumerate(reader.lines())
                      if (found := WORD.findall(line)))  # fmt: skip
    below = under(reader, last)
    for start in range(0, len(more), 61):
        reader.grow(more[start : start + 61])
        assert first in reader.lines()[row]
        assert viewport.new_lines == under(reader, last) - below
    reader.finish()
    assert first in reader.lines()[row]
    assert viewport.new_lines == under(reader, last) - below > 0


@pytest.mark.parametrize("row", [0, 7, 19])
def test_the_line_that_is_asked_for_stays_when_something_folds(row: int) -> None:
    reader = Reader(5, messages=30)
    reader.read(0.5)
    before = reader.lines()[row]
    folds = reader.viewport.folds
    reader.viewport.set_folds(folds.with_kind("reasoning", True), row)
    assert reader.lines()[row] == before


def test_what_is_open_in_a_chat_is_open_when_somebody_comes_back() -> None:
    reader = Reader(2)
    viewport, open_ = reader.viewport, Folds(frozenset({"reasoning"}))
    viewport.set_folds(open_)
    assert viewport.turn_to("b", ChatView("b"))
    viewport.show(ChatView("b"), None)
    assert viewport.folds == Folds()
    assert viewport.turn_to("a", reader.view)
    viewport.show(reader.view, None)
    assert viewport.folds == open_


def test_a_draft_that_becomes_a_chat_is_no_other_chat() -> None:
    reader = Reader(2)
    reader.read(0.3)
    top = reader.viewport.top
    assert not reader.viewport.turn_to("the chat's id", replace(reader.view, title="A title"))
    assert reader.viewport.top == top
    assert not reader.viewport.following


def test_without_room_nothing_is_laid_out() -> None:
    reader = Reader(1, size=(60, 0))
    assert reader.screen.lines == 0
    assert all(section.measured_at == 0 for section in reader.viewport.column.sections)


def test_pages_are_wanted_near_the_start_and_near_a_gap() -> None:
    reader = Reader(4, messages=60)
    viewport = reader.viewport
    assert not viewport.wants_older
    viewport.to_start()
    assert viewport.wants_older
    gap = FIRST + 30
    reader.show(replace(reader.view, gap=gap, older=False))
    assert not viewport.wants_older
    assert not viewport.wants_gap
    viewport.to_line(viewport.column.start(viewport.column.index("gap")) - 30)
    assert viewport.wants_gap


class TestSearch:
    def test_all_is_found_slice_by_slice_and_the_nearest_is_brought_into_view(self) -> None:
        reader = Reader(6, messages=80)
        began: list[int] = []
        search = Search(reader.viewport, lambda: began.append(1))
        search.begin("w7")
        assert len(began) == 1
        search.find()  # new text waits for the next slice
        assert len(began) == 1
        done: list[int] = []
        search.when_done(lambda: done.append(1))
        assert search.take_wish() is None
        while not search.done:
            if (apart := search.apart) is not None:
                search.put(apart, apart.lines())
            search.advance()
        search.paused()
        wish = search.take_wish()
        assert wish is not None
        wish()
        assert done == [1]
        assert search.take_wish() is None
        assert len(search.matches) > 50
        assert any("w7" in line for line in reader.lines())
        assert search.current is not None
        y = search.place(search.current)
        assert y is not None
        section, line, _drawn = reader.viewport.column.line(y)
        assert section is not None
        assert [mark.kind for mark in search.marks(section, line)].count("here") == 1

    def test_what_is_found_in_something_folded_unfolds(self) -> None:
        reader = Reader(2)
        hidden = answer(FIRST + 50, Reasoning("some secret thought"), "said")
        reader.show(replace(reader.view, messages=(*reader.view.messages, hidden)))
        assert "secret" not in str(reader.lines())
        search = Search(reader.viewport, lambda: None)
        search.begin("secret")
        while not search.done:
            search.advance()
        assert "secret" in str(reader.lines())


class TestTargetCursor:
    def test_it_goes_from_target_to_target_and_brings_each_into_view(self) -> None:
        reader = Reader(2)
        said = [
            answer(FIRST + 100 + n, f"{reader.say(200)} [link{n}](https://x.y/{n})")
            for n in range(5)
        ]
        reader.show(replace(reader.view, messages=tuple(said)))
        cursor = TargetCursor(reader.viewport)
        seen = []
        while cursor.step(-1):
            assert cursor.in_view()
            assert cursor.target is not None
            seen.append(cursor.target.address)
        assert seen == [f"https://x.y/{n}" for n in range(4, -1, -1)]
        assert not cursor.step(-1)
        assert cursor.step(1)
        assert cursor.target is not None
        assert cursor.target.address == "https://x.y/1"

    def test_what_is_clicked_is_what_is_there(self) -> None:
        reader = Reader(2)
        call = ToolCall("c1", "bash", '{"command": "ls"}')
        result = ToolResult("c1", "\n".join(f"file{n}" for n in range(5)))
        said = (answer(FIRST + 100, "so", call), answer(FIRST + 101, result))
        reader.show(replace(reader.view, messages=said, status="waiting"))
        cursor = TargetCursor(reader.viewport)
        row = next(row for row, line in enumerate(reader.lines()) if "bash" in line)
        target = cursor.at(reader.viewport.top + row, 3)
        assert target is not None
        assert target.fold is not None
        assert (target.kind, target.fold.kind) == ("fold", "call")
        before = reader.viewport.column.height
        reader.viewport.set_folds(reader.viewport.folds.turn(target.fold), row)
        assert reader.viewport.column.height > before
        assert reader.viewport.column.measure(0, FOREVER) is False
