"""From click's synchronous commands to asyncio, and back as an exit code."""

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
    from palaver.client.live import Connected, ConnectionLost
    from palaver.wire.events import StreamEvent

E = TypeVar("E")

# A command waits this long (seconds) for a daemon that somebody else runs to come back: longer
# than a restart takes, shorter than a CI job's patience.
LOST_S: Final = 60.0
# Standard input that says nothing for so long (seconds) is spoken of: longer than a program takes
# to begin, shorter than a person wonders.
SILENT_S: Final = 1.0
PIECE: Final = 65_536  # bytes of standard input read at once


def run_async(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's work and leave with the exit code that it returns."""
    import asyncio

    code = asyncio.run(work)
    if code:
        raise click.exceptions.Exit(code)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Client]:
    """Open a client on the daemon, which is started if need be, and fits. Raises `PalaverError`."""
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
    """Yield the events of a stream; say when the connection is lost, and start our daemon again.

    Raises:
        PalaverError: the daemon cannot be started again, or stayed away for `LOST_S`.
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
    """Start our daemon again; a line to another machine may take its time to come back."""
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
    """Return `text` and what is piped into the command below it; "" if neither says anything.

    A pipe that stays open and empty (of an editor, or a CI job) is read to its end all the same:
    whatever feeds it may be slow. That it is waited for is said after `SILENT_S`.

    Raises:
        PalaverError: what is piped in is not UTF-8 text, or cannot be read.
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
    """Read all there is; say that it is `waiting` if nothing comes for a while."""
    import select

    pieces: list[bytes] = []
    told = False
    while True:
        # In steps: a ^C that comes just before a wait without an end would not be seen in it.
        while not select.select([descriptor], [], [], SILENT_S)[0]:
            if not told:
                told = True
                words.notice(waiting)
        piece = os.read(descriptor, PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
