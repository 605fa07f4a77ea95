"""A running client with a replayed daemon, and waiting for texts on its screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from random import Random
from typing import Any, cast

from textual import events
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from palaver.client import Endpoint, PalaverError
from palaver_tui.app import PalaverApp
from palaver_tui.session.session import Connect
from palaver_tui.state.chat import ChatView, Live
from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.pictures import wanted_pictures
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.transcript.widget import Transcript
from tui.replay import ENDPOINT, FixedClock, ReplayClient

BOUND_S = 30.0  # the timeout of a wait; one check may take seconds on a busy machine
POLL_S = 0.02  # between checks of a condition; a check renders the screen


def screen_text(app: PalaverApp) -> str:
    """Return everything on the screen, as text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in lines)


def pictures_are_drawn(app: PalaverApp) -> bool:
    """Return whether all pictures in view are decoded."""
    return next(wanted_pictures(app.main.transcript.viewport), None) is None


def lay_out_near(app: PalaverApp) -> None:
    """Lay out at once all lines near the view, whose heights the scroll bar would estimate."""
    transcript = app.main.transcript
    transcript.settle()  # in the current width: with another one all heights are estimates again
    while transcript.viewport.column.look_on(FOREVER, *transcript.viewport.near()):
        pass
    transcript.settle()


def is_laid_out(app: PalaverApp) -> bool:
    """Return whether the transcript has its size, and no height near the view is an estimate."""
    transcript = app.main.transcript
    if not transcript.display:
        return True  # an empty chat shows the welcome screen instead
    has_room = transcript.scrollable_content_region.height > 0
    is_new = transcript.viewport.column.width != transcript.column_width
    return has_room and not is_new and not transcript.viewport.is_guessed


async def settled(app: PalaverApp, holds: Callable[[], object], bound_s: float = BOUND_S) -> None:
    """Wait until `holds`."""
    async with asyncio.timeout(bound_s):
        while not holds():
            await asyncio.sleep(POLL_S)


async def posed(app: PalaverApp, pilot: Pilot[int]) -> None:
    """Wait until nothing on the screen changes by itself, so that a picture can be taken."""
    app.main.composer.cursor_blink = False
    app.paint()
    await pilot.pause()  # the expected text may be there before the layout is finished
    lay_out_near(app)
    await settled(app, lambda: pictures_are_drawn(app))
    # Workers fill the palette while its cursor blinks.
    await settled(
        app, lambda: all(one.is_finished for one in app.workers if one.node is app.screen)
    )
    for field in app.screen.query(Input):
        field._pause_blink(visible=True)
    await pilot.pause()
    lay_out_near(app)
    assert is_laid_out(app)
    await pilot.pause()


class ClockedApp(PalaverApp):
    """The application, with keys that are pressed at the time of its own clock."""

    def post_message(self, message: Message) -> bool:
        if isinstance(message, events.Key):
            message.time = self.clock.monotonic()
        return super().post_message(message)


class Client:
    """One client with its own screen, daemon and clock.

    Mostly a `ReplayClient` and a `FixedClock`; with a real daemon `daemon` is None.
    """

    def __init__(self, app: PalaverApp, daemon: Any, pilot: Pilot[int], clock: Any) -> None:
        self.app, self.daemon, self.pilot, self.clock = app, daemon, pilot, clock

    @property
    def transcript(self) -> Transcript:
        return self.app.main.transcript

    @property
    def composer(self) -> Composer:
        return self.app.main.composer

    @property
    def view(self) -> ChatView:
        return self.app.session.view

    @property
    def chat_id(self) -> str:
        """The id of the open chat; it must exist in the daemon."""
        assert self.view.chat_id is not None
        return self.view.chat_id

    @property
    def live(self) -> Live:
        """The live answer; there must be one."""
        assert self.view.live is not None
        return self.view.live

    def text(self) -> str:
        return screen_text(self.app)

    async def until(self, holds: Callable[[], object]) -> None:
        try:
            await settled(self.app, holds)
        except TimeoutError:
            raise AssertionError(f"what is waited for does not come:\n{self.text()}") from None

    async def shows(self, *words: str) -> None:
        def all_shown() -> bool:
            text = self.text()
            return all(word in text for word in words)

        try:
            await self.until(all_shown)
        except AssertionError:
            raise AssertionError(f"{words} not on the screen:\n{self.text()}") from None

    async def hides(self, word: str) -> None:
        await self.until(lambda: word not in self.text())

    async def rests(self) -> None:
        """Wait until everything that the client fetches at its start has arrived and is painted.

        On a busy machine the models, the chats and a chat arrive one after the other, and each is
        drawn when it arrives.
        """
        session, frames = self.app.session, self.app._frames
        await self.until(lambda: session.models and session.chats.loaded and not frames._pending)
        lay_out_near(self.app)
        await self.pilot.pause()
        await self.until(lambda: not frames._pending)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.until(lambda: self.app.key_queue.quiet)
        await self.pilot.pause()

    def tap(self, *keys: str) -> None:
        """Press keys without waiting for their effects: a streaming answer never ends the wait."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def tap_queue(self) -> None:
        self.tap("ctrl+o")
        await self.until(lambda: self.app.main.queue.has_focus)

    async def write(self, text: str) -> None:
        """Insert text at the cursor, like a paste."""
        self.composer.insert(text)
        await self.pilot.pause()


def make_app(
    daemon: ReplayClient,
    data_dir: Path,
    chat_id: str | None = None,
    connect: Connect | None = None,
    *,
    motion: bool = False,
    clock: Any = None,
    contains_errors: bool = False,
    **more: Any,
) -> tuple[PalaverApp, FixedClock]:
    clock = clock or FixedClock()

    async def connected() -> Endpoint:
        if daemon.absent:
            raise PalaverError("The daemon could not be started: its disk is full.")
        return ENDPOINT

    app = ClockedApp(
        connect or connected,
        data_dir=data_dir,
        chat_id=chat_id,
        clock=clock,
        random=Random(1),
        client=cast("Any", daemon),
        motion=motion,
        look=Look(UTC),
        contains_errors=contains_errors,
        **more,
    )
    return app, clock


@asynccontextmanager
async def client(
    data_dir: Path,
    *,
    daemon: ReplayClient | None = None,
    chat_id: str | None = None,
    size: tuple[int, int] = (100, 30),
    connect: Connect | None = None,
    motion: bool = False,
    clock: Any = None,
    contains_errors: bool = False,
    **more: Any,
) -> AsyncIterator[Client]:
    daemon = daemon or ReplayClient()
    app, clock = make_app(
        daemon,
        data_dir,
        chat_id,
        connect,
        motion=motion,
        clock=clock,
        contains_errors=contains_errors,
        **more,
    )
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Client(app, daemon, pilot, clock)
