"""Key queue: each key waits until all effects of the key before it are done.

Ssh and tmux deliver keys in bursts, and so do fast typists. Textual gives a key to the widget that
has the focus when the key is taken from the queue. The key before it may not have opened or closed
its dialog, or moved the focus, by then. Without this letters get lost, and a second Enter reaches a
screen that the first one has dismissed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.widgets import Input, TextArea

# The next key waits at most so long for a busy widget.
BUSY_S: Final = 1.0
# The effects of a key are done after two or three rounds; endless ones are not waited for.
ROUNDS: Final = 12


class KeyQueue:
    """A queue of events from keyboard and mouse, which are handled one after the other.

    `give` handles an event in the application; it is called in the application's own task.
    """

    def __init__(self, app: App[Any], give: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[events.Event] = deque()
        self._work: asyncio.Task[None] | None = None
        self._typing: object = None  # the field, while all events given are letters for it

    @property
    def quiet(self) -> bool:
        """Whether all events are handled."""
        return self._work is None

    async def take(self, event: events.Event) -> None:
        """Handle an event, at once if none waits before it; drop it while the client ends."""
        if not self._app.screen_stack:
            return
        if self._work is None:
            self._typing = None
        elif self._waiting or not self._types_on(event):
            self._waiting.append(event)
            return
        if self._work is None and _matters(event):
            self._typing = self._field(event)
            self._work = asyncio.create_task(self._go_on())
        await self._give(event)

    def _types_on(self, event: events.Event) -> bool:
        """Return whether this is another letter for the same field: letters keep their order."""
        return self._typing is not None and self._field(event) is self._typing

    def _field(self, event: events.Event) -> object:
        """Return the field that gets a letter from `event`; None if it is another event."""
        letter = isinstance(event, events.Key) and event.is_printable and "+" not in event.key
        focused = self._app.focused
        return focused if letter and isinstance(focused, Input | TextArea) else None

    async def _go_on(self) -> None:
        """Wait for the effects of the event given, then give those that came meanwhile."""
        try:
            await self._settle()
            while self._waiting:
                event = self._waiting.popleft()
                self._typing = self._field(event)
                await self._give_in_turn(event)
                while self._waiting and self._types_on(self._waiting[0]):
                    await self._give_in_turn(self._waiting.popleft())
                await self._settle()
        finally:
            self._work = None

    async def _give_in_turn(self, event: events.Event) -> None:
        given = asyncio.Event()

        async def give() -> None:
            try:
                if self._app.screen_stack:
                    await self._give(event)
            finally:
                given.set()

        self._app.call_next(give)
        with suppress(TimeoutError):
            await asyncio.wait_for(given.wait(), BUSY_S)

    async def _settle(self) -> None:
        """Wait until every part that a key bubbles through has handled its messages."""
        for _ in range(ROUNDS):
            parts = self._parts()
            for part in parts:
                done = asyncio.Event()
                if part.call_later(done.set):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(done.wait(), BUSY_S)
            if parts == self._parts() and not any(part.message_queue_size for part in parts):
                return

    def _parts(self) -> list[MessagePump]:
        """Return the parts that a key bubbles through, from the focus to the application."""
        app = self._app
        if not app.is_running or not app.screen_stack:
            return []
        inner = app.focused or app.screen
        return list(inner.ancestors_with_self)

    async def close(self) -> None:
        """Drop the waiting events and stop."""
        self._waiting.clear()
        if self._work is not None:
            self._work.cancel()


def _matters(event: events.Event) -> bool:
    """Return whether later events have to wait for it: moving the mouse has no effect."""
    return isinstance(event, events.Key | events.Paste | events.MouseDown | events.MouseUp)
