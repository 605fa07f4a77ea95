"""The WebSocket endpoints: a chat's stream, and the chat list. Clients send nothing on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Annotated

import msgspec
import structlog
from aiohttp import ClientConnectionResetError, WSMsgType, hdrs, web
from msgspec import Meta

from palaver.clock import Clock, deadline
from palaver.stream.position import AT, EPISODE, READ, Position
from palaver.stream.progress import Progress
from palaver.wire.bounds import Whole
from palaver.wire.events import Heartbeat, ListSnapshot, StreamEvent, WatchEvent
from palaverd.api import limits
from palaverd.api.access import CALLER, GATE, Caller, owner_of
from palaverd.api.cursors import write_cursor
from palaverd.api.problems import BadRequest
from palaverd.api.pulse import Pulse, beating
from palaverd.api.push import Sender
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES, Services
from palaverd.logs.bugs import log_bug
from palaverd.store.codec import to_ms
from palaverd.store.database import DatabaseError
from palaverd.stream.live import Push
from palaverd.stream.subscriber import Subscriber
from palaverd.stream.watch import ListWatcher, with_cursor

routes = Routes()
log = structlog.get_logger("palaverd.api")


class OpenSockets:
    """The open sockets: to close them at a shutdown, and to limit them to `most` per owner."""

    def __init__(self, most: int = limits.STREAMS_PER_OWNER) -> None:
        self._most = most
        self._by_owner: dict[str, set[web.WebSocketResponse]] = {}
        self._by_token: dict[str, dict[web.WebSocketResponse, asyncio.Transport | None]] = {}
        self._goodbyes: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(each) for each in self._by_owner.values())

    def add(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Register a socket.

        Raises:
            BadRequest: the owner has `most` already.
        """
        held = self._by_owner.setdefault(owner, set())
        if len(held) >= self._most:
            raise BadRequest(
                f"{self._most} streams are open already; close some.",
                code="too_many_streams",
                status=429,
            )
        held.add(socket)

    def discard(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Remove a socket."""
        held = self._by_owner.get(owner, set())
        held.discard(socket)
        if not held:
            self._by_owner.pop(owner, None)

    @contextmanager
    def ends_with(
        self,
        caller: Caller,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        is_over: Callable[[str], object],
        clock: Clock,
    ) -> Iterator[None]:
        """Close a socket when its caller's token expires or is revoked, while the block runs."""
        token = caller.token_id
        if token is None:
            yield
            return
        self._by_token.setdefault(token, {})[socket] = transport
        timer = None
        if is_over(token):  # revoked between the request's admission and now
            self._turn_out(token, socket, clock)
        elif caller.expires_at is not None:
            left = max(0, caller.expires_at - to_ms(clock.now())) / 1000
            timer = clock.call_later(left, lambda: self._turn_out(token, socket, clock))
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            held = self._by_token.get(token, {})
            held.pop(socket, None)
            if not held:
                self._by_token.pop(token, None)

    def turn_out(self, is_over: Callable[[str], object], clock: Clock) -> None:
        """Close the sockets of every token that is no longer valid."""
        for token in [token for token in self._by_token if is_over(token)]:
            for socket in list(self._by_token[token]):
                self._turn_out(token, socket, clock)

    def _turn_out(self, token: str, socket: web.WebSocketResponse, clock: Clock) -> None:
        transport = self._by_token.get(token, {}).get(socket)
        task = asyncio.create_task(
            _shut(socket, transport, clock, limits.CLOSE_NOT_LET_IN, b"the token is over")
        )
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    async def close_all(self, clock: Clock) -> None:
        """Close every socket with a code after which clients reconnect at once.

        A client that does not read is not waited for: its connection ends with the process.
        """
        sockets = [socket for each in self._by_owner.values() for socket in each]
        goodbyes = asyncio.gather(
            *(
                socket.close(code=limits.CLOSE_GOING_AWAY, message=b"going away; reconnect")
                for socket in sockets
            ),
            return_exceptions=True,
        )
        try:
            async with deadline(clock, limits.GOODBYE_S):
                await goodbyes
        except TimeoutError:
            log.warning("clients not told", sockets=len(self))


async def _shut(
    socket: web.WebSocketResponse,
    transport: asyncio.Transport | None,
    clock: Clock,
    code: int,
    why: bytes,
) -> None:
    """Close a socket soon, whether or not its client reads the close frame."""
    with suppress(TimeoutError):
        async with deadline(clock, limits.GOODBYE_S):
            await socket.close(code=code, message=why)
    # The client does not read. aiohttp would wait until it has read what is buffered.
    if transport is not None and transport.get_write_buffer_size() > 0:
        transport.abort()


SOCKETS = web.AppKey("sockets", OpenSockets)


class Follow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the client has: nothing by default.

    `since` is the snapshot up to which it has all. `episode` (`<history>.<attempt>`) and `read`
    (the number of code points of each block, separated by dots) are its position in the live
    output. `at` (`<block>.<offset>`) is for clients that know only one block; `read` counts.
    """

    since: Whole | None = None
    episode: Annotated[str, Meta(extra_json_schema={"pattern": EPISODE})] | None = None
    at: Annotated[str, Meta(extra_json_schema={"pattern": AT})] | None = None
    read: Annotated[str, Meta(extra_json_schema={"pattern": READ})] | None = None


@routes.get(
    "/api/v1/chats/{chat_id}/stream",
    scope="read",
    statuses=(101,),
    events=StreamEvent | Heartbeat,
)
async def stream_chat(request: web.Request, chat_id: str, query: Follow) -> web.StreamResponse:
    """Stream a chat: what the client has missed, then live events."""
    services, owner = request.app[SERVICES], owner_of(request)
    start = _start(query)
    with Subscriber(
        chat_id, start, services.hub, services.episodes, services.reader, services.clock
    ) as subscriber:
        await subscriber.check(owner)
        return await _serve(request, services, owner, subscriber.frames, limits.CLOSE_CHAT_GONE)


@routes.get("/api/v1/watch", scope="read", statuses=(101,), events=WatchEvent | Heartbeat)
async def watch_chats(request: web.Request) -> web.StreamResponse:
    """Stream the chat list: a snapshot, then its changes."""
    services, owner = request.app[SERVICES], owner_of(request)
    watcher = ListWatcher(
        owner,
        services.hub,
        services.database,
        services.clock,
        page=limits.WATCH_PAGE,
        interval=limits.WATCH_INTERVAL_S,
    )

    def frames(_push: Push) -> AsyncIterator[bytes]:
        return _list_frames(watcher)

    return await _serve(request, services, owner, frames, limits.CLOSE_TRY_AGAIN)


async def _list_frames(watcher: ListWatcher) -> AsyncIterator[bytes]:
    async for events, cursor in watcher.events():
        written = [
            with_cursor(event, write_cursor(cursor)) if isinstance(event, ListSnapshot) else event
            for event in events
        ]
        yield msgspec.json.encode(written)


def _start(query: Follow) -> Progress:
    """Return the client's progress.

    Raises:
        BadRequest: the position is invalid.
    """
    try:
        return Progress(query.since, Position.parse(query.episode, query.at, query.read))
    except ValueError as error:
        raise BadRequest(str(error), field="episode") from None


async def _serve(
    request: web.Request,
    services: Services,
    owner: str,
    frames: Callable[[Push], AsyncIterator[bytes]],
    end_code: int,
) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        heartbeat=limits.PING_S, max_msg_size=limits.INCOMING_FRAME_LIMIT, compress=False
    )
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise BadRequest(
            "This is a WebSocket: it is opened with the header Upgrade: websocket.",
            code="upgrade_required",
            status=426,
            headers={hdrs.UPGRADE: "websocket", hdrs.CONNECTION: "Upgrade"},  # RFC 9110, 15.5.22
        )
    sockets = request.app[SOCKETS]
    sockets.add(owner, socket)
    services.touch()
    try:
        try:
            await socket.prepare(request)
        except ValueError:  # from aiohttp, which can neither decode nor quote such a header
            raise BadRequest("A header of the handshake is not ASCII.") from None
        sender = Sender(socket, request.transport)
        with (
            sockets.ends_with(
                request[CALLER],
                socket,
                request.transport,
                request.app[GATE].is_over,
                services.clock,
            ),
            beating(sender, services.clock) as pulse,
        ):
            writer = asyncio.create_task(
                _write(
                    socket,
                    request.transport,
                    frames(sender.push),
                    services.clock,
                    pulse,
                    end_code,
                )
            )
            try:
                await _drain(socket)
            finally:
                writer.cancel()
                await asyncio.wait({writer})
        if not writer.cancelled() and (error := writer.exception()) is not None:
            await log_bug(log, "stream failed", error, path=request.path)
    finally:
        sockets.discard(owner, socket)
        services.touch()
    return socket


async def _drain(socket: web.WebSocketResponse) -> None:
    """Read until the client closes; messages of clients are ignored."""
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            break


def _is_sent_at_once(transport: asyncio.Transport | None, frame: bytes) -> bool:
    """Return whether sending cannot block on the client: nothing is buffered."""
    return (
        transport is not None
        and len(frame) <= limits.PROMPT_FRAME
        and transport.get_write_buffer_size() == 0
    )


async def _write(
    socket: web.WebSocketResponse,
    transport: asyncio.Transport | None,
    frames: AsyncIterator[bytes],
    clock: Clock,
    pulse: Pulse,
    end_code: int,
) -> None:
    """Send frames as fast as the client reads them; close a client that reads nothing."""
    async with aclosing(frames):  # type: ignore[type-var]
        try:
            async for frame in frames:
                pulse.said()
                if _is_sent_at_once(transport, frame):
                    # A deadline costs more than the send, and could not pass here.
                    await socket.send_frame(frame, WSMsgType.TEXT)
                    continue
                async with deadline(clock, limits.SEND_STALL_S):
                    await socket.send_frame(frame, WSMsgType.TEXT)
        except TimeoutError:
            # No close frame: it would queue behind what the client has not read. And waiting for
            # that in aiohttp again would raise a cancellation: it shares the wait that timed out.
            if transport is not None:
                transport.abort()
            return
        except ClientConnectionResetError:
            return  # the client closed meanwhile
        except DatabaseError as error:
            log.warning("stream closed", error=error.sentence)
            await socket.close(code=limits.CLOSE_TRY_AGAIN, message=error.sentence.encode()[:120])
            return
    await socket.close(code=end_code)
