"""One model call over HTTP: open, read, guard, decode, and account for every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from palaver.clock import Clock, deadline
from palaverd.failures import ProviderFailure, classify
from palaverd.providers.body import Body
from palaverd.providers.dialect import Dialect
from palaverd.providers.edge import Caller, signals_from
from palaverd.providers.errors import (
    REPORTED,
    AnswerTooLongError,
    MalformedEventError,
    NotAStreamError,
    StreamEndedError,
)
from palaverd.providers.guards import Guards
from palaverd.providers.limits import CallLimits
from palaverd.providers.neutral import ModelEvent

if TYPE_CHECKING:
    import httpx2


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
    body: Body | None = None
    kept: list[ModelEvent] = []
    try:
        with guards:
            async with opening() as opened:
                response = opened.http_response
                body = Body(response.headers.get("content-type", ""), call.limits.event_bytes)
                async with aclosing(_events(response, guards, call, dialect, body)) as events:
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
        guard = guards.fired
        try:
            kept = _kept(error, dialect, body)
        except Exception as judged:  # noqa: BLE001 - classified, and raised as what it is
            error, guard = judged, None
        if not kept:
            raise ProviderFailure(
                classify(
                    signals_from(
                        error,
                        caller=call.caller,
                        model=call.model,
                        at=call.clock.now(),
                        response=response,
                        guard=guard,
                        guard_seconds=guards.fired_after if guard else None,
                        cancelled_by_library=isinstance(error, asyncio.CancelledError),
                    )
                )
            ) from error
    for one in kept:
        yield one


async def _events(
    response: httpx2.Response, guards: Guards, call: Call, dialect: Dialect, body: Body
) -> AsyncGenerator[ModelEvent, None]:
    """Read the body until the answer is whole, and a moment longer."""
    out: list[ModelEvent] = []
    size = 0
    async with aclosing(response.aiter_bytes()) as chunks:
        guards.waiting()
        async for chunk in chunks:
            guards.received()
            size += len(chunk)
            if size > call.limits.body_bytes:
                raise AnswerTooLongError(call.limits.body_bytes)
            for event in body.feed(chunk):
                if dialect.decode(event, out):
                    guards.progressed()
                if out and dialect.word is not None:
                    guards.closing(closes=False)
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
            guards.closing(closes=dialect.closes)
            if body.is_page:
                break
            guards.waiting()
    for one in _rest(dialect, body):
        yield one


def _rest(dialect: Dialect, body: Body) -> list[ModelEvent]:
    """Return what follows of an answer whose body is over, `Completed` last.

    Raises:
        StreamEndedError, NotAStreamError, ...: nothing says that it is whole.
    """
    out: list[ModelEvent] = []
    for event in body.flush():
        try:
            dialect.decode(event, out)
        except MalformedEventError:
            # Half an event. If the answer hung on it, there is no finish word either.
            if dialect.word is None:
                raise StreamEndedError from None
    body.finish(dialect, out)
    assert dialect.completed is not None
    return [*out, dialect.completed]


def _kept(error: BaseException, dialect: Dialect, body: Body | None) -> list[ModelEvent]:
    """Return what follows of an answer whose body broke off behind the finish word.

    Nothing where it broke off before it, or where the provider itself says that it failed.

    Raises:
        StreamFailedError, ...: the finish word itself says that the answer failed.
    """
    if body is None or isinstance(error, REPORTED) or (dialect.word and not dialect.closes):
        return []
    if isinstance(error, MalformedEventError) and dialect.word is None:
        return []  # half an event in the middle, whatever came behind it
    try:
        return _rest(dialect, body)
    except (StreamEndedError, NotAStreamError, MalformedEventError):
        return []
