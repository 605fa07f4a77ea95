"""Read of a chat what only its stream has: the queue, and what it asks."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from palaver.cli.runtime import patient
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.client import Client
    from palaver.wire.events import StreamEvent

E = TypeVar("E", bound="StreamEvent")


async def read_event(client: Client, settings: Settings, chat_id: str, kind: type[E]) -> E | None:
    """Return the last event of a type that tells the chat's present state; None if none does.

    Raises:
        PalaverError: the stream could not be read.
    """
    from palaver.wire.events import CaughtUp

    found: E | None = None
    async with aclosing(patient(client.stream(chat_id), settings)) as batches:
        async for events in batches:
            for event in events:
                if isinstance(event, kind):
                    found = event
                elif isinstance(event, CaughtUp):
                    return found
    return found
