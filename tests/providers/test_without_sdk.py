"""A protocol without an SDK: what CONTRIBUTING.md asks of it is enough."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import msgspec
import pytest

from palaver.clock import SystemClock
from palaverd.providers.chat_events import ChatDialect
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.providers.sdk import SdkProvider
from palaverd.providers.transport import http_client
from providers.calling import Outcome, call
from providers.raw import answer, chat, raw_server


class Opened(msgspec.Struct):
    http_response: httpx2.Response


class RefusedError(Exception):
    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.status_code = response.status_code
        self.body = response.content
        self.response = response


class Client:
    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    @asynccontextmanager
    async def open(self, request: ModelRequest) -> AsyncIterator[Opened]:
        asked = {"model": request.model}
        async with self._http.stream("POST", f"{self._url}/chat", json=asked) as response:
            if response.is_error:
                await response.aread()
                raise RefusedError(response)
            yield Opened(response)

    async def close(self) -> None:
        await self._http.aclose()


class BareProvider(SdkProvider[Client]):
    vendor_url = "http://127.0.0.1:1"
    needs_key = False

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        return self._events(request, lambda _: ChatDialect(self._ignored), _open)

    def _make(self) -> Client:
        return Client(http_client(self._base_url, self._limits, self._proxy), self._base_url)


def _open(client: Client, request: ModelRequest) -> AbstractAsyncContextManager[Opened]:
    return client.open(request)


async def ask_bare(response: bytes) -> Outcome:
    async with raw_server(response) as server:
        provider = BareProvider(
            "bare", base_url=server.url, api_key=None, key_hint="", clock=SystemClock()
        )
        try:
            return await call(provider, "hi")
        finally:
            await provider.close()


async def test_its_lines_are_an_answer() -> None:
    body = b"\n".join(map(msgspec.json.encode, chat("Hello ", "world.")))
    outcome = await ask_bare(answer(body, "application/x-ndjson"))
    assert outcome.error is None
    assert outcome.text == "Hello world."


SAID = "no room for another model"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("429 Too Many Requests", {"error": SAID}, "rate_limit"),
        ("503 Service Unavailable", {"error": SAID}, "timeout"),
        ("503 Service Unavailable", {"type": "overloaded_error", "message": SAID}, "overloaded"),
    ],
)
async def test_its_refusal_is_classified_by_status_body_and_headers(
    status: str, body: object, kind: str
) -> None:
    said = answer(
        msgspec.json.encode(body), "application/json", "Retry-After: 7", "X-Request-Id: r-1"
    )
    error = (await ask_bare(said.replace(b"200 OK", status.encode(), 1))).error
    assert error is not None
    assert error.retryable
    assert error.kind == kind
    assert error.status_code == int(status[:3])
    assert SAID in (error.detail or "")
    assert (error.retry_after_ms, error.request_id) == (7000, "r-1")
