"""The episodes that this daemon holds, by chat."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from palaver.clock import Clock
from palaverd.metrics import Metrics, Spread
from palaverd.stream.episode import Episode

# An ended episode is kept for readers that have not caught up or that reconnect.
LINGER_S = 15.0


class Follower(Protocol):
    """Who has everything there is, and waits for more."""

    def grown(self) -> None:
        """The log grew, or a new one was begun. Called on the event loop; must not block."""


class Live:
    """The current episode of one chat, who listens, and who of them waits for it to grow."""

    def __init__(self, clock: Clock, added: Spread) -> None:
        self._clock = clock
        self._added = added  # between what comes and its being handed to those who wait
        self._came = 0.0
        self.episode: Episode | None = None
        self.before: Episode | None = None  # of the attempt before, until the new one counts
        self.listeners = 0
        self._waiting: set[Follower] = set()
        self._telling = False

    @contextmanager
    def waits(self, follower: Follower) -> Iterator[None]:
        """Tell `follower` when there is something new, for the length of a `with` block."""
        self._waiting.add(follower)
        try:
            yield
        finally:
            self._waiting.discard(follower)

    def wake(self) -> None:
        """Tell those who wait, once for all that comes in the same turn of the event loop.

        What a provider sends at once becomes one frame, and each who waits costs one call: no
        task is woken for it.
        """
        if self._waiting and not self._telling:
            self._telling = True
            self._came = self._clock.monotonic()
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        for follower in tuple(self._waiting):
            follower.grown()
        self._added.add(self._clock.monotonic() - self._came)


class Episodes:
    """All live output of this daemon."""

    def __init__(self, clock: Clock, metrics: Metrics | None = None) -> None:
        self._clock = clock
        self._added = (metrics or Metrics()).added
        self._by_chat: dict[str, Live] = {}
        self.begun = 0  # attempts since the start

    def current(self, chat_id: str) -> Episode | None:
        """Return the log of a chat's newest attempt, None when there is none any more."""
        live = self._by_chat.get(chat_id)
        return None if live is None else live.episode

    @contextmanager
    def listen(self, chat_id: str) -> Iterator[Live]:
        """Keep what there is of a chat, for the length of a `with` block."""
        live = self._by_chat.setdefault(chat_id, Live(self._clock, self._added))
        live.listeners += 1
        try:
            yield live
        finally:
            live.listeners -= 1
            self._drop_unused(chat_id, live)

    def begin(self, chat_id: str, key: str, model: str | None = None) -> Episode:
        """Open the log of a new attempt, before the attempt is visible to anybody."""
        live = self._by_chat.setdefault(chat_id, Live(self._clock, self._added))
        if live.episode is not None and live.episode.key != key:
            live.before = live.episode
        live.episode = Episode(key, model)
        self.begun += 1
        live.wake()
        return live.episode

    def counts(self, chat_id: str) -> None:
        """Say that the newest attempt is in the database: nothing can save the one before it."""
        live = self._by_chat.get(chat_id)
        if live is not None:
            live.before = None

    def of(self, chat_id: str, key: str) -> Episode | None:
        """Return the log of the attempt `key`, if it is the newest or the one before."""
        live = self._by_chat.get(chat_id)
        logs = () if live is None else (live.episode, live.before)
        return next((log for log in logs if log is not None and log.key == key), None)

    def wake(self, chat_id: str) -> None:
        """Tell the readers of a chat that its log grew."""
        live = self._by_chat.get(chat_id)
        if live is not None:
            live.wake()

    def end(self, chat_id: str, episode: Episode | None) -> None:
        """Seal the log of an attempt that is over, and drop it a while later.

        A newer one of the chat is not touched: a stale task ends its own.
        """
        if episode is None:
            return
        episode.seal()
        self._clock.call_later(LINGER_S, lambda: self._collect(chat_id, episode))

    def _collect(self, chat_id: str, episode: Episode) -> None:
        live = self._by_chat.get(chat_id)
        if live is None or live.episode is not episode:
            return
        live.episode = live.before = None
        self._drop_unused(chat_id, live)

    def _drop_unused(self, chat_id: str, live: Live) -> None:
        if not live.listeners and live.episode is None and self._by_chat.get(chat_id) is live:
            del self._by_chat[chat_id]

    @property
    def size(self) -> int:
        """Bytes of live output that are held: see `Episode.held`."""
        lives = self._by_chat.values()
        logs = (log for live in lives for log in (live.episode, live.before) if log is not None)
        return sum(log.held for log in logs)

    def __len__(self) -> int:
        return len(self._by_chat)
