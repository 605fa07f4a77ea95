"""One model call over HTTP: open, read, guard, decode, and account for every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from palaver.clock import Clock, deadline
from palaverd.failures import ProviderFailure, classify
from palaverd.failures.signals import MAX_BODY_BYTES
from palaverd.providers.edge import Caller, signals_from
from palaverd.providers.errors import AnswerTooLongError, NotAStreamError, StreamEndedError
from palaverd.providers.guards import Guards
from palaverd.providers.limits import CallLimits
from palaverd.providers.neutral import Completed, ModelEvent
from palaverd.providers.sse import ServerEvent, SseDecoder

if TYPE_CHECKING:
    import httpx2


class Dialect(Protocol):
    """One protocol's event stream, for one call.

    `completed` is set once the protocol's terminal event was seen.
    """

    completed: Completed | None

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append what `event` means to `out`. Returns whether it is more than a ping.

        Raises:
            ValueError: the event is not what the protocol says.
            StreamFailedError, FilteredError, WindowExceededError: the answer failed.
        """


class Opened(Protocol):
    """What an SDK's `with_streaming_response` gives."""

    @property
    def http_response(self) -> httpx2.Response:
        """The response, its body unread."""


Opening = Callable[[], AbstractAsyncContextManager[Opened]]


class Call(msgspec.Struct, frozen=True):
    """What a call needs besides its request."""

    caller: Caller
    model: str
    clock: Clock
    limits: CallLimits


async def model_events(
    call: Call, opening: Opening, dialect: Dialect
) -> AsyncGenerator[ModelEvent, None]:
    """Yield what a provider answers; ends after `Completed` and in no other way.

    Read it in one task: that is the one which a guard cancels. Close it when leaving it early
    (`contextlib.aclosing`), or the connection stays open.

    Raises:
        ProviderFailure: anything else that happened, classified.
        asyncio.CancelledError: the task was cancelled by somebody else than a guard of ours.
    """
    task = asyncio.current_task()
    assert task is not None
    cancels = task.cancelling()
    guards = Guards(call.clock, call.limits)
    response: httpx2.Response | None = None
    try:
        with guards:
            async with opening() as opened:
                response = opened.http_response
                async with aclosing(_events(response, guards, call, dialect)) as events:
                    async for event in events:
                        yield event
    except (Exception, asyncio.CancelledError) as error:
        # Whose cancellation is it? A guard's is taken back; a library may raise one by itself,
        # and may turn a real one into an error of its own. Only a count that rose since the call
        # began means that somebody asked this task to stop.
        asked = (task.uncancel() if guards.fired else task.cancelling()) > cancels
        if asked and isinstance(error, asyncio.CancelledError):
            raise
        if asked:
            raise asyncio.CancelledError from error
        if dialect.completed is not None:
            return  # the answer was whole; only the connection is lost
        raise ProviderFailure(
            classify(
                signals_from(
                    error,
                    caller=call.caller,
                    model=call.model,
                    at=call.clock.now(),
                    response=response,
                    guard=guards.fired,
                    guard_seconds=guards.fired_after,
                    cancelled_by_library=isinstance(error, asyncio.CancelledError),
                )
            )
        ) from error


async def _events(
    response: httpx2.Response, guards: Guards, call: Call, dialect: Dialect
) -> AsyncGenerator[ModelEvent, None]:
    """Read the body until the terminal event, and a moment longer."""
    decoder = SseDecoder(call.limits.event_bytes)
    out: list[ModelEvent] = []
    size = 0
    async with aclosing(response.aiter_bytes()) as chunks:
        await _require_event_stream(response, chunks)
        guards.waiting()
        async for chunk in chunks:
            guards.received()
            size += len(chunk)
            if size > call.limits.body_bytes:
                raise AnswerTooLongError(call.limits.body_bytes)
            for event in decoder.feed(chunk):
                if dialect.decode(event, out):
                    guards.progressed()
                for one in out:
                    yield one
                out.clear()
                if dialect.completed is not None:
                    # Waiting for the body's end could turn this success into a timeout.
                    guards.stop()
                    yield dialect.completed
                    async with deadline(call.clock, call.limits.drain):
                        async for _ in chunks:
                            pass
                    return
            guards.waiting()
    raise StreamEndedError


async def _require_event_stream(
    response: httpx2.Response, chunks: AsyncGenerator[bytes, None]
) -> None:
    """Raise for a success that is no event stream: a web page, or an error with status 200.

    Raises:
        NotAStreamError: with the beginning of the body.
    """
    content_type = response.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == "text/event-stream":
        return
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    text = body.decode("utf-8", "replace") if len(body) <= MAX_BODY_BYTES else ""
    raise NotAStreamError(content_type, text)
