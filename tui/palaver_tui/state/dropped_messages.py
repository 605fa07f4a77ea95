"""What is dropped when an earlier message is edited. Pure."""

from __future__ import annotations

import msgspec

from palaver.wire.chats import BUSY
from palaver.wire.messages import Message
from palaver_tui.state.chat import ChatView


class Dropped(msgspec.Struct, frozen=True):
    """The messages after the edited one, the queued ones, and whether an answer is stopped.

    `at_least`: there are more than `messages`, which were not fetched and cannot be counted.
    """

    messages: int
    queued: int
    answer: bool
    at_least: bool = False


class Counted(msgspec.Struct, frozen=True):
    """The number of visible messages after message `after`, up to and including `up_to`."""

    messages: int
    after: int
    up_to: int


def dropped_by(view: ChatView, message_id: int, counted: Counted | None = None) -> Dropped:
    """Return what an edit of message `message_id` drops from a chat in its current state.

    `counted` is the count of the messages that were not here, fetched from the daemon.
    """
    known = counted is not None and counted.after == message_id
    missing = view.gap is not None and message_id <= view.gap
    first = counted.up_to if counted is not None and known and missing else message_id
    here = sum(message.id > first and is_read(message) for message in view.messages)
    before = counted.messages if counted is not None and first != message_id else 0
    return Dropped(
        before + here, len(view.queue), view.status in BUSY, at_least=missing and not known
    )


def is_read(message: Message) -> bool:
    """Return whether a message is visible as one of its own; a tool's result belongs to its call.

    A message that only the model sees is not.
    """
    return message.visibility != "model" and message.role in {"user", "assistant"}


def in_words(dropped: Dropped) -> str:
    """Return what is dropped as words for a sentence; empty if nothing is."""
    parts = []
    if dropped.messages:
        many = "1 message" if dropped.messages == 1 else f"{dropped.messages} messages"
        parts.append(f"more than {many}" if dropped.at_least else many)
    if dropped.queued:
        parts.append(f"{dropped.queued} in the queue")
    if dropped.answer:
        parts.append("the answer under way")
    *most, last = parts or [""]
    return f"{', '.join(most)} and {last}" if most else last
