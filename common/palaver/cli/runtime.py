"""Helpers of commands: the event loop, a connected client, patient streams, piped input."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from palaver.cli import words
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.client.connection_events import Connected, ConnectionLost
    from palaver.wire.events import StreamEvent

E = TypeVar("E")

# Seconds to wait for a lost connection to a daemon that a command cannot start: longer than a
# restart, shorter than a CI job's timeout.
LOST_S: Final = 60.0
# Seconds of silent standard input before a notice: longer than a program needs to start, shorter
# than a user wonders.
SILENT_S: Final = 1.0
PIECE: Final = 65_536  # bytes of standard input read at once


def run_async(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's coroutine and exit with the code that it returns."""
    import asyncio

    code = asyncio.run(work)
    if code:
        raise click.exceptions.Exit(code)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Client]:
    """Yield a client of the daemon, started if needed and compatible. Raises `PalaverError`."""
    from palaver.client import Client

    endpoint = await settings.connect()
    if endpoint.note:
        words.notice(endpoint.note)
    async with Client(endpoint) as client:
        await client.meet()
        yield client


async def patient(
    stream: AsyncGenerator[list[StreamEvent | Connected | ConnectionLost]], settings: Settings
) -> AsyncGenerator[list[StreamEvent]]:
    """Yield the events of a stream; report a lost connection, and restart our own daemon.

    Raises:
        PalaverError: the daemon cannot be started, or the connection stayed lost for `LOST_S`.
    """
    from palaver.client import Connected, ConnectionLost, PalaverError

    lost: datetime | None = None
    async with aclosing(stream) as batches:
        async for batch in batches:
            events: list[StreamEvent] = []
            for item in batch:
                if isinstance(item, ConnectionLost):
                    if lost is None:
                        words.notice(f"Connection lost: {item.reason}. Trying again …")
                    lost = item.since
                    if (_now() - lost).total_seconds() > LOST_S:
                        raise PalaverError(
                            f"The daemon has been away for {LOST_S:g} s: {item.reason}."
                        )
                    await _again(settings)
                elif isinstance(item, Connected):
                    lost = None
                else:
                    events.append(item)
            if events:
                yield events


async def _again(settings: Settings) -> None:
    """Start our daemon if it ended; a connection to another machine may take longer."""
    from palaver.client import Unreachable

    try:
        await settings.connect(asks=False)
    except Unreachable:
        if not settings.remote:
            raise


def _now() -> datetime:
    from palaver.clock import SystemClock

    return SystemClock().now()


def with_piped(text: str | None) -> str:
    """Return `text` followed by piped input; "" if both are empty.

    A pipe that stays open and empty (of an editor, or a CI job) is read to its end, since its
    writer may be slow. After `SILENT_S` a notice says so.

    Raises:
        PalaverError: the input is not UTF-8 text, or cannot be read.
    """
    from palaver.client import PalaverError

    text = text or ""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return text if text.strip() else ""
    waiting = "Waiting for the end of standard input, which is open."
    if text.strip():
        waiting += " To do without it, put  </dev/null  behind the command."
    try:
        piped = _read_to_end(sys.stdin.fileno(), waiting).decode().rstrip("\n")
    except UnicodeDecodeError as error:
        raise PalaverError(f"Standard input is not UTF-8 text ({error.reason}).") from error
    except OSError as error:
        raise PalaverError(f"Standard input could not be read: {error.strerror}.") from error
    return "\n\n".join(part for part in (text, piped) if part.strip())


def _read_to_end(descriptor: int, waiting: str) -> bytes:
    """Return all input; print the notice `waiting` if none arrives for a while."""
    import select

    pieces: list[bytes] = []
    told = False
    while True:
        # With a timeout: a Ctrl-C just before an unlimited select would not interrupt it.
        while not select.select([descriptor], [], [], SILENT_S)[0]:
            if not told:
                told = True
                words.notice(waiting)
        piece = os.read(descriptor, PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
