"""The episodes that this daemon holds, by chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from palaver.clock import Clock
from palaverd.metrics import Metrics
from palaverd.stream.episode import Episode
from palaverd.stream.live import Live, Turn

# Seconds for which an ended episode is kept, for subscribers that are behind or reconnect.
LINGER_S = 15.0


class Episodes:
    """All live output of this daemon."""

    def __init__(self, clock: Clock, metrics: Metrics | None = None) -> None:
        self._clock = clock
        self._added = (metrics or Metrics()).added
        self._turn = Turn()
        self._by_chat: dict[str, Live] = {}
        self.begun = 0  # number of attempts since the start

    def current(self, chat_id: str) -> Episode | None:
        """Return the episode of a chat's newest attempt, None if there is none."""
        live = self._by_chat.get(chat_id)
        return None if live is None else live.episode

    @contextmanager
    def listen(self, chat_id: str) -> Iterator[Live]:
        """Keep a chat's entry within a `with` block."""
        live = self._by_chat.setdefault(chat_id, Live(self._clock, self._added, self._turn))
        live.listeners += 1
        try:
            yield live
        finally:
            live.listeners -= 1
            self._drop_unused(chat_id, live)

    def begin(self, chat_id: str, key: str, model: str | None = None) -> Episode:
        """Open the episode of a new attempt, before clients can see the attempt."""
        live = self._by_chat.setdefault(chat_id, Live(self._clock, self._added, self._turn))
        if live.episode is not None and live.episode.key != key:
            live.before = live.episode
        episode = Episode(key, model)
        live.show(episode)
        self.begun += 1
        return episode

    def counts(self, chat_id: str) -> None:
        """Record that the newest attempt is in the database, so that the previous one can go."""
        live = self._by_chat.get(chat_id)
        if live is not None:
            live.before = None

    def of(self, chat_id: str, key: str) -> Episode | None:
        """Return the episode `key`, if it is the newest or the previous one."""
        live = self._by_chat.get(chat_id)
        return None if live is None else live.log(key)

    def wake(self, chat_id: str) -> None:
        """Notify the followers of a chat."""
        live = self._by_chat.get(chat_id)
        if live is not None:
            live.wake()

    def end(self, chat_id: str, episode: Episode | None) -> None:
        """Seal the episode of an ended attempt, and drop it after `LINGER_S`.

        A newer episode of the chat is not affected: a stale task ends its own.
        """
        if episode is None:
            return
        episode.seal()
        self._clock.call_later(LINGER_S, lambda: self._collect(chat_id, episode))

    def _collect(self, chat_id: str, episode: Episode) -> None:
        live = self._by_chat.get(chat_id)
        if live is None or live.episode is not episode:
            return
        live.show(None)
        live.before = None
        self._drop_unused(chat_id, live)

    def _drop_unused(self, chat_id: str, live: Live) -> None:
        if not live.listeners and live.episode is None and self._by_chat.get(chat_id) is live:
            del self._by_chat[chat_id]

    @property
    def size(self) -> int:
        """Bytes of live output that are held; see `Episode.held`."""
        lives = self._by_chat.values()
        logs = (log for live in lives for log in (live.episode, live.before) if log is not None)
        return sum(log.held for log in logs)

    def __len__(self) -> int:
        return len(self._by_chat)
