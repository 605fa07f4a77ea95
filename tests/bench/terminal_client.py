"""The real client without a terminal, to which tokens are sent frame by frame.

Everything between an event of the stream and the escape codes runs: session, reducers, painter,
transcript, Textual's compositor. Only the daemon is a fake, and there is no real time: each frame
has the number of tokens of a frame at the given rate, and CPU time is measured. With `live`, the
client uses real time, and its spinners turn.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from palaver.wire.events import CaughtUp, MessageEvent
from palaver.wire.messages import Message
from palaver_tui.app import PalaverApp
from palaver_tui.timing import FRAMES_PER_SECOND
from tui.replay import FixedClock, ReplayClient, answer, chat, part, status, user, versions
from tui.screen import Client, client

SIZE = (120, 40)
CHAT = "bench"


class LiveClock(FixedClock):
    """A clock that continues in real time from the fake daemon's time."""

    def __init__(self) -> None:
        super().__init__()
        self._began = monotonic()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return monotonic() - self._began


class Drawn:
    """Encodes every update as escape codes, as for a terminal, and counts the updates."""

    def __init__(self, app: PalaverApp) -> None:
        self.count = 0
        display = app._display

        def drawn(screen: Screen[object], update: RenderableType | None) -> None:
            if isinstance(update, CompositorUpdate):
                update.render_segments(app.console)
            display(screen, update)
            self.count += 1

        app._display = drawn  # type: ignore[method-assign, assignment]


class Fed:
    """A client that shows a chat in which an answer is streamed."""

    def __init__(self, shown: Client) -> None:
        self.client = shown
        self.drawn = Drawn(shown.app)
        self._at = 0
        self._kind: dict[str, Any] = {}

    def call(self, name: str) -> None:
        """Unfold calls, and send the following tokens as the arguments of the call `name`."""
        self._kind = {"kind": "tool_call", "name": name, "call_id": "c1"}
        self.client.transcript.viewport.set_folds(self.client.transcript.viewport.folds.all(True))

    async def frame(self, text: str = "") -> None:
        """Send `text`, and run until the screen is updated."""
        app = self.client.app
        if text:
            painted = app._frames.painted
            app._frames._next = 0.0  # there is no real time here
            self.client.daemon.stream_of(CHAT).tell(part(text, self._at, **self._kind))
            self._at += len(text)
            while app._frames.painted == painted:
                await asyncio.sleep(0)
        app.screen._on_timer_update()
        await asyncio.sleep(0)

    async def feed(self, tokens: Sequence[str], rate: float) -> float:
        """Send tokens in frames as at `rate` tokens per second; return the CPU seconds."""
        each = max(1, round(rate / FRAMES_PER_SECOND))
        began = process_time()
        for start in range(0, len(tokens), each):
            await self.frame("".join(tokens[start : start + each]))
        return process_time() - began

    async def stream(self, tokens: Sequence[str], rate: float) -> None:
        """Send tokens one by one at `rate` per second in real time; an empty one is a pause."""
        began = monotonic()
        for number, token in enumerate(tokens):
            await asyncio.sleep(max(0.0, began + number / rate - monotonic()))
            if not token:
                continue
            self.client.daemon.stream_of(CHAT).tell(part(token, self._at))
            self._at += len(token)


def history(count: int, first: int = 1) -> list[Message]:
    """Return `count` messages, from number `first` on, as in a chat in use."""
    text = "Some **answer** with a few words, `code` and\n\n- a list\n- of two\n\nand a last line."
    return [
        user(number, f"Question {number}?") if number % 2 else answer(number, text)
        for number in range(first, first + count)
    ]


@asynccontextmanager
async def shown(
    messages: Sequence[Message], size: tuple[int, int] = SIZE, *, live: bool = False
) -> AsyncIterator[Fed]:
    """Open a chat of `messages` in which an answer has begun."""
    daemon = ReplayClient()
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        clock = LiveClock() if live else FixedClock()
        async with client(
            Path(folder), daemon=daemon, chat_id=CHAT, size=size, motion=live, clock=clock
        ) as opened:
            last = len(messages)
            daemon.open(chat(CHAT, "A chat", "running"))
            known = versions(last + 1, last, last)
            daemon.stream_of(CHAT).tell(
                status("running", versions=known),
                *map(MessageEvent, messages),
                CaughtUp(last + 1),
            )
            fed = Fed(opened)
            await opened.until(lambda: opened.view.caught_up)
            await opened.pilot.pause()
            yield fed
