"""A replayed daemon: the test sends the events of streams to the client, without a socket.

The client's screens are functions of the streams' events. The real connection is tested in
test_end_to_end.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import msgspec

from palaver import __version__
from palaver.client import Connected, Endpoint, PalaverError, Refused, Unauthenticated, Unreachable
from palaver.stream.progress import Progress
from palaver.wire.actions import (
    Answered,
    Answers,
    ClearContext,
    Edited,
    EditMessage,
    Fork,
    LostAnswer,
)
from palaver.wire.chats import (
    Chat,
    ChatPage,
    ChatStatus,
    CreateChat,
    Info,
    Interrupt,
    Interrupted,
    Model,
    Models,
    SendMessage,
    Sent,
    Versions,
)
from palaver.wire.errors import ChatError, Problem
from palaver.wire.events import BlockKind, ListSnapshot, MessagePartEvent, StatusEvent
from palaver.wire.messages import Failure, Message, MessagePage, Part, QueuedMessage, Text
from palaver.wire.protocol import CAPABILITIES
from palaver.wire.queue import (
    Acted,
    ChangeChat,
    EditQueued,
    Promote,
    QueueAnswer,
    QueueOrder,
    ReadChat,
    Resume,
    SkipBackoff,
)
from palaver.wire.search import Hit, SearchPage, Span

T0 = datetime(2026, 11, 21, 10, 42, tzinfo=UTC)
ENDPOINT = Endpoint("http://localhost", socket=None)
MODELS = Models(
    [Model("sonnet", "anthropic", "claude-sonnet", default=True, context_limit=200_000)]
)


def versions(snapshot: int = 1, history: int = 1, turn: int = 1) -> Versions:
    return Versions(snapshot, history, turn, 0, 0)


def chat(chat_id: str, title: str, status: ChatStatus = "waiting", **more: Any) -> Chat:
    minutes = more.pop("minutes_ago", 0)
    at = T0 - timedelta(minutes=minutes)
    more.setdefault("versions", versions())
    more.setdefault("model", "sonnet")
    return Chat(id=chat_id, title=title, status=status, created_at=at, updated_at=at, **more)


def user(message_id: int, text: str, **more: Any) -> Message:
    more.setdefault("created_at", T0)
    return Message(message_id, "user", [Text(text)], revision=message_id, **more)


def answer(message_id: int, *parts: str | Part, **more: Any) -> Message:
    more.setdefault("created_at", T0)
    more.setdefault("model", "sonnet")
    made: list[Part] = [Text(part) if isinstance(part, str) else part for part in parts]
    return Message(message_id, "assistant", made, revision=message_id, **more)


def failure(message_id: int, error: ChatError, **more: Any) -> Message:
    more.setdefault("created_at", T0)
    parts: list[Part] = [Failure(error)]
    return Message(message_id, "system", parts, message_id, visibility="user", **more)


def status(word: ChatStatus = "waiting", title: str = "A chat", **more: Any) -> StatusEvent:
    more.setdefault("versions", versions())
    more.setdefault("model", "sonnet")
    return StatusEvent(status=word, title=title, **more)


def part(
    delta: str,
    offset: int = 0,
    block: int = 0,
    episode: str = "2.1",
    kind: BlockKind = "text",
    **more: Any,
) -> MessagePartEvent:
    return MessagePartEvent(episode, block, offset, kind, delta, **more)


def hit(chat: Chat, *pieces: str, message_id: int | None = 1) -> Hit:
    """Return a hit; every other one of the pieces of its snippet is what was searched for."""
    spans = [Span(piece, match=bool(number % 2)) for number, piece in enumerate(pieces) if piece]
    return Hit(chat, spans, message_id, None if message_id is None else "user", chat.updated_at)


def queued(number: int, content: str) -> QueuedMessage:
    return QueuedMessage(number, number - 1, content, T0)


class FixedClock:
    """A clock that stands still until `advance` is called."""

    def __init__(self, now: datetime = T0) -> None:
        self._now = now
        self._start = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        for until, sleeper in self._sleepers:
            if until <= self.monotonic() and not sleeper.done():
                sleeper.set_result(None)

    def call_later(self, delay: float, callback: Callable[[], None]) -> NoReturn:
        raise AssertionError("nothing in the client has a timer on this clock")

    async def sleep(self, delay: float) -> None:
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.monotonic() + delay, sleeper))
        await sleeper


class Told:
    """One stream: a test puts batches of events in, the client gets them."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def tell(self, *events: Any) -> None:
        self.queue.put_nowait(list(events))

    def refuse(self, detail: str) -> None:
        self.queue.put_nowait(Refused(problem(detail, 404, "chat_not_found")))

    def end(self, error: PalaverError) -> None:
        self.queue.put_nowait(error)

    async def batches(self) -> AsyncIterator[list[Any]]:
        while True:
            told = await self.queue.get()
            if isinstance(told, PalaverError):
                raise told
            yield told


