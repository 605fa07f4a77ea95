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
        self._readers: set[asyncio.Event] = set()

    @contextmanager
    def listen(self, event: asyncio.Event) -> Iterator[None]:
        """Set `event` whenever the log grows or is replaced, for the length of a `with` block."""
        self._readers.add(event)
        try:
            yield
        finally:
            self._readers.discard(event)

    def wake(self) -> None:
        """Say that there is something new."""
        for event in self._readers:
            event.set()

    @property
    def idle(self) -> bool:
        """Whether nobody writes and nobody reads."""
        return not self._readers and (self.episode is None or self.episode.sealed)


class Episodes:
    """All live output of this daemon."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_chat: dict[str, Live] = {}

    def of(self, chat_id: str) -> Live:
        """Return the live output of a chat, made when it is first asked for."""
        return self._by_chat.setdefault(chat_id, Live())

    def begin(self, chat_id: str, key: str, model: str | None = None) -> Episode:
        """Open the log of a new attempt, before the attempt is visible to anybody."""
        live = self.of(chat_id)
        live.episode = Episode(key, model)
        live.wake()
        return live.episode

    def end(self, chat_id: str) -> None:
        """Seal the log of a chat and drop it a while later, unless a new one came."""
        live = self._by_chat.get(chat_id)
        if live is None:
            return
        if live.episode is not None:
            live.episode.seal()
        self._clock.call_later(LINGER_S, lambda: self._collect(chat_id, live.episode))

    def _collect(self, chat_id: str, episode: Episode | None) -> None:
        live = self._by_chat.get(chat_id)
        if live is None or live.episode is not episode:
            return
        if live.idle:
            del self._by_chat[chat_id]
        else:
            live.episode = None

    def __len__(self) -> int:
        return len(self._by_chat)
