"""Saves the partial answers of all running calls, outside the path of a token.

All that are due are saved in one transaction: one for each chat, once a second, would be a thousand
transactions a second with a thousand chats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from palaver.clock import Clock
from palaverd.chatstate.execution import Fence
from palaverd.generation.answer import shown_parts
from palaverd.store.attempts import Shown, save_partials
from palaverd.store.database import Database, DatabaseError
from palaverd.stream.episode import Episode

# Seconds between two saves of a live answer: the most that a crash costs of a partial answer.
PARTIAL_INTERVAL_S = 1.0
# In one transaction; more are saved in several, spread over the interval. To collect so many takes
# the event loop some milliseconds.
MOST_CHATS = 250
MOST_TEXT = 4 * 1024 * 1024  # code points; a longer answer is saved alone

log = structlog.get_logger("palaverd.generation")


class _Call:
    """A running call. `saved` is its episode's end at the last save."""

    __slots__ = ("chat_id", "episode", "fence", "saved")

    def __init__(self, chat_id: str, fence: Fence, episode: Episode) -> None:
        self.chat_id = chat_id
        self.fence = fence
        self.episode = episode
        self.saved = 0


class Saver:
    """Saves once a second while there are calls. `now` returns milliseconds since the epoch."""

    def __init__(self, database: Database, clock: Clock, now: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._now = now
        self._calls: dict[_Call, None] = {}  # in order of their last save
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def saving(
        self, chat_id: str, fence: Fence, episode: Episode, at_end: Callable[[], bool]
    ) -> AsyncIterator[None]:
        """Save an episode within the block, and once more at its end if `at_end` then says so.

        What is saved after the fence was lost is dropped. A failure is logged: the answer itself is
        reported, and losing a part of it must not fail the chat.
        """
        call = _Call(chat_id, fence, episode)
        self._calls[call] = None
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            del self._calls[call]
            if self._task is not None and not self._calls:
                self._task.cancel()
                self._task = None
            if at_end():
                await self._save([call])

    async def _run(self) -> None:
        while True:
            transactions = max(1, -(-len(self._calls) // MOST_CHATS))
            await self._clock.sleep(PARTIAL_INTERVAL_S / transactions)
            await self._save(self._due())

    def _due(self) -> list[_Call]:
        """Return the calls to save now, and put them behind the others."""
        due: list[_Call] = []
        size = 0
        for call in self._calls:
            if call.episode.end == call.saved:
                continue
            size += call.episode.length
            if due and (len(due) == MOST_CHATS or size > MOST_TEXT):
                break
            due.append(call)
        for call in due:
            del self._calls[call]
            self._calls[call] = None
        return due

    async def _save(self, calls: list[_Call]) -> None:
        ends = [(call, call.episode.end) for call in calls if call.episode.end != call.saved]
        if not ends:
            return
        shown = [
            Shown(
                call.chat_id,
                call.fence,
                call.episode.key,
                shown_parts(call.episode.blocks),
                call.episode.model,
            )
            for call, _ in ends
        ]
        try:
            await self._database.write(partial(save_partials, shown=shown, now=self._now()))
        except DatabaseError as error:
            chats = [call.chat_id for call in calls]
            log.warning("partials not saved", chats=chats, error=error.sentence)
        else:
            for call, end in ends:
                call.saved = end
