"""The client against a real server on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from client.protocol_server import (
    WHEN,
    ProtocolServer,
    answer,
    chat,
    cut,
    listen,
    protocol_server,
    refusal,
    say,
)
from palaver.client import (
    Client,
    Connected,
    ConnectionLost,
    Endpoint,
    PalaverError,
    Progress,
    Refused,
    Unreachable,
)
from palaver.client.limits import BACKOFF_MAX_S
from palaver.wire.chats import (
    ChatPage,
    CreateChat,
    Info,
    Interrupt,
    Interrupted,
    Models,
    SendMessage,
    Sent,
)
from palaver.wire.events import CaughtUp, ChatDeleted, ListSnapshot, MessagePartEvent
from palaver.wire.messages import MessagePage
from palaver.wire.queue import (
    Acted,
    ChangeChat,
    EditQueued,
    Promote,
    QueueAnswer,
    QueueOrder,
    Resume,
    SkipBackoff,
)
from support.clock import START, ManualClock, until

API = "/api/v1"


@pytest.fixture
async def server() -> AsyncIterator[ProtocolServer]:
    async with protocol_server() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(server: ProtocolServer, clock: ManualClock) -> AsyncIterator[Client]:
    async with Client(server.endpoint, clock=clock, random=Random(1)) as opened:
        yield opened


def part(text: str, offset: int) -> MessagePartEvent:
    return MessagePartEvent("3.1", 0, offset, "text", text)


# --- requests -------------------------------------------------------------------------------

SENT = Sent(chat=chat())
ACTED = Acted(chat(), changed=True)
QUEUE = QueueAnswer(chat(), [])
CALLS: list[tuple[str, str, Any, Any, dict[str, str], Any]] = [
    ("GET", f"{API}/info", Info("1", 2, WHEN, "/d", []), lambda c: c.info(), {}, None),
    ("GET", f"{API}/models", Models([]), lambda c: c.models(), {}, None),
    (
        "POST",
        f"{API}/chats",
        SENT,
        lambda c: c.create_chat(CreateChat("hello", model="m")),
        {},
        {"content": "hello", "model": "m"},
    ),
    (
        "GET",
        f"{API}/chats",
        ChatPage([chat()], "n"),
        lambda c: c.chats(limit=5, cursor="x y", archived=True, q="a&b"),
        {"limit": "5", "cursor": "x y", "archived": "true", "q": "a&b"},
        None,
    ),
    ("GET", f"{API}/chats/c1", chat(), lambda c: c.chat("c1"), {}, None),
    (
        "GET",
        f"{API}/chats/c1/messages",
        MessagePage([], more=False),
        lambda c: c.messages("c1", before_id=9, after_id=3, limit=2),
        {"limit": "2", "before_id": "9", "after_id": "3"},
        None,
    ),
    (
        "POST",
        f"{API}/chats/c1/messages",
        SENT,
        lambda c: c.send("c1", SendMessage("hi", when_busy="interrupt", turn_version=4)),
        {},
        {"content": "hi", "when_busy": "interrupt", "turn_version": 4},
    ),
    (
        "POST",
        f"{API}/chats/c1/interrupt",
        Interrupted(chat=chat(), changed=True),
        lambda c: c.interrupt("c1", Interrupt(4, hold_queue=True)),
        {},
        {"turn_version": 4, "hold_queue": True},
    ),
    (
        "PATCH",
        f"{API}/chats/c1",
        chat(),
        lambda c: c.change_chat("c1", ChangeChat(model="m")),
        {},
        {"model": "m"},
    ),
    (
        "POST",
        f"{API}/chats/c1/resume",
        ACTED,
        lambda c: c.resume("c1", Resume(4)),
        {},
        {"turn_version": 4},
    ),
    (
        "POST",
        f"{API}/chats/c1/skip-backoff",
        ACTED,
        lambda c: c.skip_backoff("c1", SkipBackoff(4, 5)),
        {},
        {"turn_version": 4, "retry_version": 5},
    ),
    (
        "PATCH",
        f"{API}/chats/c1/queue/7",
        QUEUE,
        lambda c: c.edit_queued("c1", 7, EditQueued("new")),
        {},
        {"content": "new"},
    ),
    ("DELETE", f"{API}/chats/c1/queue/7", QUEUE, lambda c: c.delete_queued("c1", 7), {}, None),
    (
        "POST",
        f"{API}/chats/c1/queue/7/promote",
        QUEUE,
        lambda c: c.promote("c1", 7, Promote(4)),
        {},
        {"turn_version": 4},
    ),
    (
        "PUT",
        f"{API}/chats/c1/queue/order",
        QUEUE,
        lambda c: c.reorder_queue("c1", QueueOrder([2, 1])),
        {},
        {"ids": [2, 1]},
    ),
    ("POST", f"{API}/chats/c1/queue/hold", QUEUE, lambda c: c.hold_queue("c1"), {}, None),
    ("POST", f"{API}/chats/c1/queue/release", QUEUE, lambda c: c.release_queue("c1"), {}, None),
]


@pytest.mark.parametrize(("method", "path", "value", "call", "query", "body"), CALLS)
async def test_each_method_sends_the_documented_request(
    server: ProtocolServer,
    client: Client,
    method: str,
    path: str,
    value: Any,
    call: Any,
    query: dict[str, str],
    body: Any,
) -> None:
    async def route(_: web.Request) -> web.Response:
        return answer(value, 201 if method == "POST" else 200)

    server.routes[method, path] = route
    assert await call(client) == value
    assert [(r[0], r[1], r[2], r[4]) for r in server.requests] == [(method, path, query, body)]


async def test_a_key_is_sent_as_the_idempotency_key_header(
    server: ProtocolServer, client: Client
) -> None:
    async def route(_: web.Request) -> web.Response:
        return answer(SENT, 201)

    server.routes["POST", f"{API}/chats"] = route
    await client.create_chat(CreateChat("hello"), key="k1")
    await client.create_chat(CreateChat("hello"))
    assert [request[3].get("Idempotency-Key") for request in server.requests] == ["k1", None]


async def test_health_needs_no_body(server: ProtocolServer, client: Client) -> None:
    async def route(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    server.routes["GET", "/healthz"] = route
    await client.health()


async def test_problem_details_become_a_refusal(server: ProtocolServer, client: Client) -> None:
    with pytest.raises(Refused, match="There is nothing at") as caught:
        await client.chat("nope")
    assert (caught.value.problem.status, caught.value.problem.code) == (404, "not_found")


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html"),
        lambda: web.Response(status=200, text="<html>Log in</html>", content_type="text/html"),
        lambda: web.Response(status=302, headers={"Location": "http://elsewhere.invalid/"}),
        lambda: web.Response(status=400, text="{", content_type="application/problem+json"),
        lambda: web.Response(status=200, text="{}", content_type="application/json"),
    ],
)
async def test_what_is_not_a_daemon_is_named_in_a_sentence(
    server: ProtocolServer, client: Client, response: Callable[[], web.Response]
) -> None:
    async def route(_: web.Request) -> web.Response:
        return response()

    server.routes["GET", f"{API}/info"] = route
    with pytest.raises(PalaverError, match="is not palaverd"):
        await client.info()


async def test_a_chat_id_cannot_leave_its_route(server: ProtocolServer, client: Client) -> None:
    with pytest.raises(Refused):
        await client.chat("../models?x=#y")
    assert server.requests[0][1] == f"{API}/chats/../models?x=#y"
    for nothing in ("", ".", ".."):
        with pytest.raises(PalaverError, match="There is no chat"):
            await client.chat(nothing)


async def test_no_daemon_is_unreachable() -> None:
    endpoint = Endpoint.unix(Path("/nonexistent/s"))
    async with Client(endpoint) as client:
        with pytest.raises(Unreachable, match=r"/nonexistent/s: no daemon is running there\.$"):
            await client.info()


async def test_a_daemon_that_hangs_up_is_unreachable(
    server: ProtocolServer, client: Client
) -> None:
    async def route(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.routes["GET", f"{API}/info"] = route
    with pytest.raises(Unreachable, match="the connection was closed"):
        await client.info()


async def test_a_daemon_that_does_not_answer_in_time_is_unreachable(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def route(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    server.routes["GET", f"{API}/info"] = route
    asking = asyncio.create_task(client.info())
    await until(lambda: server.requests)
    clock.advance(30)
    with pytest.raises(Unreachable, match="no answer in 30 s"):
        await asking


def backing_off(clock: ManualClock) -> bool:
    """Return whether a stream waits for its next attempt (a request's deadline is longer)."""
    return bool(clock.waits()) and clock.waits()[0] <= BACKOFF_MAX_S


# --- streams --------------------------------------------------------------------------------


class Following:
    """Reads a stream in a task, so that a test can look at what has come so far."""

    def __init__(self, stream: Any) -> None:
        self.items: list[Any] = []
        self._stream = stream
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with aclosing(self._stream) as stream:
            async for batch in stream:
                self.items.extend(batch)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_a_stream_reconnects_with_its_position(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def first(socket: web.WebSocketResponse) -> None:
        await say(socket, CaughtUp(4))
        await say(socket, part("hel", 0))
        await socket.close(code=1001)

    async def second(socket: web.WebSocketResponse) -> None:
        await say(socket, part("llo", 2), CaughtUp(5))
        await listen(socket)

    server.conversations += [first, second]
    following = Following(client.stream("c1"))
    await until(lambda: backing_off(clock))
    lost = following.items[-1]
    assert isinstance(lost, ConnectionLost)
    assert (lost.reason, lost.since) == ("the daemon is going away", START)
    assert 0.25 <= lost.retry_in <= 0.5
    assert clock.waits() == [lost.retry_in]
    clock.advance(lost.retry_in)
    await until(lambda: CaughtUp(5) in following.items)
    assert following.items == [
        Connected(),
        CaughtUp(4),
        part("hel", 0),
        lost,
        Connected(),
        part("lo", 3),
        CaughtUp(5),
    ]
    assert server.requests[0][2] == {}
    assert server.requests[1][2] == {"since": "4", "episode": "3.1", "at": "0.3", "read": "3"}
    await following.stop()


async def test_a_stream_begins_where_it_is_told(server: ProtocolServer, client: Client) -> None:
    server.conversations.append(listen)
    following = Following(client.stream("c1", progress=Progress(since=9)))
    await until(lambda: following.items)
    assert server.requests[0][1:3] == (f"{API}/chats/c1/stream", {"since": "9"})
    await following.stop()


async def test_waits_grow_to_ten_seconds_and_begin_anew_once_caught_up(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def route(_: web.Request) -> web.Response:
        return web.Response(status=503)

    async def good(socket: web.WebSocketResponse) -> None:
        await say(socket, CaughtUp(4))
        await cut(socket)

    path = f"{API}/chats/c1/stream"
    server.routes["GET", path] = route
    following = Following(client.stream("c1"))
    longest = [0.5, 1, 2, 4, 8, 10, 10]
    for bound in longest:
        await until(lambda: backing_off(clock))
        (wait,) = clock.waits()
        assert bound / 2 <= wait <= bound
        clock.advance(wait)
    await until(lambda: backing_off(clock))
    losses = [item for item in following.items if isinstance(item, ConnectionLost)]
    assert {loss.since for loss in losses} == {START}
    del server.routes["GET", path]
    server.conversations.append(good)
    clock.advance(10)
    await until(lambda: CaughtUp(4) in following.items and backing_off(clock))
    assert clock.waits()[0] <= 0.5
    await following.stop()


async def test_a_gap_is_asked_for_again_and_jumped_when_it_stays(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def gap(socket: web.WebSocketResponse) -> None:
        await say(socket, part("ab", 0), part("ef", 4))
        await listen(socket)

    async def still(socket: web.WebSocketResponse) -> None:
        await say(socket, part("ef", 4))
        await listen(socket)

    server.conversations += [gap, still]
    following = Following(client.stream("c1"))
    await until(lambda: backing_off(clock))
    assert following.items[1] == part("ab", 0)
    assert "live output was missing" in following.items[-1].reason
    clock.advance(1)
    await until(lambda: part("ef", 4) in following.items)
    assert server.requests[1][2] == {"episode": "3.1", "at": "0.2", "read": "2"}
    await following.stop()


async def test_noise_on_the_socket_is_a_lost_connection(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def noise(socket: web.WebSocketResponse) -> None:
        await socket.send_str("{not json")
        await listen(socket)

    server.conversations.append(noise)
    following = Following(client.stream("c1"))
    await until(lambda: backing_off(clock))
    assert "not its protocol" in following.items[-1].reason
    await following.stop()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_stream_ends_with_what_the_daemon_says(
    server: ProtocolServer, client: Client, status: int
) -> None:
    async def route(_: web.Request) -> web.Response:
        return refusal(status, "no", "This chat is not for you.")

    server.routes["GET", f"{API}/chats/c1/stream"] = route
    server.routes["GET", f"{API}/chats/c1"] = route
    following = Following(client.stream("c1"))
    with pytest.raises(Refused, match="not for you"):
        await following.task


async def test_a_daemon_that_vanishes_while_refusing_is_a_lost_connection(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def vanish(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.routes["GET", f"{API}/chats/c1"] = vanish
    following = Following(client.stream("c1"))
    await until(lambda: backing_off(clock))
    assert following.items[-1].reason == "the connection was closed"
    await following.stop()


async def test_closing_the_client_ends_a_stream_that_reads(
    server: ProtocolServer, client: Client
) -> None:
    server.conversations.append(listen)
    following = Following(client.stream("c1"))
    await until(lambda: following.items)
    await client.close()
    await following.task
    assert following.items == [Connected()]


async def test_closing_the_client_ends_a_stream_that_waits(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    await server.stop()
    following = Following(client.stream("c1"))
    await until(lambda: backing_off(clock))
    await client.close()
    await following.task
    assert clock.waits() == []


async def test_watching_brings_the_list_again_after_each_connection(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    async def first(socket: web.WebSocketResponse) -> None:
        await say(socket, ListSnapshot([chat()]))
        await say(socket, {"type": "moved"}, ChatDeleted("c1"))
        await cut(socket)

    async def second(socket: web.WebSocketResponse) -> None:
        await say(socket, ListSnapshot([]))
        await listen(socket)

    server.conversations += [first, second]
    following = Following(client.watch())
    await until(lambda: backing_off(clock))
    clock.advance(1)
    await until(lambda: ListSnapshot([]) in following.items)
    kinds = [type(item).__name__ for item in following.items]
    assert kinds == [
        "Connected",
        "ListSnapshot",
        "ChatDeleted",
        "ConnectionLost",
        "Connected",
        "ListSnapshot",
    ]
    await following.stop()


async def test_a_token_is_sent_and_never_shown() -> None:
    endpoint = Endpoint("https://box.invalid", token="secret")
    assert "secret" not in f"{endpoint} {endpoint!r}"
