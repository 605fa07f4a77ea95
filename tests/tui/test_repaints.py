"""Only changed rows are drawn again, and the screen is the same as if all were."""

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from palaver.wire.events import CaughtUp, MessageEvent, QueueUpdate
from palaver_tui.text.spans import Line
from palaver_tui.textual_patches.frame_title import entitle
from palaver_tui.textual_patches.row_compositor import RowCompositor
from palaver_tui.timing import ANIMATION_S, SCREEN_UPDATES_PER_SECOND
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.strips import strip_of
from palaver_tui.widgets.transcript import strip_cache as strips
from tui.corpus import ALL, ANSWERS
from tui.replay import ReplayClient, answer, chat, part, queued, status, user
from tui.screen import Client, client

MOVE_ALONE = re.compile(r"\x1b\[\d+;\d+H(?=\x1b\[\d+;\d+H|\n|$)")  # a move without text
TEXT = "".join(ANSWERS.values()) + ALL["a long table"]


async def opened(one: Client) -> None:
    one.daemon.open(chat("c", "A chat", "running"))
    one.daemon.stream_of("c").tell(
        status("running"),
        *(
            MessageEvent(user(n, f"q {n}") if n % 2 else answer(n, "an answer"))
            for n in range(1, 9)
        ),
        CaughtUp(9),
    )
    await one.until(lambda: one.view.caught_up)
    await one.rests()


async def stream(one: Client, text: str, step: int) -> AsyncIterator[None]:
    for start in range(0, len(text), step):
        shown = one.app._frames.painted
        one.daemon.stream_of("c").tell(part(text[start : start + step], start))
        await one.until(partial(lambda shown: one.app._frames.painted > shown, shown))
        one.app.screen._on_timer_update()
        yield


def screen(one: Client) -> list[str]:
    return [strip.text for strip in one.app.screen._compositor.render_strips()]


@pytest.mark.parametrize("scrolled", [False, True])
async def test_the_screen_is_what_it_would_be_if_every_row_were_drawn(
    tmp_path: Path, scrolled: bool
) -> None:
    size = (80, 24 if scrolled else 70)
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=size) as one:
        await opened(one)
        if scrolled:
            one.transcript.viewport.move(-3)
        async for _ in stream(one, ALL["a long table"][:1500] + TEXT[:1200], 90):
            drawn = screen(one)
            one.transcript.redraw()
            one.transcript.vertical_scrollbar.refresh()
            one.app.screen._on_timer_update()
            assert drawn == screen(one)


async def test_a_token_draws_the_rows_it_changes_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(80, 40)) as one:
        await opened(one)
        async for _ in stream(one, "words " * 30, 60):
            pass
        rows = rows_drawn(monkeypatch, one.transcript)
        one.daemon.stream_of("c").tell(part("more", 180))
        await one.until(lambda: rows)
        assert len(rows) <= 4


async def test_an_update_is_the_one_that_textual_itself_would_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[Any] = []
    ours = RowCompositor.render_partial_update

    def both(compositor: RowCompositor) -> CompositorUpdate | None:
        dirty = set(compositor._dirty_regions)
        update = ours(compositor)
        compositor._dirty_regions.update(dirty)
        theirs = Compositor.render_partial_update(compositor)
        console = one.app.console
        if update is not None:
            assert theirs is not None
            updates.append(
                [MOVE_ALONE.sub("", sent.render_segments(console)) for sent in (update, theirs)]
            )
        return update

    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 30)) as one:
        await opened(one)
        monkeypatch.setattr(RowCompositor, "render_partial_update", both)
        async for _ in stream(one, ALL["a long table"][:600] + TEXT[:900], 60):
            one.composer.insert("x")  # a change far from the text, and not below all of it
        one.daemon.open(chat("c", "Another title", "running"), chat("d", "Two", "error"))
        await one.shows("Two")
        await one.press("ctrl+o", "ctrl+l", "down", "f1", "escape", "ctrl+p", "escape")
    assert len(updates) > 20
    assert all(ours == theirs for ours, theirs in updates)


async def test_widgets_are_asked_for_the_rows_that_are_drawn_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 40)) as one:
        await opened(one)
        async for _ in stream(one, "words " * 30, 60):
            pass
        one.app.screen._on_timer_update()
        asked = widgets_asked(monkeypatch)
        one.daemon.stream_of("c").tell(part("more", 180))
        await one.until(lambda: asked)
        assert all(crop.height <= 4 for _, crop in asked)


async def test_what_lies_behind_what_is_drawn_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 40)) as one:
        await opened(one)
        one.app.screen._on_timer_update()
        asked = widgets_asked(monkeypatch)
        one.transcript.redraw()
        one.app.screen._on_timer_update()
        await one.pilot.pause()
        assert not {"stage", "main", "body", "main-screen"} & {name for name, _ in asked}


async def test_what_is_drawn_amid_a_change_of_theme_does_not_stay(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(80, 24)) as one:
        await opened(one)
        one.app.theme = "palaver-light"
        screen(one)  # the client's palette is already new, Textual's styles are still old
        await one.pilot.pause()
        drawn = [list(strip) for strip in one.app.screen._compositor.render_strips()]
        one.transcript.redraw()
        assert drawn == [list(strip) for strip in one.app.screen._compositor.render_strips()]


