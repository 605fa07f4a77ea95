"""The first frame: it has its contents, comes before the connection, and is laid out once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.screen import Screen

from palaver.client import Endpoint
from palaver_tui.app import PalaverApp
from palaver_tui.screen.main_screen import MainScreen
from palaver_tui.widgets import welcome
from palaver_tui.widgets.chat_list import ChatListPane
from tui.replay import ENDPOINT, chat
from tui.screen import client


def text_of(shown: Screen[object]) -> str:
    return "\n".join(strip.text for strip in shown._compositor.render_strips())


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of the screen at each frame that is drawn."""
    seen: list[str] = []
    display = PalaverApp._display

    def displayed(app: PalaverApp, shown: Screen[object], update: object) -> None:
        if update is not None and not app._batch_count:
            seen.append(text_of(shown))
        display(app, shown, update)  # type: ignore[arg-type]

    monkeypatch.setattr(PalaverApp, "_display", displayed)
    return seen


async def test_the_first_frame_has_its_contents_and_comes_before_the_connection(
    tmp_path: Path, frames: list[str]
) -> None:
    before: list[int] = []

    async def connect() -> Endpoint:
        before.append(len(frames))
        return ENDPOINT

    async with client(tmp_path, connect=connect) as me:
        await me.until(lambda: before)
    assert before == [1]
    for words in ("New chat", "starting", "╭─ Chats", "…", "What shall we talk about?", "❯"):
        assert words in frames[0]
    assert "no chats yet" not in frames[0]


async def test_the_first_frame_of_a_chat_is_not_that_of_an_empty_one(
    tmp_path: Path, frames: list[str]
) -> None:
    async with client(tmp_path, chat_id="c") as me:
        await me.until(lambda: frames)
    assert not [frame for frame in frames if "What shall we talk about?" in frame]


@pytest.mark.parametrize("chat_id", [None, "c"])
async def test_the_conversation_is_made_after_the_first_frame_and_changes_nothing_in_it(
    tmp_path: Path, frames: list[str], monkeypatch: pytest.MonkeyPatch, chat_id: str | None
) -> None:
    made: list[int] = []
    make = MainScreen.make_transcript

    def noted(screen: MainScreen) -> object:
        if screen.made_transcript is None:
            made.append(len(frames))
        return make(screen)

    async def connect() -> Endpoint:
        await asyncio.Future()
        raise AssertionError

    monkeypatch.setattr(MainScreen, "make_transcript", noted)
    async with client(tmp_path, chat_id=chat_id, connect=connect) as me:
        main, painted = me.app.main, me.app._frames
        await me.until(lambda: made and main.transcript.is_mounted and not painted._pending)
        await me.pilot.pause()
    assert made == [1]
    assert set(frames) == {frames[0]}


async def test_a_conversation_that_is_used_before_the_first_frame_is_there_in_time(
    tmp_path: Path, frames: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = PalaverApp.on_ready

    def used(app: PalaverApp) -> None:
        assert not frames
        app.main.transcript.focus()
        prepare(app)

    monkeypatch.setattr(PalaverApp, "on_ready", used)
    async with client(tmp_path) as me:
        me.daemon.open(chat("c", "Chat"))
        await me.rests()
        assert me.app.main.transcript.parent is me.app.main.stage
        assert len(me.app.main.stage.children) == 2


async def test_an_error_while_the_first_frame_is_prepared_does_not_keep_the_client_from_connecting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Broken.")

    connected = asyncio.Event()

    async def connect() -> Endpoint:
        connected.set()
        return ENDPOINT

    monkeypatch.setattr("palaver_tui.app.paint", fails)
    async with client(tmp_path, connect=connect, contains_errors=True):
        async with asyncio.timeout(20):
            await connected.wait()


async def test_the_welcome_is_laid_out_once_for_all_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[tuple[object, ...]] = []
    lines = welcome.welcome_lines

    def counted(*shown: object) -> object:
        laid_out.append(shown)
        return lines(*shown)  # type: ignore[arg-type]

    monkeypatch.setattr(welcome, "welcome_lines", counted)
    async with client(tmp_path) as me:
        me.daemon.open()
        await me.rests()
    assert laid_out
    assert len(laid_out) == len(set(map(str, laid_out)))


async def test_a_list_that_is_longer_than_its_room_has_no_horizontal_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[tuple[bool, bool]] = []
    refresh = ChatListPane._refresh_scrollbars

    def noted(pane: ChatListPane) -> None:
        refresh(pane)
        bars.append((pane.show_vertical_scrollbar, pane.show_horizontal_scrollbar))

    monkeypatch.setattr(ChatListPane, "_refresh_scrollbars", noted)
    async with client(tmp_path) as me:
        me.daemon.open(*(chat(f"c{number}", f"Chat {number}") for number in range(60)))
        await me.rests()
    assert (True, False) in bars
    assert not [both for both in bars if both[1]]
