"""The episodes that this daemon holds, by chat."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from palaver.clock import Clock
from palaverd.stream.episode import Episode

# An ended episode is kept for readers that have not caught up or that reconnect.
LINGER_S = 15.0


class Live:
    """The current episode of one chat and the readers that wait for it to grow."""

    def __init__(self) -> None:
        self.episode: Episode | None = None
        self.readers: set[asyncio.Event] = set()

    def wake(self) -> None:
        """Say that there is something new."""
        for event in self.readers:
            event.set()


class Episodes:
    """All live output of this daemon."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_chat: dict[str, Live] = {}

    def current(self, chat_id: str) -> Episode | None:
        """Return the log of a chat's newest attempt, None when there is none any more."""
        live = self._by_chat.get(chat_id)
        return None if live is None else live.episode

    @contextmanager
    def listen(self, chat_id: str, event: asyncio.Event) -> Iterator[Live]:
        """Set `event` whenever the log grows or is replaced, for the length of a `with` block."""
        live = self._by_chat.setdefault(chat_id, Live())
        live.readers.add(event)
        try:
            yield live
        finally:
            live.readers.discard(event)
            self._drop_unused(chat_id, live)

    def begin(self, chat_id: str, key: str, model: str | None = None) -> Episode:
        """Open the log of a new attempt, before the attempt is visible to anybody."""
        live = self._by_chat.setdefault(chat_id, Live())
        live.episode = Episode(key, model)
        live.wake()
        return live.episode

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
        live.episode = None
        self._drop_unused(chat_id, live)

    def _drop_unused(self, chat_id: str, live: Live) -> None:
        if not live.readers and live.episode is None and self._by_chat.get(chat_id) is live:
            del self._by_chat[chat_id]

    def __len__(self) -> int:
        return len(self._by_chat)
