"""The WebSocket endpoints: a chat's stream, and the chat list. Clients send nothing on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated

import msgspec
import structlog
from aiohttp import WSMsgType, hdrs, web
from msgspec import Meta

from palaver.stream.position import AT, EPISODE, READ, Position
from palaver.stream.progress import Progress
from palaver.wire.bounds import Whole
from palaver.wire.events import Heartbeat, ListSnapshot, StreamEvent, WatchEvent
from palaverd.api import limits
from palaverd.api.access import CALLER, GATE, owner_of
from palaverd.api.cursors import write_cursor
from palaverd.api.line import Line
from palaverd.api.open_sockets import SOCKETS
from palaverd.api.problems import BadRequest
from palaverd.api.pulse import Pulse, beating
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES, Services
from palaverd.logs.bugs import log_bug
from palaverd.stream.live import Push
from palaverd.stream.subscriber import Subscriber
from palaverd.stream.watch import ListWatcher, with_cursor

routes = Routes()
log = structlog.get_logger("palaverd.api")


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

    return await _serve(request, services, owner, frames, limits.CLOSE_FAILED)


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
        autoclose=False,
        autoping=False,
        max_msg_size=limits.INCOMING_FRAME_LIMIT,
        compress=False,
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
        line = Line(socket, request.transport, services.clock)
        with (
            sockets.ends_with(request[CALLER], line, request.app[GATE].is_over, services.clock),
            beating(line, services.clock) as pulse,
        ):
            writer = asyncio.create_task(
                _write(line, frames(line.sender.push), pulse, end_code, request.path)
            )
            line.written_by(writer)
            try:
                await _drain(line, pulse)
            finally:
                line.end()
                writer.cancel()
                await asyncio.wait({writer})
    finally:
        sockets.discard(owner, socket)
        services.touch()
    return socket


async def _drain(line: Line, pulse: Pulse) -> None:
    """Read until the client closes. It has nothing to say, but that it is there."""
    socket = line.socket
    while True:
        message = await socket.receive()
        pulse.heard()
        match message.type:
            case WSMsgType.PING:
                line.sender.pong(message.data)
            case WSMsgType.CLOSE:
                if not line.sender.closed:
                    # It may close the connection at once: what is unsent is not waited for.
                    await socket.close(drain=False)
                return
            case WSMsgType.CLOSING | WSMsgType.CLOSED | WSMsgType.ERROR:
                return
            case _:
                pass


async def _write(
    line: Line, frames: AsyncIterator[bytes], pulse: Pulse, end_code: int, path: str
) -> None:
    """Send frames as fast as the client reads them, until they end."""
    try:
        async with aclosing(frames):  # type: ignore[type-var]
            async for frame in frames:
                pulse.said(len(frame))
                await line.socket.send_frame(frame, WSMsgType.TEXT)
    except ConnectionError:  # aiohttp's, too
        return  # the client closed meanwhile
    except Exception as error:  # noqa: BLE001 - the client must not wait for what never comes
        await log_bug(log, "stream failed", error, path=path)
        end_code = limits.CLOSE_FAILED
    line.part(end_code, "")
