"""A call through an SDK's `post`, which takes a path and a body.

The SDKs' methods for each route do the same with a body that they were given in parts. But they
come with the types of the whole API, which are as large as the daemon, and OpenAI's compare every
message of a history with these types: 0.1 ms for each
(findings/openai-create-walks-every-message.sh). The body is encoded before it is handed over, since
Anthropic's SDK walks through it as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import httpx2


class Stream(Protocol):
    """What `post` returns if it is called with `stream`; not read from here."""

    response: httpx2.Response

    async def close(self) -> None:
        """Close the response."""


class Posted(msgspec.Struct, frozen=True):
    """An opened response; see `Opened`."""

    http_response: httpx2.Response


@asynccontextmanager
async def posted(stream: Awaitable[Stream]) -> AsyncIterator[Posted]:
    """Yield the response of a call, its body unread, and close it at the end."""
    opened = await stream
    try:
        yield Posted(opened.response)
    finally:
        await opened.close()
