"""Invalid requests: one sentence, the right status, and nothing changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import msgspec
import pytest

from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.daemon import running_pair
from support.store import dump

# (method, path, body, status, code, words of the sentence); {id} is an existing chat.
REFUSALS = [
    ("GET", "/api/v1/chats/nope", None, 404, "chat_not_found", "nope"),
    ("GET", "/api/v1/chats/nope/messages", None, 404, "chat_not_found", "nope"),
    ("GET", "/api/v1/chats/nope/stream", None, 404, "chat_not_found", "nope"),
    ("POST", "/api/v1/chats/nope/messages", b'{"content":"x"}', 404, "chat_not_found", "nope"),
    ("POST", "/api/v1/chats/nope/interrupt", b'{"turn_version":1}', 404, "chat_not_found", "nope"),
    ("POST", "/api/v1/chats", b'{"content":""}', 400, "empty_message", "empty"),
    ("POST", "/api/v1/chats", b'{"content":" \\n\\t"}', 400, "empty_message", "empty"),
    ("POST", "/api/v1/chats/{id}/messages", b'{"content":""}', 400, "empty_message", "empty"),
    ("POST", "/api/v1/chats", b'{"content":"x","tittle":"y"}', 400, "bad_request", "tittle"),
    ("POST", "/api/v1/chats", b'{"content":7}', 400, "bad_request", "content"),
    (
        "POST",
        "/api/v1/chats",
        b'{"content":7,"content":"x"}',
        400,
        "bad_request",
        "content is given more than once.",
    ),
    (
        "POST",
        "/api/v1/chats/{id}/interrupt",
        b'{"turn_version":-1}',
        400,
        "bad_request",
        "turn_version is -1: it must be a whole number between 0 and 9223372036854775807.",
    ),
    ("POST", "/api/v1/chats", b'{"content"', 400, "bad_request", "JSON"),
    ("POST", "/api/v1/chats", b"\xff\xfe", 400, "bad_request", "JSON"),
    # A wrong field, and after it something that cannot be read.
    ("POST", "/api/v1/chats", b'{"content":7,', 400, "bad_request", "JSON"),
    ("POST", "/api/v1/chats", b'{"content":7} x', 400, "bad_request", "JSON"),
    ("POST", "/api/v1/chats", b'{"tittle":"\xff"}', 400, "bad_request", "JSON"),
    ("POST", "/api/v1/chats", b'{"tittle":1e999}', 400, "bad_request", "range"),
    ("POST", "/api/v1/chats", b'{"content":' + b"[" * 5000, 400, "bad_request", "nested"),
    (
        "POST",
        "/api/v1/chats",
        b'{"content":"x","model":"sonet"}',
        400,
        "unknown_model",
        "Did you mean sonnet? Configured: ",
    ),
    ("POST", "/api/v1/chats", b'{"content":"%s"}' % (b"x" * 10_000_000), 413, "too_large", "KiB"),
    (
        "GET",
        "/api/v1/chats?limit=0",
        None,
        400,
        "bad_request",
        "limit is 0: it must be a whole number between 1 and ",
    ),
    ("GET", "/api/v1/chats?limit=many", None, 400, "bad_request", "limit"),
    ("GET", "/api/v1/chats?cursor=%21", None, 400, "bad_request", "cursor"),
    ("GET", "/api/v1/chats?archived=maybe", None, 400, "bad_request", "true or false"),
    ("GET", "/api/v1/chats/{id}/messages?before_id=-1", None, 400, "bad_request", "before_id"),
    ("GET", "/api/v1/chats/{id}/stream?since=x", None, 400, "bad_request", "since"),
    ("GET", "/api/v1/chats/{id}/stream?episode=a.b", None, 400, "bad_request", "episode"),
    ("POST", "/api/v1/chats/{id}/queue/hold", b"", 409, "refused", "state"),
    ("POST", "/api/v1/chats/{id}/queue/release", b"", 409, "refused", "state"),
    ("DELETE", "/api/v1/chats/{id}/queue/99", None, 404, "not_in_queue", "queue"),
    ("DELETE", "/api/v1/chats/{id}/queue/first", None, 404, "not_found", "nothing"),
    ("PUT", "/api/v1/chats/{id}/queue/order", b'{"ids":[1]}', 409, "refused", "state"),
    ("POST", "/api/v1/chats/{id}/resume", b'{"turn_version":1}', 409, "refused", "state"),
    (
        "POST",
        "/api/v1/chats/{id}/skip-backoff",
        b'{"turn_version":1,"retry_version":0}',
        409,
        "refused",
        "retry",
    ),
    ("PATCH", "/api/v1/chats/{id}", b'{"title":" "}', 400, "bad_request", "title"),
    ("GET", "/api/v1/nothing", None, 404, "not_found", "address"),
    ("GET", "/api/v1/watch", None, 426, "upgrade_required", "WebSocket"),
    ("PUT", "/api/v1/chats", b"{}", 405, "method_not_allowed", "GET"),
]


@pytest.fixture
async def idle() -> AsyncIterator[tuple[Daemon, Client, str]]:
    """A daemon that runs no chat, with one chat."""
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _sim):
        sent = await client.create_chat(CreateChat(content="hello"))
        yield daemon, client, sent.chat.id


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "named"),
    REFUSALS,
    ids=[f"{r[0]} {r[1]} {(r[2] or b'')[:24]!r}" for r in REFUSALS],
)
async def test_what_cannot_be_done_is_refused_with_a_reason_and_changes_nothing(
    idle: tuple[Daemon, Client, str],
    method: str,
    path: str,
    body: bytes | None,
    status: int,
    code: str,
    named: str,
) -> None:
    daemon, _, chat_id = idle
    before = await daemon.database.read(dump)
    connector = aiohttp.UnixConnector(str(daemon.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(
            method, "http://localhost" + path.replace("{id}", chat_id), data=BytesIO(body or b"")
        ) as response,
    ):
        assert response.status == status
        assert response.content_type == PROBLEM_CONTENT_TYPE
        body = await response.read()
    # A script finds each field, also an empty one.
    assert msgspec.json.decode(body).keys() == set(Problem.__struct_fields__)
    problem = msgspec.json.decode(body, type=Problem)
    assert (problem.status, problem.code) == (status, code)
    assert named in problem.detail
    assert problem.detail.endswith(".")
    assert "Traceback" not in problem.detail
    assert await daemon.database.read(dump) == before
