"""Keys in their turn: the next one waits until all that the one before it did is done.

Ssh and tmux deliver keys in bursts, and so does a fast hand. Textual gives a key to what has the
focus when it takes the key from its queue, which may be before the key in front of it has opened a
dialog, closed one, or moved the focus. Without this letters get lost, and a second Enter reaches a
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

# A widget that is busy for longer keeps the next key no longer from its turn.
BUSY_S: Final = 1.0
# What a key did is done after two or three; whatever goes on for ever is not waited for.
ROUNDS: Final = 12


class KeyQueue:
    """Takes what comes from keyboard and mouse, and gives it out piece by piece.

    `give` is how the application handles an event; it is called in the application's own task.
    """

    def __init__(self, app: App[Any], give: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[events.Event] = deque()
        self._work: asyncio.Task[None] | None = None
        self._typing: object = None  # the field, as long as nothing but letters went to it

    @property
    def quiet(self) -> bool:
        """Whether all is handled that came."""
        return self._work is None

    async def take(self, event: events.Event) -> None:
        """Handle an event, at once if nothing is before it; while leaving, not any more."""
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
        """Return the field that only takes a letter from `event`, None if it is something else."""
        letter = isinstance(event, events.Key) and event.is_printable and "+" not in event.key
        focused = self._app.focused
        return focused if letter and isinstance(focused, Input | TextArea) else None

    async def _go_on(self) -> None:
        """Let what was given take its effect, then give what came meanwhile."""
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
        """Return when every part that a key goes through has handled all that it had to do."""
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
        """Return what a key goes through: what has the focus, all around it, the application."""
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
    """Return whether others have to wait for it: the way of a mouse changes nothing."""
    return isinstance(event, events.Key | events.Paste | events.MouseDown | events.MouseUp)
