"""What goes when an earlier message is said anew. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from palaver.wire.chats import BUSY
from palaver.wire.messages import Message
from palaver_tui.state.chat import ChatView


@dataclass(frozen=True, slots=True)
class Dropped:
    """Messages after the edited one, messages that wait, and whether an answer is stopped.

    `at_least`: there are more messages than these, which are not here to be counted.
    """

    messages: int
    queued: int
    answer: bool
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """How many messages that a person reads there are after message `after` up to `up_to`."""

    messages: int
    after: int
    up_to: int


def dropped_by(view: ChatView, message_id: int, counted: Counted | None = None) -> Dropped:
    """Return what saying message `message_id` anew drops from a chat as it is now.

    `counted` is what the daemon was asked for because not all of them are here.
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
    """Return whether a person reads a message as one: results belong to their calls."""
    return message.visibility != "model" and message.role in {"user", "assistant"}


def in_words(dropped: Dropped) -> str:
    """Return what goes, in a few words; empty when nothing does."""
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
