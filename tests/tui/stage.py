"""Stage: a running client, the real daemon and the simulator, with controlled clocks.

The simulator's clock stands still until it is advanced, so that an answer stops at exactly the word
that a picture needs; daemon and client have a clock that begins at a fixed time of day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from textual.pilot import Pilot

from palaver.client import Client as DaemonClient
from palaver.client import Endpoint
from palaver.clock import SystemClock
from palaver.demo import CONFIG, PATIENCE
from palaver.wire.chats import Chat, CreateChat, SendMessage
from palaver_tui.app import PalaverApp
from palaver_tui.transcript.look import Look
from palaver_tui.widgets.composer import Composer
from palaverd.config.load import parse_config
from palaverd.config.types import Config
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from palaverd.simulator.scenarios import SCENARIOS
from support.clock import ManualClock
from support.daemon import make_daemon, short_dir, simulator_config
from tui.replay import T0
from tui.screen import Client, ClockedApp

WORDS_A_SECOND = 20.0
LONG_S = 10_000.0  # long enough for any answer to end


class StageClock(SystemClock):
    """Runs like the machine's clock, from `T0` on, plus the time of `pass_by`."""

    def __init__(self) -> None:
        self._began = super().now()
        self._moved = timedelta()

    def now(self) -> datetime:
        return T0 + (super().now() - self._began) + self._moved

    def pass_by(self, seconds: float) -> None:
        """Advance the time; sleepers are not woken."""
        self._moved += timedelta(seconds=seconds)


class Stage(Client):
    """One client with its own screen, and its daemon and simulator."""

    def __init__(
        self,
        app: PalaverApp,
        pilot: Pilot[int],
        clock: StageClock,
        daemon: Daemon,
        simulator: Simulator,
        pace: ManualClock,
    ) -> None:
        super().__init__(app, None, pilot, clock)
        self.real_daemon, self.simulator, self.pace = daemon, simulator, pace
        self.requests = DaemonClient(Endpoint(socket=daemon.socket))

    @property
    def listed(self) -> Chat:
        """The open chat, as in the list."""
        return self.app.session.chats.chats[self.chat_id]

    def live_words(self) -> int:
        live = self.view.live
        return sum(str(block.text).count(" ") for block in live.blocks) if live else 0

    async def speak(self, words: int) -> None:
        """Stream so many words of the simulator's current answer."""
        await self.until(self.pace.waits)
        self.pace.advance(words / WORDS_A_SECOND)
        await self.until(lambda: self.live_words() >= words - 2)

    def let_them_finish(self) -> None:
        """Finish all current answers: advance the simulator's clock."""
        if self.pace.waits():
            self.pace.advance(LONG_S)

    async def ask(self, text: str) -> None:
        """Write a message and send it with Enter."""
        self.composer.insert(text)
        self.tap("enter")
        await self.until(lambda: not self.composer.text)

    async def asked(self, text: str) -> None:
        """Ask a question and wait until it is answered completely."""
        before = len(self.view.messages)
        await self.ask(text)

        def answered() -> bool:
            self.let_them_finish()
            return self.view.status == "waiting" and len(self.view.messages) == before + 2

        await self.until(answered)

    async def chat(self, title: str, content: str, status: str, **more: Any) -> Chat:
        """Create another chat and wait until its status is `status`."""
        sent = await self.requests.create_chat(CreateChat(content, title=title, **more))
        await self.chat_is(sent.chat.id, status)
        return sent.chat

    async def send(self, chat: Chat, content: str) -> None:
        await self.requests.send(chat.id, SendMessage(content))

    async def chat_is(self, chat_id: str, status: str) -> None:
        """Wait until the list has the chat with the status."""

        def is_there() -> bool:
            known = self.app.session.chats.chats.get(chat_id)
            return known is not None and known.status == status

        await self.until(is_there)


@asynccontextmanager
async def stage(
    size: tuple[int, int], *, keyless: bool = False, scenario: str | None = None
) -> AsyncIterator[Stage]:
    """Run client, daemon and simulator.

    `keyless`: without a configuration; `scenario`: with the demo's configuration and a scenario of
    the simulator.
    """
    clock, pace = StageClock(), ManualClock()
    story = SCENARIOS[scenario] if scenario else None
    async with (
        short_dir() as folder,
        Simulator(rate=WORDS_A_SECOND, clock=pace, scenario=story) as simulator,
    ):
        config = Config() if keyless else simulator_config(simulator.url)
        if scenario:
            config = parse_config(CONFIG.format(url=simulator.url, patience=PATIENCE), "demo")
        daemon = make_daemon(folder / "data", config, clock)
        await daemon.start()

        async def connect() -> Endpoint:
            return Endpoint(socket=daemon.socket)

        app = ClockedApp(
            connect,
            data_dir=folder / "data",
            clock=clock,
            random=Random(1),
            motion=False,
            look=Look(UTC),
        )
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                on_stage = Stage(app, pilot, clock, daemon, simulator, pace)
                app.main.query_one("#composer", Composer).cursor_blink = False
                await on_stage.until(lambda: app.session.models and app.session.chats.loaded)
                async with on_stage.requests:
                    yield on_stage
        finally:
            await daemon.stop()
