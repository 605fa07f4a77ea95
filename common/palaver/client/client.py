"""The asynchronous client: requests to one daemon, and two streams that reconnect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from palaver.client.connection_events import Connected, ConnectionLost
from palaver.client.endpoint import API, Endpoint
from palaver.client.errors import Incompatible, Refused
from palaver.client.live import ChatReader, ListReader, Live, Reader, Refusal
from palaver.client.requests import Requests, chat_path
from palaver.client.transport import Transport
from palaver.clock import Clock, SystemClock
from palaver.stream.progress import Progress
from palaver.wire.chats import Info
from palaver.wire.errors import Problem
from palaver.wire.events import StreamEvent, WatchEvent
from palaver.wire.protocol import too_old

E = TypeVar("E")


class Client(Requests):
    """A client of one daemon. Use it as an asynchronous context manager, or `close` it.

    Every method raises `Refused` if the daemon refuses, `Unreachable` if no response arrives, and
    `PalaverError` for a response that is not Palaver's. A method with a `key` may be retried with
    the same key after `Unreachable`: the daemon applies it once.
    """

    def __init__(
        self, endpoint: Endpoint, *, clock: Clock | None = None, random: Random | None = None
    ) -> None:
        self.endpoint = endpoint
        self._clock = clock or SystemClock()
        self._random = random or Random()
        super().__init__(Transport(endpoint, self._clock))
        self._live: set[Live[Any]] = set()
        self.met: Info | None = None  # of the current connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all streams and close all connections."""
        for live in list(self._live):
            await live.close()
        await self._transport.close()

    async def meet(self) -> Info:
        """Return the daemon's info, after checking that its version is compatible.

        It is requested once per connection: after a reconnect it may be another daemon. A stream
        does so by itself, first of all.

        Raises:
            Incompatible: daemon and client do not understand each other.
        """
        if self.met is None:
            info = await self.info()
            upgrade = too_old(info)
            if upgrade is not None:
                raise Incompatible(info, self.endpoint, upgrade)
            self.met = info
        return self.met

    def _part(self) -> None:
        self.met = None

    async def stream(
        self,
        id: str,  # noqa: A002
        *,
        progress: Progress | None = None,
    ) -> AsyncGenerator[list[StreamEvent | Connected | ConnectionLost]]:
        """Follow one chat from `progress` on, without gaps and repetitions.

        It reconnects for ever. After a reconnect a message may be sent again: merge it by id, and
        let it remove live output only if that belongs to the episode it replaces.

        The stream ends when the client is closed. Raises `Refused` if there is no such chat, or it
        is another owner's, and `Incompatible` like `meet`.
        """
        path = chat_path(id)

        async def refusal(status: int) -> NoReturn:
            await self.chat(id)
            raise _refused(status)

        reader = ChatReader(progress or Progress())
        async with aclosing(self._follow(f"{path}/stream", reader, refusal)) as events:
            async for batch in events:
                yield batch

    async def watch(self) -> AsyncGenerator[list[WatchEvent | Connected | ConnectionLost]]:
        """Follow the list of chats: a snapshot after each `Connected`, then its changes."""

        async def refusal(status: int) -> NoReturn:
            await self.chats(limit=1)
            raise _refused(status)

        async with aclosing(self._follow(f"{API}/watch", ListReader(), refusal)) as events:
            async for batch in events:
                yield batch

    async def _follow(
        self, path: str, reader: Reader[E], refusal: Refusal
    ) -> AsyncGenerator[list[E | Connected | ConnectionLost]]:
        live = Live(
            self._transport,
            path,
            reader,
            meet=self.meet,
            part=self._part,
            refusal=refusal,
            clock=self._clock,
            random=self._random,
        )
        self._live.add(live)
        try:
            async with aclosing(live.events()) as events:
                async for batch in events:
                    yield batch
        finally:
            self._live.discard(live)


def _refused(status: int) -> Refused:
    """Return the error for a stream that was refused, while the plain request succeeded."""
    return Refused(
        Problem(
            type="urn:palaver:problem:refused",
            title="Refused",
            status=status,
            detail=f"The daemon refused the stream with status {status}.",
            code="refused",
        )
    )
