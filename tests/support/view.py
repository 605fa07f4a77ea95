"""What a client shows of one chat: the events of its stream, applied without any tolerance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing

import msgspec

from palaver.client import Client
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.stream.progress import Progress, step
from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    ActionRequired,
    CaughtUp,
    ErrorEvent,
    HistoryReset,
    HistoryTruncated,
    Incomplete,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    QueueUpdate,
    RetryEvent,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Message, QueuedMessage
from support.clock import PATIENCE_S

# The fields of a view that an event replaces.
STATES: dict[type, tuple[str, ...]] = {
    StatusEvent: ("status",),
    QueueUpdate: ("queue", "held"),
    RetryEvent: ("retry",),
    ErrorEvent: ("error",),
    ActionRequired: ("call_ids",),
}
Item = StreamEvent | Connected | ConnectionLost


class LiveText(msgspec.Struct):
    """One block of live output."""

    kind: str
    name: str | None
    call_id: str | None
    text: str = ""


class View(msgspec.Struct):
    """A client's state. `take` fails for an event that would leave a gap or an echo.

    Live output lies beside the messages, so that the two can be compared: `told` is the live output
    of each episode as it was when its message replaced it.
    """

    progress: Progress = Progress()
    messages: dict[int, Message] = {}
    live: dict[int, LiveText] = {}
    told: dict[str, dict[int, LiveText]] = {}
    queue: list[QueuedMessage] = []
    held: bool = False
    status: str = ""
    retry: RetryInfo | None = None
    error: ChatError | None = None
    call_ids: list[str] = []
    caught_up: bool = False

    def take(self, event: StreamEvent) -> None:
        """Apply one event of `Client.stream`."""
        shown = self.progress.at.episode if self.progress.at is not None else None
        self.progress, new = step(self.progress, event)
        assert new == event, "the client passed on what was read before"
        match event:
            case MessageEvent(message, replaces):
                known = self.messages.get(message.id)
                assert known is None or known.revision <= message.revision
                self.messages[message.id] = message
                if replaces is not None and replaces == shown:
                    self.told[replaces], self.live = self.live, {}
            case MessagePartEvent():
                if event.episode != shown:
                    self.live = {}
                block = self.live.setdefault(
                    event.block, LiveText(event.kind, event.name, event.call_id)
                )
                assert event.offset == len(block.text), "a gap or an echo"
                block.text += event.delta
            case PreviewReset() | Incomplete():
                self.live = {}
            case HistoryTruncated(first):
                self.messages = {n: one for n, one in self.messages.items() if n < first}
            case HistoryReset():
                self.messages, self.live = {}, {}
            case CaughtUp():
                self.caught_up = True
            case _:
                for name in STATES.get(type(event), ()):
                    setattr(self, name, getattr(event, name))

    def take_new(self, event: StreamEvent) -> list[StreamEvent]:
        """Apply what is new of an event as the daemon sends it; return that, if it is anything."""
        _, new = step(self.progress, event)
        if new is None:
            return []
        self.take(new)
        return [new]

    def take_all(self, events: Iterable[Item]) -> None:
        """Apply events; a connection that is lost or made changes nothing that is shown."""
        for event in events:
            if isinstance(event, Connected | ConnectionLost):
                self.caught_up = False
            else:
                self.take(event)

    @property
    def shown(self) -> tuple[object, ...]:
        """Everything that a person sees."""
        return (
            self.status,
            self.messages,
            self.live,
            self.queue,
            self.held,
            self.retry,
            self.error,
            self.call_ids,
        )


async def read_until(
    client: Client,
    chat_id: str,
    view: View,
    enough: Callable[[], object],
    *,
    patience_s: float = PATIENCE_S,
) -> list[StreamEvent]:
    """Follow a chat from where `view` is until `enough` is true after an event; return the events.

    Fails after `patience_s`.
    """
    events: list[StreamEvent] = []
    async with (
        asyncio.timeout(patience_s),
        aclosing(client.stream(chat_id, progress=view.progress)) as batches,
    ):
        async for batch in batches:
            for item in batch:
                view.take_all([item])
                if isinstance(item, Connected | ConnectionLost):
                    continue
                events.append(item)
                if enough():
                    return events
    raise AssertionError("the stream ended")
