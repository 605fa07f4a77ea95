"""A WebSocket stream that reconnects: the loop of `Client.stream` and `Client.watch`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import Generic, NoReturn, Protocol, TypeVar

import aiohttp

from palaver.client.backoff import Backoff
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.client.errors import Unreachable
from palaver.client.reasons import reason
from palaver.client.transport import HandshakeRefused, Transport
from palaver.client.websocket import WebSocket
from palaver.clock import Clock, wait_until
from palaver.stream.progress import GapError, Progress, step
from palaver.wire import decode
from palaver.wire.events import CaughtUp, Heartbeat, ListSnapshot, StreamEvent, WatchEvent

E = TypeVar("E")
# Requests the reason of a refused stream over HTTP, and raises it.
Refusal = Callable[[int], Awaitable[NoReturn]]
_log = logging.getLogger("palaver.client")

# Statuses that a retry does not change: the chat is gone, or access is denied.
FINAL = frozenset({401, 403, 404})
# Close code of a stream whose token has ended; over HTTP the daemon says why.
UNAUTHENTICATED = 4401


class Reader(Protocol[E]):
    """The state of one stream between connections."""

    def query(self) -> dict[str, str]:
        """Return the parameters that request what is missing."""

    def take(self, frame: bytes) -> list[E]:
        """Return the new events of a frame.

        Raises:
            MalformedError: the frame is not the daemon's protocol.
        """

    @property
    def beats(self) -> bool:
        """Whether the daemon sends heartbeats, which an older one does not."""

    @property
    def settled(self) -> bool:
        """Whether this connection has sent everything that was missed."""

    @property
    def gap(self) -> str | None:
        """What is missing on this connection, so that a new one is needed; None if nothing is."""


class ChatReader:
    """The reader of one chat's stream, with its progress."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.settled = self.beats = False
        self.gap: str | None = None
        self._gap_at: Progress | None = None

    def query(self) -> dict[str, str]:
        """Return the progress as parameters of a new connection."""
        self.settled, self.beats, self.gap = False, False, None
        return self.progress.query()

    def take(self, frame: bytes) -> list[StreamEvent]:
        """Return the new events of a frame, up to a gap."""
        news: list[StreamEvent] = []
        for event in _known(decode.stream_frame(frame)):
            if isinstance(event, Heartbeat):
                self.beats = True
                continue
            try:
                # A new connection with the same progress fills a gap. If it does not, the
                # daemon has lost that text, which the committed message will contain.
                jump = self._gap_at == self.progress
                self.progress, new = step(self.progress, event, jump=jump)
            except GapError as error:
                self._gap_at, self.gap = self.progress, str(error)
                break
            self.settled = self.settled or isinstance(event, CaughtUp)
            if new is not None:
                news.append(new)
        return news


class ListReader:
    """The reader of the chat list. It keeps nothing: every connection begins with a snapshot."""

    gap: None = None

    def __init__(self) -> None:
        self.settled = self.beats = False

    def query(self) -> dict[str, str]:
        """Return no parameters."""
        self.settled = self.beats = False
        return {}

    def take(self, frame: bytes) -> list[WatchEvent]:
        """Return the events of a frame."""
        known = _known(decode.watch_frame(frame))
        events = [event for event in known if not isinstance(event, Heartbeat)]
        self.beats = self.beats or len(events) < len(known)
        self.settled = self.settled or any(isinstance(event, ListSnapshot) for event in events)
        return events


def _known(decoded: decode.Decoded[list[E]]) -> list[E]:
    if decoded.skipped:
        _log.info("not understood: %s", ", ".join(decoded.skipped))
    return decoded.value


class Live(Generic[E]):
    """Follows one route, reconnecting until it is refused or closed."""

    def __init__(
        self,
        transport: Transport,
        path: str,
        reader: Reader[E],
        *,
        meet: Callable[[], Awaitable[object]],
        part: Callable[[], None],
        refusal: Refusal,
        clock: Clock,
        random: Random,
    ) -> None:
        self._transport = transport
        self._path = path
        self._reader = reader
        self._meet = meet
        self._part = part
        self._refusal = refusal
        self._clock = clock
        self._backoff = Backoff(random)
        self._closed = False
        self._wake = asyncio.Event()
        self._socket: WebSocket | None = None

    async def close(self) -> None:
        """End the iteration of `events`."""
        self._closed = True
        self._wake.set()
        if self._socket is not None:
            await self._socket.close()

    async def events(self) -> AsyncGenerator[list[E | Connected | ConnectionLost]]:
        """Yield the new events of each frame, and changes of the connection.

        Raises:
            Refused: the daemon refuses the route, finally.
            Incompatible: the daemon's version does not fit.
        """
        lost_at: datetime | None = None
        while not self._closed:
            try:
                await self._meet()
                self._socket = await self._transport.open_socket(self._path, self._reader.query())
                if self._closed:
                    return
                yield [Connected()]
                lost_at = None
                while (frame := await self._socket.frame()) is not None:
                    if news := self._take(frame, self._socket):
                        yield [*news]
                    if self._reader.gap is not None:
                        break
                lost_at = self._clock.now() - timedelta(seconds=self._socket.silent_for)
                if self._socket.close_code == UNAUTHENTICATED:
                    why = await self._why_refused(401)
                else:
                    why = _why_closed(self._socket, self._reader.gap)
            except Unreachable as error:
                why = error.reason
            except HandshakeRefused as error:
                why = await self._why_refused(error.status)
            except decode.MalformedError as error:
                why = f"the daemon sent something that is not its protocol ({error})"
            finally:
                await self._drop_socket()
            self._part()
            if self._closed:
                return
            lost_at = lost_at or self._clock.now()
            delay = self._backoff.next()
            yield [ConnectionLost(why, lost_at, delay)]
            await wait_until(lambda: self._closed, self._wake, self._clock, delay)

    def _take(self, frame: bytes, socket: WebSocket) -> list[E]:
        news = self._reader.take(frame)
        if self._reader.beats:
            socket.expect_heartbeats()
        if self._reader.settled:
            self._backoff.reset()
        return news

    async def _why_refused(self, status: int) -> str:
        if status in FINAL:
            try:
                await self._refusal(status)
            except Unreachable as error:
                return error.reason
        return f"the daemon answered with status {status}"

    async def _drop_socket(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()
            if socket.silent_for:
                await self._transport.abandon(socket)


def _why_closed(socket: WebSocket, gap: str | None) -> str:
    if gap is not None:
        return f"live output was missing ({gap})"
    match socket.exception():
        case aiohttp.ServerTimeoutError():
            return "nothing was heard of the daemon any more"
        case Exception() as error:
            return reason(error)
    match socket.close_code:
        case None | aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
            return "the connection was closed"
        case aiohttp.WSCloseCode.GOING_AWAY | aiohttp.WSCloseCode.SERVICE_RESTART:
            return "the daemon is going away"
        case code:
            return f"the daemon closed the connection (code {code})"