class ReplayClient:
    """A fake of `palaver.client.Client` that records requests and answers them."""

    def __init__(self) -> None:
        self.watching = Told()
        self.streams: dict[str, Told] = {}
        self.sent: list[tuple[str | None, Any, str | None]] = []
        self.interrupts: list[tuple[str, Any]] = []
        self.pages: dict[int | None, MessagePage] = {}
        self.pages_asked: list[tuple[int | None, int | None]] = []  # ids before and after a page
        self.chat_pages: dict[str, ChatPage] = {}  # by cursor
        self.archived_pages: dict[str | None, ChatPage] = {}
        self.known: dict[str, Chat] = {}  # chats that can be fetched, by id
        self.available_models = MODELS
        self.down = False
        self.pages_down = False  # no page of messages comes
        self.absent = False  # no daemon runs, and none can be started
        self.refusal: Problem | None = None
        self.next_id = 100
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked: list[tuple[Any, ...]] = []
        self.about: list[str | None] = []  # the chats of those requests
        self.found: dict[str, SearchPage] = {}  # by what is searched
        self.searched: list[tuple[str, bool | None]] = []  # words, and whether in archived chats
        self.search_refusal: Problem | None = None
        self.search_answers = asyncio.Event()
        self.search_answers.set()
        self.positions: list[tuple[str, Any]] = []
        self.closed = False
        self.answered_by: str | None = None  # who answered a call before
        self.told = Info(__version__, 1, T0, "/data", list(CAPABILITIES))

    def __call__(self, endpoint: Endpoint) -> ReplayClient:
        return self

    def stream_of(self, chat_id: str) -> Told:
        return self.streams.setdefault(chat_id, Told())

    def open(self, *chats: Chat) -> None:
        self.watching.tell(Connected())
        self.watching.tell(ListSnapshot(list(chats)))
        self.known |= {one.id: one for one in chats}

    async def info(self) -> Info:
        return self.told

    async def meet(self) -> Info:
        return self.told

    async def models(self) -> Models:
        return self.available_models

    async def watch(self) -> AsyncIterator[list[Any]]:
        async for batch in self.watching.batches():
            yield batch

    async def stream(
        self, chat_id: str, *, progress: Progress | None = None
    ) -> AsyncIterator[list[Any]]:
        self.positions.append((chat_id, progress))
        async for batch in self.stream_of(chat_id).batches():
            yield batch

    async def _post(self, *, down: bool = False) -> None:
        await self.answers.wait()
        if self.down or down:
            raise Unreachable(ENDPOINT, "connection refused", never_sent=True)
        if self.refusal is not None:
            unknown = self.refusal.code == "unauthenticated"
            raise Unauthenticated(self.refusal, ENDPOINT) if unknown else Refused(self.refusal)

    async def create_chat(self, request: CreateChat, *, key: str | None = None) -> Sent:
        await self._post()
        self.sent.append((None, request, key))
        self.next_id += 1
        made = chat("made", request.content[:40], "running", versions=versions(1, 1, 1))
        self.known[made.id] = made
        return Sent(made, message=user(self.next_id, request.content, key=key))

    async def send(self, chat_id: str, request: SendMessage, *, key: str | None = None) -> Sent:
        await self._post()
        self.sent.append((chat_id, request, key))
        self.next_id += 1
        now = versions(self.next_id, self.next_id, self.next_id)
        message = user(self.next_id, request.content, key=key)
        return Sent(chat(chat_id, "A chat", "running", versions=now), message=message)

    async def interrupt(self, chat_id: str, request: Interrupt) -> Interrupted:
        await self._post()
        self.interrupts.append((chat_id, request))
        return Interrupted(chat(chat_id, "A chat", "interrupting"), changed=True)

    async def _asked(self, *what: Any, about: str | None = None) -> None:
        await self._post()
        self.asked.append(what)
        self.about.append(about)

    async def resume(self, chat_id: str, request: Resume) -> Acted:
        await self._asked("resume", request.turn_version, request.at, about=chat_id)
        return Acted(chat(chat_id, "A chat", "running"), changed=True)

    async def skip_backoff(self, chat_id: str, request: SkipBackoff) -> Acted:
        await self._asked("skip", request.turn_version, request.retry_version, about=chat_id)
        return Acted(chat(chat_id, "A chat", "running"), changed=True)

    async def change_chat(self, chat_id: str, request: ChangeChat) -> Chat:
        known = self.known.get(chat_id, chat(chat_id, "A chat"))
        if request.archived is not None:
            await self._asked("archived", chat_id, request.archived, about=chat_id)
            return msgspec.structs.replace(known, archived=request.archived)
        if request.pin_order is not msgspec.UNSET:
            await self._asked("pin", request.pin_order, about=chat_id)
            return msgspec.structs.replace(known, pin_order=request.pin_order)
        if request.labels:
            await self._asked("label", request.labels, about=chat_id)
            labels = {k: v for k, v in request.labels.items() if v is not None}
            return msgspec.structs.replace(known, labels=labels)
        if request.title is not None:
            await self._asked("title", request.title, about=chat_id)
        else:
            await self._asked("model", request.model, about=chat_id)
        return chat(chat_id, request.title or "A chat", model=request.model)

    async def mark_read(self, chat_id: str, request: ReadChat) -> Chat:
        await self._asked("read", request.snapshot_version, about=chat_id)
        known = self.known.get(chat_id, chat(chat_id, "A chat"))
        self.known[chat_id] = msgspec.structs.replace(known, unread=False)
        return self.known[chat_id]

    async def delete_chat(self, chat_id: str) -> None:
        await self._asked("delete", chat_id, about=chat_id)

    async def edit_message(self, chat_id: str, message_id: int, request: EditMessage) -> Edited:
        await self._asked(
            "anew", message_id, request.content, request.history_version, about=chat_id
        )
        return Edited(chat(chat_id, "A chat", "running"), None)

    async def fork(self, chat_id: str, request: Fork) -> Sent:
        await self._asked("fork", chat_id, request.message_id, about=chat_id)
        return Sent(chat("forked", "A chat (fork)"))

    async def clear(self, chat_id: str, request: ClearContext) -> Acted:
        await self._asked("clear", request.history_version, about=chat_id)
        return Acted(chat(chat_id, "A chat"), changed=True)

    async def answer_calls(
        self, chat_id: str, request: Answers, *, key: str | None = None
    ) -> Answered:
        [given] = request.answers
        await self._asked("answer", given.call_id, given.text, request.turn_version, about=chat_id)
        lost = [LostAnswer(given.call_id, self.answered_by)] if self.answered_by else []
        return Answered(chat(chat_id, "A chat", "running"), [], lost)

    async def promote(self, chat_id: str, queued_id: int, request: Promote) -> QueueAnswer:
        return await self._queue(chat_id, "promote", queued_id, request.turn_version)

    async def delete_queued(self, chat_id: str, queued_id: int) -> QueueAnswer:
        return await self._queue(chat_id, "delete", queued_id)

    async def edit_queued(self, chat_id: str, queued_id: int, request: EditQueued) -> QueueAnswer:
        return await self._queue(chat_id, "edit", queued_id, request.content)

    async def reorder_queue(self, chat_id: str, request: QueueOrder) -> QueueAnswer:
        return await self._queue(chat_id, "order", request.ids)

    async def hold_queue(self, chat_id: str) -> QueueAnswer:
        return await self._queue(chat_id, "hold")

    async def release_queue(self, chat_id: str) -> QueueAnswer:
        return await self._queue(chat_id, "release")

    async def _queue(self, chat_id: str, *what: Any) -> QueueAnswer:
        await self._asked(*what, about=chat_id)
        return QueueAnswer(chat(chat_id, "A chat", "running"), [])

    async def chats(
        self, limit: int = 50, cursor: str | None = None, archived: bool = False
    ) -> ChatPage:
        if archived:
            await self._post()
            return self.archived_pages.get(cursor, ChatPage([]))
        await self._asked("chats", cursor)
        assert cursor is not None
        return self.chat_pages[cursor]

    async def chat(self, chat_id: str) -> Chat:
        await self._post()
        if chat_id not in self.known:
            raise Refused(problem(f"There is no chat {chat_id}.", 404, "chat_not_found"))
        return self.known[chat_id]

    async def search(
        self, q: str, *, limit: int = 20, archived: bool | None = None, once: bool = False
    ) -> SearchPage:
        assert once
        self.searched.append((q, archived))
        await self.search_answers.wait()
        await self._post()
        if self.search_refusal is not None:
            raise Refused(self.search_refusal)
        return self.found.get(q, SearchPage([]))

    async def messages(
        self,
        chat_id: str,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 50,
    ) -> MessagePage:
        self.pages_asked.append((before_id, after_id))
        page = self.pages.get(before_id, MessagePage([], more=False))
        await self._post(down=self.pages_down)
        return page

    async def close(self) -> None:
        self.closed = True


def problem(detail: str, status_code: int = 409, code: str = "x") -> Problem:
    return Problem("urn:palaver:problem:x", "Refused", status_code, detail, code)


OVERLOADED = ChatError(
    "overloaded",
    "Anthropic is overloaded.",
    provider="anthropic",
    model="sonnet",
    status_code=529,
    retryable=True,
    request_id="req_011CSHoEeqs5C35K2UUqR7Fy",
)
BAD_KEY = ChatError(
    "auth",
    "Anthropic did not accept the API key. Check ANTHROPIC_API_KEY, then try again.",
    detail="invalid x-api-key",
    provider="anthropic",
    model="sonnet",
    status_code=401,
    request_id="req_011CSHoEeqs5C35K2UUqR7Fy",
)
