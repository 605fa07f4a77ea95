"""The reducer of a chat's stream, `(view, event) -> view`. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from palaver.client import Connected, ConnectionLost
from palaver.stream.progress import Progress, step
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
    UsageEvent,
)
from palaver.wire.messages import Message, QueuedMessage, Text
from palaver_tui.state.chat import ChatView, Live, LiveBlock
from palaver_tui.state.growing_text import GrowingText

Item = StreamEvent | Connected | ConnectionLost


def reduce(view: ChatView, event: Item, now: datetime) -> ChatView:
    """Return `view` after the part of `event` that is new; unknown event types change nothing."""
    if isinstance(event, Connected | ConnectionLost):
        return replace(view, attached=False)
    # The client tries to fill gaps before it passes events on: accept the remaining ones.
    progress, new = step(view.progress, event, jump=True)
    if isinstance(new, MessagePartEvent):
        return _part(view, new, progress)
    if progress is not view.progress:
        view = replace(view, progress=progress)
    handler = _HANDLERS.get(type(new))
    return view if handler is None else handler(view, new, now)


def reduce_all(view: ChatView, events: Iterable[Item], now: datetime) -> ChatView:
    """Return `view` after `events`, in order."""
    for event in events:
        view = reduce(view, event, now)
    return view


def _status(view: ChatView, event: StatusEvent, now: datetime) -> ChatView:
    same_work = view.status == event.status and (
        view.versions is not None and view.versions.history == event.versions.history
    )
    return replace(
        view,
        status=event.status,
        since=event.pending_since or (view.since if same_work else now),
        pending=event.pending,
        versions=event.versions,
        title=event.title,
        model=event.model or view.model,
    )


def with_messages(view: ChatView, messages: Collection[Message]) -> ChatView:
    """Return `view` with `messages` merged in by id; the higher revision stays.

    Outgoing messages with their keys are removed.
    """
    view = arrived(view, messages)
    merged = list(view.messages)
    ids = [message.id for message in merged]
    for message in messages:
        index = bisect_left(ids, message.id)
        if index < len(ids) and ids[index] == message.id:
            if message.revision >= merged[index].revision and message != merged[index]:
                merged[index] = message
        else:
            ids.insert(index, message.id)
            merged.insert(index, message)
    return replace(view, messages=tuple(merged))


def arrived(view: ChatView, messages: Iterable[Message | QueuedMessage]) -> ChatView:
    """Return `view` without the outgoing messages whose keys `messages` have."""
    if not view.outgoing:
        return view
    keys = {message.key for message in messages}
    return replace(view, outgoing=tuple(item for item in view.outgoing if item.key not in keys))


def user_text(message: Message) -> str:
    """Return the text of a message's text parts, joined with newlines."""
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))


def is_elsewhere(view: ChatView, message_id: int) -> bool:
    """Return whether a message belongs to a page that is not in memory: before all, or in the gap.

    It is then not merged in: it comes with its page.
    """
    messages = view.messages
    if not view.caught_up or not messages:
        return False
    at = bisect_left([message.id for message in messages], message_id)
    if at < len(messages) and messages[at].id == message_id:
        return False
    if at == 0:
        return view.older
    return at < len(messages) and messages[at - 1].id == view.gap


def _message(view: ChatView, event: MessageEvent, now: datetime) -> ChatView:
    if is_elsewhere(view, event.message.id):
        return arrived(view, [event.message])
    view = with_messages(view, [event.message])
    if event.replaces is None:
        return view
    live = view.live if view.live and view.live.episode != event.replaces else None
    return replace(view, live=live)


def _part(view: ChatView, part: MessagePartEvent, progress: Progress) -> ChatView:
    live = view.live
    if live is None or live.episode != part.episode:
        live = Live(part.episode)
    blocks = live.blocks
    place = next((n for n in reversed(range(len(blocks))) if blocks[n].number <= part.block), -1)
    if place < 0 or blocks[place].number != part.block:
        text = GrowingText().plus(part.delta)
        fresh = LiveBlock(part.block, part.kind, text, part.name, part.call_id)
        live = replace(live, blocks=(*blocks[: place + 1], fresh, *blocks[place + 1 :]))
        return replace(view, live=live, progress=progress)
    known = blocks[place]
    grown = replace(
        known,
        text=known.text.plus(part.delta),
        name=part.name or known.name,
        call_id=part.call_id or known.call_id,
    )
    live = replace(live, blocks=(*blocks[:place], grown, *blocks[place + 1 :]))
    return replace(view, live=live, progress=progress)


def _preview_reset(view: ChatView, event: PreviewReset, now: datetime) -> ChatView:
    live = Live(event.episode) if event.episode is not None else None
    # A new attempt begins now, and with it the wait for its first token.
    return replace(view, live=live, since=now if live else view.since)


def _incomplete(view: ChatView, event: Incomplete, now: datetime) -> ChatView:
    return replace(view, live=Live(event.episode))


def _truncated(view: ChatView, event: HistoryTruncated, now: datetime) -> ChatView:
    kept = tuple(message for message in view.messages if message.id < event.from_id)
    gone = view.gap is not None and event.from_id <= view.gap
    return replace(view, messages=kept, gap=None if gone else view.gap)


def _history_reset(view: ChatView, event: HistoryReset, now: datetime) -> ChatView:
    return replace(view, messages=(), gap=None, live=None, older=True)


def _queue(view: ChatView, event: QueueUpdate, now: datetime) -> ChatView:
    return replace(arrived(view, event.queue), queue=tuple(event.queue), held=event.held)


def _retry(view: ChatView, event: RetryEvent, now: datetime) -> ChatView:
    return replace(view, retry=event.retry, since=view.since if event.retry else now)


def _error(view: ChatView, event: ErrorEvent, now: datetime) -> ChatView:
    return replace(view, error=event.error, resume_at=event.resume_at)


def _action(view: ChatView, event: ActionRequired, now: datetime) -> ChatView:
    return replace(view, open_calls=tuple(event.call_ids), asked=tuple(event.calls))


def _usage(view: ChatView, event: UsageEvent, now: datetime) -> ChatView:
    return replace(
        view,
        context_tokens=event.context_tokens,
        context_limit=event.context_limit,
        cost_micros=event.cost_micros,
    )


def _caught_up(view: ChatView, event: CaughtUp, now: datetime) -> ChatView:
    return replace(view, attached=True)


_HANDLERS: dict[type, Callable[[ChatView, Any, datetime], ChatView]] = {
    StatusEvent: _status,
    MessageEvent: _message,
    PreviewReset: _preview_reset,
    Incomplete: _incomplete,
    HistoryTruncated: _truncated,
    HistoryReset: _history_reset,
    QueueUpdate: _queue,
    RetryEvent: _retry,
    ErrorEvent: _error,
    ActionRequired: _action,
    UsageEvent: _usage,
    CaughtUp: _caught_up,
}
