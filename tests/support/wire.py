"""The transport below the SDKs, controlled by a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Literal, TypeVar

import httpx2
import pytest

from palaverd.providers.body import PLAIN_BODY
from palaverd.providers.direct_transport import DirectTransport

T = TypeVar("T")
Manners = Literal["obeys", "translates", "swallows"]


class Wire:
    """Real connections whose reads a test can make fail, as a library's own reads do.

    `manners` is what this library does with a cancellation: it obeys, converts it to an error of
    its own, or swallows it and continues.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, manners: Manners = "obeys") -> None:
        self.manners = manners
        self._struck: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        send = DirectTransport.handle_async_request

        async def handle(transport: DirectTransport, request: httpx2.Request) -> httpx2.Response:
            response = await self._watched(send(transport, request))
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _Stream(response.stream, self)
            if PLAIN_BODY in response.extensions:
                response.extensions[PLAIN_BODY] = response.stream
            return response

        monkeypatch.setattr(DirectTransport, "handle_async_request", handle)

    def strike(self, error: BaseException) -> None:
        """Make every waiting read fail with `error`; later ones work."""
        struck = self._struck
        self._struck = asyncio.get_running_loop().create_future()
        struck.set_exception(error)

    async def _watched(self, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        struck = self._struck
        either: set[asyncio.Future[Any]] = {task, struck}
        try:
            while not (task.done() or struck.done()):
                try:
                    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError:
                    if self.manners == "translates":
                        raise httpx2.ReadError("the stream was closed") from None
                    if self.manners == "obeys":
                        raise
            if struck.done():
                error = struck.exception()
                assert error is not None
                raise error
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, real: httpx2.AsyncByteStream, wire: Wire) -> None:
        self._real = real
        self._wire = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: Any = aiter(self._real)
        while True:
            try:
                chunk = await self._wire._watched(anext(chunks))
            except StopAsyncIteration:
                return
            yield chunk

    async def aclose(self) -> None:
        await self._real.aclose()
