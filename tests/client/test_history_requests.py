"""The requests about history, families and open calls, against a server that records them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from client.protocol_server import ProtocolServer, answer, chat, protocol_server
from palaver.client import Client
from palaver.wire.actions import (
    Answered,
    Answers,
    CallAnswer,
    ClearContext,
    Edited,
    EditMessage,
    Fork,
)
from palaver.wire.chats import Sent
from palaver.wire.queue import Acted, ChangeChat, QueueAnswer, Resume

CHAT = "/api/v1/chats/c1"
ACTED = Acted(chat=chat(), changed=True)
EDITED = Edited(chat=chat(), message=None)
ANSWERED = Answered(chat=chat(), open_calls=["b"])
QUEUE = QueueAnswer(chat=chat(), queue=[])
SENT = Sent(chat=chat())
ANSWERS = Answers(4, [CallAnswer("a", approved=False)])

# (method, path, response, call with a key, body); each takes an idempotency key.
KEYED: list[tuple[str, str, Any, Any, Any]] = [
    (
        "PATCH",
        f"{CHAT}/messages/7",
        EDITED,
        lambda c, key: c.edit_message("c1", 7, EditMessage("new", 3), key=key),
        {"content": "new", "history_version": 3},
    ),
    (
        "POST",
        f"{CHAT}/fork",
        SENT,
        lambda c, key: c.fork("c1", Fork(7, "copy"), key=key),
        {"message_id": 7, "title": "copy"},
    ),
    (
        "POST",
        f"{CHAT}/clear",
        ACTED,
        lambda c, key: c.clear("c1", ClearContext(3), key=key),
        {"history_version": 3},
    ),
    ("POST", f"{CHAT}/compact", ACTED, lambda c, key: c.compact("c1", key=key), None),
    (
        "POST",
        f"{CHAT}/answers",
        ANSWERED,
        lambda c, key: c.answer_calls("c1", ANSWERS, key=key),
        {"turn_version": 4, "answers": [{"call_id": "a", "approved": False}]},
    ),
    (
        "POST",
        f"{CHAT}/resume",
        ACTED,
        lambda c, key: c.resume("c1", Resume(4), key=key),
        {"turn_version": 4},
    ),
    (
        "DELETE",
        f"{CHAT}/queue/7",
        QUEUE,
        # Always with a key: aiohttp itself retries a DELETE whose response was lost.
        lambda c, key: c.delete_queued("c1", 7, key=key),
        None,
    ),
]


@pytest.fixture
async def server() -> AsyncIterator[ProtocolServer]:
    async with protocol_server() as running:
        yield running


@pytest.fixture
async def client(server: ProtocolServer) -> AsyncIterator[Client]:
    async with Client(server.endpoint) as connected:
        yield connected


@pytest.mark.parametrize(("method", "path", "value", "call", "body"), KEYED)
@pytest.mark.parametrize("key", [None, "k1"])
async def test_each_method_sends_the_documented_request_with_its_key(
    server: ProtocolServer,
    client: Client,
    method: str,
    path: str,
    value: Any,
    call: Any,
    body: Any,
    key: str | None,
) -> None:
    async def route(_: web.Request) -> web.Response:
        return answer(value)

    server.routes[method, path] = route
    assert await call(client, key) == value
    [request] = server.requests
    assert (request[0], request[1], request[4]) == (method, path, body)
    sent = request[3].get("Idempotency-Key")
    assert sent == key or (method == "DELETE" and key is None and len(sent or "") == 32)


async def test_a_chat_is_archived_repaired_and_deleted_by_its_id(
    server: ProtocolServer, client: Client
) -> None:
    async def change(_: web.Request) -> web.Response:
        return answer(chat(archived=True))

    async def repair(_: web.Request) -> web.Response:
        return answer(ACTED)

    async def delete(_: web.Request) -> web.Response:
        return web.Response(status=204)

    server.routes["PATCH", CHAT] = change
    server.routes["POST", f"{CHAT}/reconcile"] = repair
    server.routes["DELETE", CHAT] = delete
    assert (await client.change_chat("c1", ChangeChat(archived=True))).archived
    assert await client.reconcile("c1") == ACTED
    await client.delete_chat("c1")
    assert [(r[0], r[1], r[4]) for r in server.requests] == [
        ("PATCH", CHAT, {"archived": True}),
        ("POST", f"{CHAT}/reconcile", None),
        ("DELETE", CHAT, None),
    ]
