"""An SDK's client, made once, in a thread, when it is first wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LazyClient(Generic[T]):
    """Makes a client off the event loop: importing an SDK costs a second of CPU.

    `make` runs in a thread; if it raises, the next `get` tries again. `close` is awaited for a
    client that was made.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = asyncio.Lock()
        self._client: T | None = None

    async def get(self) -> T:
        """Return the client. Raises whatever making it raised."""
        if self._client is None:
            async with self._lock:
                if self._client is None:
                    self._client = await asyncio.to_thread(self._make)
        return self._client

    async def close(self) -> None:
        """Close the client's connections, if there is one. It can be made again."""
        async with self._lock:
            client, self._client = self._client, None
            if client is not None:
                await self._close(client)
