"""An SDK's client, created in a thread on first use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")

_THREAD = "palaverd-sdk"


def is_making() -> bool:
    """Return whether a thread of `in_thread` still runs."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


class LazyClient(Generic[T]):
    """Creates a client off the event loop: importing an SDK costs a second of CPU.

    `make` runs in a thread; if it raises, the next `get` tries again. `close` is awaited with the
    client.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = asyncio.Lock()
        self._client: T | None = None

    async def get(self) -> T:
        """Return the client. Raises what `make` raises."""
        if self._client is None:
            async with self._lock:
                if self._client is None:
                    self._client = await in_thread(self._make)
        return self._client

    async def close(self) -> None:
        """Close the client, if there is one. `get` creates another."""
        async with self._lock:
            client, self._client = self._client, None
            if client is not None:
                await self._close(client)


async def in_thread(make: Callable[[], T]) -> T:
    """Run `make` in a daemon thread, which does not delay the end of the process.

    A thread of `asyncio.to_thread` would: a shutdown during an import would take as long as the
    import.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def succeed(made: T) -> None:
        if not done.done():
            done.set_result(made)

    def fail(error: BaseException) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        tell: Callable[[], None]
        try:
            tell = partial(succeed, make())
        except BaseException as error:  # noqa: BLE001 - set on the future
            tell = partial(fail, error)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, name=_THREAD, daemon=True).start()
    return await done
