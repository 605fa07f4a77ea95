"""One model call over HTTP: open, read, guard and decode, and classify every failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from palaver.clock import Clock, deadline
from palaverd.failures import ProviderFailure, classify
from palaverd.providers.body import PLAIN_BODY, Body
from palaverd.providers.dialect import Dialect
from palaverd.providers.errors import (
    REPORTED,
    AnswerTooLongError,
    MalformedEventError,
    NotAStreamError,
    StreamEndedError,
)
from palaverd.providers.exception_signals import Caller, signals_from
from palaverd.providers.guards import Guards
from palaverd.providers.limits import CallLimits
from palaverd.providers.neutral import ModelEvent

if TYPE_CHECKING:
    import httpx2


class Opened(Protocol):
    """An opened response, as an SDK's `with_streaming_response` yields it."""

    @property
    def http_response(self) -> httpx2.Response:
        """The response, its body unread."""


Opening = Callable[[], AbstractAsyncContextManager[Opened]]


class Call(msgspec.Struct, frozen=True):
    """The parameters of a call besides its request."""

    caller: Caller
    model: str
    clock: Clock
    limits: CallLimits


async def model_events(
    call: Call, opening: Opening, dialect: Dialect
) -> AsyncGenerator[ModelEvent, None]:
    """Yield the events of an answer; the last one is always `Completed`.

    Iterate it in one task, the one that a guard cancels. Close it when leaving it early
    (`contextlib.aclosing`), or the connection stays open.

    Raises:
        ProviderFailure: any failure, classified.
        asyncio.CancelledError: the task was cancelled by something other than our guards.
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
        # A guard's cancellation is undone (uncancel). A library may raise CancelledError by itself,
        # and may convert a real cancellation to an error of its own. Only a cancel count that rose
        # since the call began means that this task was asked to stop.
        asked = (task.uncancel() if guards.fired else task.cancelling()) > cancels
        if asked and isinstance(error, asyncio.CancelledError):
            raise
        if asked:
            raise asyncio.CancelledError from error
        if dialect.completed is not None:
            return  # the answer was complete; only the connection was lost
        guard = guards.fired
        try:
            kept = _kept(error, dialect, body)
        except Exception as judged:  # noqa: BLE001 - classified below
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
    """Read the body until the answer is complete, then drain the connection briefly."""
    out: list[ModelEvent] = []
    size = 0
    plain = response.extensions.get(PLAIN_BODY)
    async with aclosing(response.aiter_bytes() if plain is None else aiter(plain)) as chunks:
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
                    # Waiting for the end of the body could turn this success into a timeout.
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
    """Return the remaining events of an answer whose body has ended, `Completed` last.

    Raises:
        StreamEndedError, NotAStreamError, ...: the answer is incomplete.
    """
    out: list[ModelEvent] = []
    for event in body.flush():
        try:
            dialect.decode(event, out)
        except MalformedEventError:
            # Half an event. If it mattered, there is no finish word either.
            if dialect.word is None:
                raise StreamEndedError from None
    body.finish(dialect, out)
    assert dialect.completed is not None
    return [*out, dialect.completed]


def _kept(error: BaseException, dialect: Dialect, body: Body | None) -> list[ModelEvent]:
    """Return the remaining events of an answer whose body broke off after the finish word.

    Empty if it broke off before, or if the provider reported a failure.

    Raises:
        StreamFailedError, ...: the finish word means that the answer failed.
    """
    if body is None or isinstance(error, REPORTED) or (dialect.word and not dialect.closes):
        return []
    if isinstance(error, MalformedEventError) and dialect.word is None:
        return []  # half an event in the middle, whatever followed
    try:
        return _rest(dialect, body)
    except (StreamEndedError, NotAStreamError, MalformedEventError):
        return []
