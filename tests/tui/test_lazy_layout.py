"""Of a long text only the part in view is laid out; the rest is estimated, and nothing moves."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from palaver.client import Connected
from palaver.wire.events import CaughtUp, MessageEvent
from palaver.wire.messages import Message
from palaver_tui.text import document as documents
from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.spans import FOREVER, Line
from palaver_tui.transcript import viewport as viewports
from palaver_tui.widgets.transcript.widget import Transcript
from tui.corpus import ALL
from tui.replay import ReplayClient, answer, chat, part, status, user
from tui.screen import Client, client
from tui.test_client import running
from tui.test_folds import in_view
from tui.test_layout import whole


def paragraph(number: int) -> str:
    words = " ".join(f"word{number:03}x{place}" for place in range(number * 7 % 60 + 3))
    return f"Paragraph **{number:03}** {words}.\n\n"


PROSE = "".join(paragraph(number) for number in range(200))
# Blocks that show nothing: at the start, there is no gap above the next block.
EMPTY = "[a]: https://a.example\n\n>\n\n[b]: https://b.example\n\n"
TEXTS = {
    "prose": PROSE,
    "all": "\n\n".join(ALL.values()),
    "nothing first": EMPTY + PROSE,
    "nothing between": PROSE[:3000] + "\n\n" + EMPTY + PROSE[:3000],
}


def expected(text: str, width: int) -> MarkdownDocument:
    document = MarkdownDocument(text, finished=True)
    document.expect(width)
    return document


@pytest.mark.parametrize("width", [33, 100])
@pytest.mark.parametrize("name", TEXTS)
def test_looked_at_in_any_order_it_ends_in_the_lines_of_the_whole(name: str, width: int) -> None:
    text, chance = TEXTS[name], random.Random(name)
    document = expected(text, width)
    assert not document.is_whole
    shown = list(document.lines)
    while not document.is_whole:
        low = chance.randrange(len(document.lines))
        for at, removed, added in document.look(low, low + chance.randint(1, 30)):
            shown[at : at + removed] = added
        assert shown == document.lines
        assert chance.random() > 0.98 or document.look(low, low + 1) == []
        if chance.random() < 0.1:
            for at, removed, added in document.look(0, FOREVER, 500):
                shown[at : at + removed] = added
    assert document.lines == whole(text, width)


def test_what_grows_below_what_is_expected_ends_in_the_lines_of_the_whole() -> None:
    document = MarkdownDocument(PROSE[:9000])
    chance = random.Random(3)
    document.expect(70)
    document.expect(60)
    shown = list(document.lines)
    for start in range(9000, 14000, 50):
        document.feed(PROSE[start : start + 50])
        changed = document.expect(60)
        shown[changed:] = document.lines[changed:]
        low = chance.randrange(len(document.lines))
        for at, removed, added in document.look(low, low + 2):
            shown[at : at + removed] = added
        assert shown == document.lines
    document.finish()
    document.layout(60)
    assert document.lines == whole(PROSE[:14000], 60)


def test_the_name_of_a_line_holds_when_what_is_above_it_turns_out_otherwise() -> None:
    document = expected(PROSE, 50)
    document.look(500, 540)
    names = {document.name(line): document.lines[line] for line in range(500, 540)}
    height = len(document.lines)
    document.look(0, 500)
    assert len(document.lines) != height
    for name, line in names.items():
        assert document.lines[document.line_of(name)] == line


async def shown(one: Client, text: str = PROSE) -> None:
    one.daemon.stream_of("a").tell(part(text, episode="3.1"))
    await one.until(
        lambda: one.view.live is not None and one.transcript.viewport.column.height > 200
    )
    await one.pilot.pause()


async def widths(one: Client, *found: int) -> None:
    for width in found:
        await one.pilot.resize_terminal(width, 30)
        await one.until(lambda: one.transcript.viewport.column.width == one.transcript.column_width)
        await one.pilot.pause()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record the source of each layout."""
    sources: list[tuple[str, int]] = []
    draw = vars(documents)["markdown_lines"]

    def noted(text: str, *how: Any) -> list[Line]:
        sources.append((text[:20], how[0]))
        lines: list[Line] = draw(text, *how)
        return lines

    monkeypatch.setattr(documents, "markdown_lines", noted)
    return sources


