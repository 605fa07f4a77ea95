"""A subscriber of one chat: reads the database after each hint, and sends what changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack

import msgspec

from palaver.clock import Clock
from palaver.stream.position import Position
from palaver.stream.progress import Progress
from palaver.wire.events import CaughtUp, ErrorEvent, Incomplete, StreamEvent
from palaverd.chatstate.errors import ChatNotFound
from palaverd.pubsub.local import LocalHub, Subscription
from palaverd.store.database import DatabaseError
from palaverd.store.rows import ChatRow
from palaverd.store.sync import Changes, row_alone
from palaverd.stream.changes import events_for, shown_episode
from palaverd.stream.episode import Cursor, Episode, frame
from palaverd.stream.failed_reads import READ_RETRY_S, read_failed
from palaverd.stream.live import Live, Push
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import Episodes

FRAME_LIMIT = 1024 * 1024  # bytes in one frame; a slow reader gets the rest in the next ones

_encode = msgspec.json.Encoder().encode


class Subscriber:
    """Keeps one client up to date about one chat. Iterate `frames` within a `with` block.

    It receives hints from the beginning of the block, so that nothing is missed between the first
    read and the first frame: a change in between is seen twice.
    """

    def __init__(
        self,
        chat_id: str,
        start: Progress,
        hub: LocalHub,
        episodes: Episodes,
        reader: ChangeReader,
        clock: Clock,
    ) -> None:
        self._chat_id = chat_id
        self._hub = hub
        self._episodes = episodes
        self._reader = reader
        self._clock = clock
        self._since = start.since
        self._row: ChatRow | None = None
        self.cursor = Cursor(start.at)
        self._resumed = start.at  # until it is known whether the log is there
        # The cursor's log. While a reader is in it, it does not go.
        self._log: Episode | None = None
        self._wanted = 0
        self._committed: ChatRow | None = None  # of the newest hint
        self._wake = asyncio.Event()
        self._hints = Subscription(self._wake)  # not subscribed before the `with` block
        self._owner: str | None = None
        self._first: Changes | DatabaseError | None = None  # the outcome of `check`
        self._failed = False  # a read, which the client was told
        self._caught_up = False  # the client was told that it has everything
        self._receiving = ExitStack()
        self._live: Live | None = None
        self.push: Push | None = None

    def __enter__(self) -> Subscriber:
        with ExitStack() as opened:
            self._live = opened.enter_context(self._episodes.listen(self._chat_id))
            self._hints = opened.enter_context(self._hub.chat(self._chat_id, self._wake))
            self._receiving = opened.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._receiving.close()

    async def check(self, owner: str) -> None:
        """Check that the chat is the owner's, with the read that the first frame needs.

        If the read fails, the client is told so in the stream, and it is repeated.

        Raises:
            ChatNotFound: this owner has no such chat.
        """
        self._owner = owner
        try:
            self._first = await self._read(self._since, self._wanted)
        except DatabaseError as error:
            self._first = error

    async def frames(self, push: Push | None = None) -> AsyncGenerator[bytes]:
        """Yield frames, each a JSON array of events, until the chat is deleted or not the owner's.

        Nothing is read or encoded while the consumer is busy with a frame. While the consumer waits
        for one, live output goes out through `push`, if it is given and does not refuse.
        """
        self.push = push
        live = self._live
        assert live is not None, "used outside its `with` block"
        while not self._note():
            if self._row is None or self._wanted > self._row.snapshot_version:
                try:
                    synced = await self._sync()
                except ChatNotFound:
                    return
                except DatabaseError as error:
                    self._failed = True
                    yield frame([_encode(ErrorEvent(error=read_failed(error)))])
                    await self._clock.sleep(READ_RETRY_S)
                    continue
                yield synced
            elif parts := self._next_parts(live):
                yield frame(parts)
            elif not self._caught_up:
                self._caught_up = True
                yield frame([_encode(CaughtUp(self._since or 0))])
            else:
                with live.waits(self):
                    await self._wake.wait()
                self._wake.clear()

    def wake(self) -> None:
        """Have the loop of `frames` look for more."""
        self._wake.set()

    def _note(self) -> bool:
        """Keep the newest snapshot version of the hints. Return True if the chat was deleted."""
        for hint in self._hints.take():
            if hint.deleted:
                return True
            if hint.snapshot_version >= self._wanted:
                self._wanted, self._committed = hint.snapshot_version, hint.row
        return False

    async def _read(self, since: int | None, at_least: int) -> Changes:
        """Return the changes after `since`; see `ChangeReader.read`.

        Raises:
            ChatNotFound: the owner has no such chat.
            DatabaseError: the read failed.
        """
        changes = await self._reader.read(self._chat_id, since, at_least)
        if changes.row.owner != self._owner:
            raise ChatNotFound(self._chat_id)
        return changes

    async def _sync(self) -> bytes:
        """Return the frame with what changed; with `caught_up` at its end, unless more follows."""
        since, before, episode, failed = self._since, self._row, self.cursor.episode, self._failed
        changes = self._known() or await self._read(since, self._wanted)
        if since is not None and since > changes.row.snapshot_version:
            changes = await self._read(None, 0)
        snapshot = changes.row.snapshot_version
        self._row, self._since, self._failed = changes.row, snapshot, False
        further = self._turn_to(shown_episode(changes.row))
        caught_up = self._caught_up = (
            self._caught_up or self._log is None or self._log.is_at_end(self.cursor)
        )

        def make() -> bytes:
            events = events_for(changes, before, since, episode, failed=failed) + further
            if caught_up:
                events.append(CaughtUp(snapshot))
            return frame([_encode(event) for event in events])

        if further:  # for this client alone
            return make()
        had = None if before is None else before.snapshot_version
        key = (self._chat_id, since, had, snapshot, episode, failed, caught_up)
        return self._reader.frame(key, make)

    def _turn_to(self, episode: str | None) -> list[StreamEvent]:
        """Follow the log of `episode` from now on; return what the client must know about it."""
        assert self._live is not None
        resumed, self._resumed = self._resumed, None
        if episode != self.cursor.episode:
            self.cursor = Cursor(None if episode is None else Position(episode))
            self._log = None
        self._log = self._live.log(episode) or self._log
        if resumed is None or resumed.episode != episode or not any(resumed.read):
            return []
        if self._log is not None and self._log.has(resumed):
            return []
        self.cursor = Cursor(Position(resumed.episode))
        return [Incomplete(resumed.episode)]

    def _known(self) -> Changes | None:
        """Return the changes if `check` read them or a hint has them; None if they must be read.

        Raises:
            DatabaseError: the read of `check` failed.
        """
        first, self._first = self._first, None
        if isinstance(first, DatabaseError):
            raise first
        if first is not None:
            return first
        if self._row is None or self._committed is None:
            return None
        return row_alone(self._committed, self._since)

    def _next_parts(self, live: Live) -> list[bytes]:
        """Return what the log holds after the cursor, at most one frame of it."""
        log = self._log = live.log(self.cursor.episode) or self._log
        if log is None:
            return []
        merged = self.cursor.entry is None
        taken = log.read(self.cursor, FRAME_LIMIT)
        if not taken and merged:
            # All merged text was sent; there may be entries after it.
            taken = log.read(self.cursor, FRAME_LIMIT)
        return taken
