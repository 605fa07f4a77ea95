"""The live output of one chat, and the subscribers that wait for more of it.

Most have everything and wait: they are in step. These share one cursor and the bytes of each frame,
so that each of them costs one call for an event. The others read the log at their own pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from palaver.clock import Clock
from palaverd.metrics import Spread
from palaverd.stream.episode import Cursor, Episode

# Sends a frame, at a time of the monotonic clock, if that cannot block on the client; else returns
# False. On the event loop; it must not block, nor start or end a wait.
Push = Callable[[bytes, float], bool]


class Follower(Protocol):
    """A subscriber that waits for more.

    `cursor` is its place, set when it is no longer in step; `push` is None if it reads itself.
    """

    cursor: Cursor
    push: Push | None

    def wake(self) -> None:
        """End the wait soon."""


class Turn:
    """Calls at the end of a turn of the event loop, all in one callback.

    With a thousand chats that stream, a callback for each took a seventh of the daemon's time.
    """

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

    def add(self, call: Callable[[], None]) -> None:
        """Make `call` soon, once."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._run)
        self._due.append(call)

    def _run(self) -> None:
        due, self._due = self._due, []
        for call in due:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - as the event loop does for each callback
                context = {"message": f"Exception in callback {call!r}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


class Live:
    """The current episode of one chat, its listeners, and its waiting followers."""

    def __init__(self, clock: Clock, added: Spread, turn: Turn) -> None:
        self._clock = clock
        self._turn = turn
        self._added = added  # the latency from a delta to its followers
        self._came = 0.0
        self.episode: Episode | None = None
        self.before: Episode | None = None  # of the previous attempt, until the new one is recorded
        self.listeners = 0
        self._head = Cursor()  # the place of all that are in step
        self._in_step: dict[Follower, Push] = {}
        self._others: set[Follower] = set()
        self._telling = False

    def show(self, episode: Episode | None) -> None:
        """Replace the episode, and wake the followers."""
        self._fall_behind(tuple(self._in_step))
        self.episode = episode
        self.wake()

    def log(self, key: str | None) -> Episode | None:
        """Return the episode `key`, if it is the newest or the previous one."""
        logs = (self.episode, self.before)
        return next((log for log in logs if log is not None and log.key == key), None)

    @contextmanager
    def waits(self, follower: Follower) -> Iterator[None]:
        """Send new output to `follower` within a `with` block, or wake it for that."""
        self._join(follower)
        try:
            yield
        finally:
            self._others.discard(follower)
            if self._in_step.pop(follower, None) is not None:
                follower.cursor = self._head.copy()

    def wake(self) -> None:
        """Tell the followers, once for everything that arrives in one turn of the event loop.

        Deltas that a provider sends together become one frame, and each follower costs one call: no
        task is woken.
        """
        if (self._in_step or self._others) and not self._telling:
            self._telling = True
            self._came = self._clock.monotonic()
            self._turn.add(self._tell)

    def _join(self, follower: Follower) -> None:
        episode, cursor, push = self.episode, follower.cursor, follower.push
        if push is None or episode is None or not episode.is_at_end(cursor):
            self._others.add(follower)
            return
        # It has what the others in step are about to be told in this turn.
        self._send()
        if not self._in_step:
            self._head = cursor.copy()
        self._in_step[follower] = push

    def _tell(self) -> None:
        self._telling = False
        self._send()
        if self._others:
            for follower in tuple(self._others):
                follower.wake()
        self._added.add(self._clock.monotonic() - self._came)

    def _send(self) -> None:
        """Send what is new to those in step, as one frame."""
        episode = self.episode
        if episode is None or not self._in_step:
            return
        frame = episode.newest(self._head)
        if frame is None:
            self._fall_behind(tuple(self._in_step))
            return
        if not frame:
            return
        now = self._came
        if full := [each for each, push in self._in_step.items() if not push(frame, now)]:
            self._fall_behind(full)
        episode.passed(self._head)

    def _fall_behind(self, followers: Iterable[Follower]) -> None:
        """Have followers read by themselves, from the place of those in step, when woken next."""
        for follower in followers:
            del self._in_step[follower]
            follower.cursor = self._head.copy()
            self._others.add(follower)