@pytest.fixture
def no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the layout in the background, so that only the part in view is laid out."""
    monkeypatch.setattr(Transcript, "_lay_out_more", lambda _self: None)


@pytest.mark.parametrize("up", [0, 150])
@pytest.mark.usefixtures("no_more")
async def test_a_new_width_lays_out_what_is_in_view_and_no_more(
    tmp_path: Path, drawn: list[tuple[str, int]], up: int
) -> None:
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await shown(me)
        me.transcript.viewport.move(-up)
        await me.pilot.pause()
        drawn.clear()
        await widths(me, 70)
        assert 0 < len(drawn) <= 32
        assert len(set(drawn)) == len(drawn)


async def test_the_rest_is_laid_out_after_it_and_nothing_moves(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await shown(me)
        me.transcript.viewport.move(-150)
        await widths(me, 70)
        before = in_view(me)
        await me.until(lambda: not me.transcript.viewport.column.expecting)
        assert in_view(me) == before
        assert all(section.is_whole for section in me.transcript.viewport.column.sections)
        document = me.transcript.viewport.column.sections[-1].stack.blocks[-2].laid
        assert document.lines[:-1] == whole(PROSE, me.transcript.column_width - 2)[:-1]


@pytest.mark.parametrize("step", [-1, -7, -29, -45, 1, 13])
@pytest.mark.usefixtures("no_more")
async def test_scrolling_over_what_was_never_looked_at_goes_line_by_line(
    tmp_path: Path, step: int
) -> None:
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await shown(me)
        me.transcript.viewport.move(-450 if step > 0 else -3)
        await widths(me, 64)
        for _ in range(12):
            before = in_view(me)
            me.transcript.viewport.move(step)
            await me.pilot.pause()
            after = in_view(me)
            assert all(row.strip() or "word" not in row for row in after)
            kept = len(before) - abs(step)
            if kept > 0 and step < 0:
                assert after[-kept:] == before[:kept]
            elif kept > 0:
                assert after[:kept] == before[-kept:]
            assert [row.split() for row in after] != [[]] * len(after)


async def test_what_is_new_is_counted_in_the_new_width(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=running(answer(1, "hi")), chat_id="a") as me:
        await shown(me, PROSE + "END\n\n")
        me.transcript.viewport.move(-20)
        await me.pilot.pause()
        me.daemon.stream_of("a").tell(part(PROSE, len(PROSE) + 5, episode="3.1"))
        await me.until(lambda: me.transcript.viewport.new_lines > 200)
        await widths(me, 60)
        more = len(whole(PROSE, me.transcript.column_width - 2)) + 1
        assert me.transcript.viewport.new_lines == more
        await me.until(lambda: not me.transcript.viewport.column.expecting)
        assert me.transcript.viewport.new_lines == more


@pytest.mark.usefixtures("no_more")
async def test_search_jumps_and_selection_are_exact_in_a_width_that_was_not_laid_out(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=running(answer(1, PROSE)), chat_id="a") as me:
        await me.until(lambda: me.transcript.viewport.column.height > 200)
        transcript = me.transcript
        await widths(me, 66)
        transcript.search.begin("word052x3")
        await me.until(lambda: any("word052x3" in row for row in in_view(me)))
        assert transcript.search.index == 0
        transcript.search.end()
        # Select a word far up, go elsewhere, change the width: the same word is selected.
        selection = transcript.selection
        y = next(n for n, row in enumerate(in_view(me)) if "word052x3" in row)
        x = in_view(me)[y].index("word052x3")
        selection.press(x, y)
        selection.drag(x + 9, y)
        selection.release()
        text = selection.text("source")
        assert text.startswith("word052x")
        await me.press("ctrl+t", "G")
        await widths(me, 90)
        assert selection.text("source") == text
        assert not transcript.viewport.column.sections[0].is_whole or transcript.viewport.following
        await widths(me, 58)
        span = selection.span()
        assert span is not None
        low, high = span
        transcript.viewport.to_line(low.y)
        await me.pilot.pause()
        assert transcript.viewport.column.line(low.y)[2].text[low.x : high.x] == text


ANSWERS = [f"Answer {number}.\n\n" + "- item\n" * (7 * number % 11) for number in range(30)]


def talk() -> Iterator[Message]:
    for number, text in enumerate(ANSWERS):
        yield user(2 * number + 1, f"Question {number}?")
        yield answer(2 * number + 2, text)


def told(at_once: bool) -> ReplayClient:
    """Return a daemon with a chat of 60 messages, sent in one batch or in one batch each."""
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat"))
    stream = daemon.stream_of("a")
    events = [MessageEvent(message) for message in talk()]
    batches = [events] if at_once else [[event] for event in events]
    stream.tell(Connected())
    for batch in batches:
        stream.tell(*batch)
    stream.tell(status("waiting"), CaughtUp(70))
    return daemon


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_bar_says_how_long_the_chat_is_however_it_came(
    tmp_path: Path, at_once: bool
) -> None:
    async with client(tmp_path, daemon=told(at_once), chat_id="a", size=(80, 24)) as me:
        await me.shows("Answer 29.")
        column = me.transcript.viewport.column
        await me.until(lambda: not me.transcript.viewport.is_guessed)
        bar = me.transcript.vertical_scrollbar
        shown = bar.window_virtual_size, bar.position
        for number in range(len(column.sections)):
            column.measure_one(number)
        assert shown == (column.height, column.height - me.transcript.size.height)


async def test_until_then_it_is_about_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transcript, "_lay_out_more", lambda _self: None)
    async with client(tmp_path, daemon=told(at_once=True), chat_id="a", size=(80, 24)) as me:
        await me.shows("Answer 29.")
        column = me.transcript.viewport.column
        guessed = column.height
        assert me.transcript.viewport.is_guessed
        for number in range(len(column.sections)):
            column.measure_one(number)
        assert abs(guessed - column.height) < column.height / 10


async def test_what_is_far_from_the_view_is_not_laid_out_before_it_comes_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewports, "LAYOUT_NEAR", 60)
    async with client(tmp_path, daemon=told(at_once=True), chat_id="a", size=(80, 24)) as me:
        await me.shows("Answer 29.")
        transcript = me.transcript
        column = transcript.viewport.column
        await me.until(lambda: not transcript.viewport.is_guessed)
        assert [section.measured_at for section in column.sections[:5]] == [0] * 5
        transcript.viewport.move(-100)
        before = in_view(me)
        await me.until(lambda: not transcript.viewport.is_guessed)
        assert column.sections[column.at(transcript.viewport.near()[0])].measured_at
        assert in_view(me) == before
