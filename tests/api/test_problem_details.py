"""Every refusal has problem details, whoever refuses: a route, aiohttp, or its parser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem
from palaverd.api.problem_kinds import KINDS
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.daemon import running_pair

UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
BODY = "Transfer-Encoding: chunked\r\n\r\n"
# A request (its headers without the host), its status, its code, and words of its detail.
REFUSALS: list[tuple[str, int, str, str]] = [
    ("GET /nowhere\r\n", 404, "not_found", "nothing"),
    ("GET /%00\r\n", 404, "not_found", "nothing"),
    ("OPTIONS *\r\n", 404, "not_found", "nothing"),
    ("CONNECT localhost:80\r\n", 404, "not_found", "nothing"),
    ("PUT /api/v1/chats\r\n", 405, "method_not_allowed", "GET, HEAD, POST"),
    ("TRACE /healthz\r\n", 405, "method_not_allowed", "GET, HEAD"),
    ("GET /api/v1/info?verbose=1\r\n", 400, "bad_request", "parameter verbose"),
    ("GET /api/v1/chats?limt=1\r\n", 400, "bad_request", "Did you mean limit?"),
    ("GET /api/v1/chats?limit=1&limit=2\r\n", 400, "bad_request", "limit is given more than once"),
    ("GET /api/v1/chats?archived=1\r\n", 400, "bad_request", "archived is"),
    ("DELETE /api/v1/chats/x/queue/one\r\n", 404, "not_found", "nothing"),
    ("PATCH /api/v1/chats/x/queue/hold\r\n", 405, "method_not_allowed", "POST only"),
    (f"DELETE /api/v1/chats/x/queue/{2**63}\r\n", 400, "bad_request", f"queued_id is {2**63}: "),
    ("POST /api/v1/chats\r\nIdempotency-Key: \udcff\r\n", 400, "bad_request", "not UTF-8"),
    (
        "POST /api/v1/chats\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n",
        400,
        "bad_request",
        "Idempotency-Key is given more than once",
    ),
    ("POST /api/v1/chats\r\nExpect: wonders\r\n", 417, "expectation_failed", "100-continue"),
    ("POST /nowhere\r\nExpect: \udcff\r\n", 400, "bad_request", "not UTF-8"),
    (
        f"GET /api/v1/watch\r\n{UPGRADE}Sec-WebSocket-Key: \udcff\r\nSec-WebSocket-Version: 13\r\n",
        400,
        "bad_request",
        "not ASCII",
    ),
    ("POST /nowhere\r\nExpect: wonders\r\n", 417, "expectation_failed", "100-continue"),
    ("POST /api/v1/chats\r\nContent-Length: 9999999\r\n", 413, "too_large", "KiB"),
    (f"POST /api/v1/chats\r\n{BODY}200000\r\n{'x' * 0x200000}\r\n0\r\n", 413, "too_large", "KiB"),
    (
        "POST /api/v1/chats\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        400,
        "bad_request",
        "cannot be read: Can not decode",
    ),
    (
        "POST /api/v1/imports\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        400,
        "bad_request",
        "cannot be read: Can not decode",
    ),
    (f"POST /api/v1/chats\r\n{BODY}no\r\n", 400, "bad_request", "no request"),
    ("POST /api/v1/chats\r\nContent-Length: x\r\n", 400, "bad_request", "Content-Length"),
    (f"GET /{'x' * 9000}\r\n", 414, "address_too_long", "8190"),
    (f"GET /api/v1/chats?q={'x' * 90_000}\r\n", 414, "address_too_long", "8190"),
    (f"GET /healthz\r\nX: {'x' * 9000}\r\n", 431, "headers_too_large", "8190"),
    (f"GET /healthz\r\n{'X: x' * 9000}\r\n", 431, "headers_too_large", "8190"),
    ("GET /healthz\r\n" + "X: x\r\n" * 999, 431, "headers_too_large", "Too many headers"),
    ("BREW /healthz\r\n", 400, "bad_request", "no request"),
    ("GET /api/v1/watch\r\n", 426, "upgrade_required", "Upgrade: websocket"),
    (f"GET /api/v1/watch\r\n{UPGRADE}{KEY}", 400, "bad_request", "version"),
    (
        f"GET /api/v1/watch\r\n{UPGRADE}Sec-WebSocket-Version: 13\r\n",
        400,
        "bad_request",
        "Handshake",
    ),
    (
        f"GET /api/v1/watch\r\n{UPGRADE}Sec-WebSocket-Version: \udcff\r\n",
        400,
        "bad_request",
        "not ASCII",
    ),
    (
        f"GET /api/v1/watch?since=1\r\n{UPGRADE}{KEY}Sec-WebSocket-Version: 13\r\n",
        400,
        "bad_request",
        "parameter since",
    ),
    (
        f"GET /api/v1/chats/x/stream\r\n{UPGRADE}{KEY}Sec-WebSocket-Version: 13\r\n",
        404,
        "chat_not_found",
        "no chat x",
    ),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def daemon() -> AsyncIterator[Daemon]:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _, _simulator):
        yield daemon


async def ask(daemon: Daemon, request: str) -> tuple[int, dict[str, str], Any]:
    """Send a request as it is; return the status, headers and body of the response."""
    first, _, rest = request.partition("\r\n")
    reader, writer = await asyncio.open_unix_connection(str(daemon.socket))
    sent = f"{first} HTTP/1.1\r\nHost: localhost\r\n{rest}\r\n"
    writer.write(sent.encode(errors="surrogateescape"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in head[1:])}
    body = await reader.readexactly(int(headers["content-length"]))
    writer.transport.abort()
    return int(head[0].split()[1]), headers, json.loads(body)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("request_", "status", "code", "words"), REFUSALS)
async def test_a_refusal_has_problem_details(
    daemon: Daemon, request_: str, status: int, code: str, words: str
) -> None:
    got, headers, body = await ask(daemon, request_)
    assert headers["content-type"] == PROBLEM_CONTENT_TYPE
    assert (got, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:palaver:problem:{code}"
    assert body["title"] == KINDS[code].title
    assert set(body) == set(Problem.__struct_fields__)
    assert words in body["detail"]
    assert body["detail"].endswith((".", "?"))
    if code == "method_not_allowed":
        assert f"knows {headers['allow']} only" in body["detail"]
    if code == "upgrade_required":
        assert headers["upgrade"] == "websocket"


def test_problems_have_the_statuses_of_errors() -> None:
    assert all(400 <= status < 600 for kind in KINDS.values() for status in kind.statuses)
