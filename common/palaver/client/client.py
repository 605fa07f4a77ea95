"""The asynchronous client: one method per route, and two streams that reconnect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import quote

from palaver.client.cursor import Position
from palaver.client.endpoint import API, Endpoint
from palaver.client.errors import PalaverError, Refused
from palaver.client.live import (
    ChatReader,
    Connected,
    ConnectionLost,
    ListReader,
    Live,
    Reader,
    Refusal,
)
from palaver.client.transport import Transport
from palaver.clock import Clock, SystemClock
from palaver.wire.chats import (
    Chat,
    ChatPage,
    CreateChat,
    Info,
    Interrupt,
    Interrupted,
    Models,
    SendMessage,
    Sent,
)
from palaver.wire.errors import Problem
from palaver.wire.events import StreamEvent, WatchEvent
from palaver.wire.messages import MessagePage

E = TypeVar("E")


class Client:
    """Speaks to one daemon. Use it as an asynchronous context manager, or `close` it.

    Every method raises `Refused` when the daemon says no, `Unreachable` when no answer comes, and
    `PalaverError` for an answer that is none of Palaver's. A method with a `key` may be repeated
    with the same key after `Unreachable`: the daemon does it once.
    """

    def __init__(
        self, endpoint: Endpoint, *, clock: Clock | None = None, random: Random | None = None
    ) -> None:
        self.endpoint = endpoint
        self._clock = clock or SystemClock()
        self._random = random or Random()
        self._transport = Transport(endpoint, self._clock)
        self._live: set[Live[Any]] = set()

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

    async def health(self) -> None:
        """Return when the daemon is alive."""
        await self._transport.exchange("GET", "/healthz")

    async def info(self) -> Info:
        """Return which daemon answers."""
        return await self._transport.request("GET", f"{API}/info", Info)

    async def models(self) -> Models:
        """Return the models that can be chosen."""
        return await self._transport.request("GET", f"{API}/models", Models)

    async def create_chat(self, chat: CreateChat, *, key: str | None = None) -> Sent:
        """Create a chat with its first message, which is answered at once."""
        return await self._transport.request("POST", f"{API}/chats", Sent, body=chat, key=key)

    async def chats(
        self,
        limit: int = 50,
        cursor: str | None = None,
        archived: bool = False,
        q: str | None = None,
    ) -> ChatPage:
        """Return a page of chats, newest activity first."""
        query = {"limit": str(limit)}
        if cursor is not None:
            query["cursor"] = cursor
        if archived:
            query["archived"] = "true"
        if q is not None:
            query["q"] = q
        return await self._transport.request("GET", f"{API}/chats", ChatPage, query=query)

    async def chat(self, id: str) -> Chat:  # noqa: A002 - the route's own word
        """Return one chat, without its messages."""
        return await self._transport.request("GET", _chat_path(id), Chat)

    async def messages(
        self,
        id: str,  # noqa: A002
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> MessagePage:
        """Return a page of messages: newest first, unless only `after_id` is given."""
        query = {"limit": str(limit)}
        if before_id is not None:
            query["before_id"] = str(before_id)
        if after_id is not None:
            query["after_id"] = str(after_id)
        path = f"{_chat_path(id)}/messages"
        return await self._transport.request("GET", path, MessagePage, query=query)

    async def send(
        self,
        id: str,  # noqa: A002
        message: SendMessage,
        *,
        key: str | None = None,
    ) -> Sent:
        """Send a message: into history when the chat is idle, else into its queue."""
        path = f"{_chat_path(id)}/messages"
        return await self._transport.request("POST", path, Sent, body=message, key=key)

    async def interrupt(self, id: str, interrupt: Interrupt) -> Interrupted:  # noqa: A002
        """Ask the chat to stop what it does in the turn that `interrupt` names."""
        path = f"{_chat_path(id)}/interrupt"
        return await self._transport.request("POST", path, Interrupted, body=interrupt)

    async def stream(
        self,
        id: str,  # noqa: A002
        *,
        position: Position | None = None,
    ) -> AsyncGenerator[list[StreamEvent | Connected | ConnectionLost]]:
        """Follow one chat from `position` on, without a gap and without a repetition.

        It reconnects by itself, for ever. After a cut a message can come again: merge it by its
        id, and let it take away live output only when that belongs to the episode it replaces.
        The stream ends when the client is closed. Raises `Refused` when there is no such chat, or
        it is not ours.
        """
        path = _chat_path(id)

        async def refusal(status: int) -> NoReturn:
            await self.chat(id)
            raise _refused(status)

        reader = ChatReader(position or Position())
        async with aclosing(self._follow(f"{path}/stream", reader, refusal)) as events:
            async for batch in events:
                yield batch

    async def watch(self) -> AsyncGenerator[list[WatchEvent | Connected | ConnectionLost]]:
        """Follow the list of chats: a snapshot after each `Connected`, then what changes."""

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


def _chat_path(chat_id: str) -> str:
    if chat_id in {"", ".", ".."}:
        raise PalaverError(f"There is no chat {chat_id!r}.")
    return f"{API}/chats/{quote(chat_id, safe='')}"


def _refused(status: int) -> Refused:
    """Return what the daemon means when it refused a stream and then not the plain request."""
    return Refused(
        Problem(
            type="urn:palaver:problem:refused",
            title="Refused",
            status=status,
            detail=f"The daemon refused the stream with status {status}.",
            code="refused",
        )
    )