async def test_a_line_that_moves_up_is_drawn_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def noted(line: Line, *more: Any) -> Strip:
        made.append(line.text)
        return strip_of(line, *more)

    monkeypatch.setattr(strips, "strip_of", noted)
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(80, 24)) as one:
        await opened(one)
        async for _ in stream(one, "A paragraph.\n\n" * 40, 14):
            pass
        await one.pilot.pause()
        assert one.transcript.scroll_offset.y > 40
        assert len(made) < 400  # drawing all rows again would be 40 times the height


def rows_drawn(monkeypatch: pytest.MonkeyPatch, widget: Widget) -> list[int]:
    rows: list[int] = []
    render_line = widget.render_line

    def noted(y: int) -> Strip:
        rows.append(y)
        return render_line(y)

    monkeypatch.setattr(widget, "render_line", noted)
    return rows


def widgets_asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, Region]]:
    """Record the id and the region of each widget that is asked for lines."""
    asked: list[tuple[str | None, Region]] = []
    render_lines = Widget.render_lines

    def noted(widget: Widget, crop: Region) -> list[Strip]:
        asked.append((widget.id, crop))
        return render_lines(widget, crop)

    monkeypatch.setattr(Widget, "render_lines", noted)
    return asked


def on_screen(one: Client) -> None:
    one.app.paint()
    one.app.screen._on_timer_update()


async def test_the_spinner_draws_its_own_rows_of_the_list_and_of_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(
        tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 30), motion=True
    ) as one:
        await opened(one)
        more = [chat(str(n), f"Chat {n}", minutes_ago=n) for n in range(1, 9)]
        one.daemon.open(*more, chat("c", "A chat", "running", minutes_ago=4))
        async for _ in stream(one, "words " * 10, 60):
            pass
        await one.shows("Chat 8", "answering")
        one.app.screen._on_timer_update()
        before = one.text()
        listed = rows_drawn(monkeypatch, one.app.main.query_one(ChatListPane))
        written = rows_drawn(monkeypatch, one.composer)
        one.clock.advance(ANIMATION_S)
        await one.until(lambda: one.text() != before)
        on_screen(one)
        assert listed == [4]
        assert not written


async def test_a_frame_gets_new_words_without_what_is_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 30)) as one:
        await opened(one)
        stage = one.app.main.query_one("#stage")
        on_screen(one)
        rows = rows_drawn(monkeypatch, one.transcript)
        entitle(stage, "above", "below")
        await one.pilot.pause()
        one.app.screen._on_timer_update()
        assert not rows
        await one.shows("─ above", "below ─")
        drawn = screen(one)
        one.app.main.refresh(layout=True)
        await one.pilot.pause()
        assert screen(one) == drawn


async def test_a_queue_that_stays_as_it_is_is_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(120, 30)) as one:
        await opened(one)
        one.daemon.stream_of("c").tell(
            QueueUpdate([queued(1, "later"), queued(2, "last")], held=False)
        )
        await one.shows("later", "last")
        await one.pilot.pause()
        on_screen(one)
        rows = rows_drawn(monkeypatch, one.app.main.query_one(QueuePanel))
        async for _ in stream(one, "words " * 40, 60):
            pass
        assert not rows
        await one.press("ctrl+o")
        await one.shows("d remove")
        assert rows


async def test_no_frame_is_painted_for_the_spinner_while_text_is_painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", motion=True) as one:
        await opened(one)
        asked = []
        monkeypatch.setattr(one.app._frames, "request", lambda: asked.append(1))
        one.app._tick()
        asked.clear()
        one.app._frames.painted += 1
        one.app._tick()
        assert not asked
        one.app._tick()
        assert asked


async def test_the_screen_is_drawn_at_our_own_rate(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=ReplayClient()) as one:
        assert one.app.main._update_timer._interval == 1 / SCREEN_UPDATES_PER_SECOND
        assert one.app.main._update_timer is one.app.main._update_timer


@pytest.mark.parametrize("scrolled", [False, True])
async def test_the_bar_is_what_it_would_be_and_not_drawn_again_where_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scrolled: bool
) -> None:
    async with client(tmp_path, daemon=ReplayClient(), chat_id="c", size=(80, 30)) as one:
        await opened(one)
        async for _ in stream(one, "A paragraph.\n\n" * 40, 70):
            pass
        if scrolled:
            one.transcript.viewport.move(-9)
        await one.pilot.pause()
        bar = one.transcript.vertical_scrollbar
        rows, looks = rows_drawn(monkeypatch, bar), set()
        for number in range(40, 60):
            one.daemon.stream_of("c").tell(part("A paragraph.\n\n", number * 14))
            height = one.transcript.viewport.column.height
            await one.until(
                partial(lambda height: one.transcript.viewport.column.height > height, height)
            )
            one.app.screen._on_timer_update()
            await one.pilot.pause()
            drawn = [line[-2:] for line in screen(one)]
            looks.add(tuple(drawn))
            count = len(rows)
            bar.refresh()
            one.app.screen._on_timer_update()
            assert drawn == [line[-2:] for line in screen(one)]
            del rows[count:]
        assert len(looks) > 3
        assert len(rows) < 20 * bar.size.height / 4
