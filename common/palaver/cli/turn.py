"""Follow a sent message to the end of its turn. Pure: events in, text out."""

from __future__ import annotations

from typing import Literal

import msgspec

from palaver.cli.answer import AnswerText
from palaver.wire.chats import Sent
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
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Finish, Message, Reasoning, Text, Usage
from palaver.wire.questions import OpenCall

# How a message's turn ended, or why it never began: `held` is in a held queue, `gone` was removed
# or dropped by an edit.
Outcome = Literal["finished", "error", "action_required", "interrupted", "held", "gone"]

BY_STATUS: dict[str, Outcome] = {
    "waiting": "finished",
    "paused": "finished",
    "error": "error",
    "requires_action": "action_required",
}


class Turn:
    """The turn of one message, which begins at once or after waiting in the queue."""

    def __init__(self, sent: Sent) -> None:
        self.outcome: Outcome | None = None
        self.error: ChatError | None = None
        self.asked: list[OpenCall] = []  # the calls that wait for a client
        self.turn_version: int | None = None
        self.snapshot: int | None = None  # of the chat, as far as it was received
        # Answers that came before may be unread, and those before a queued message are not printed.
        self._is_next_to_read = sent.queued is None and not sent.chat.unread
        self._queued = sent.queued.id if sent.queued is not None else None
        self._left_queue = sent.queued is None
        self._mine = sent.message.id if sent.message is not None else None
        self._messages: dict[int, Message] = {}
        self._status: str = sent.chat.status
        self._answer = AnswerText()
        if self._mine is not None:
            self.turn_version = sent.chat.versions.turn

    @property
    def queued(self) -> bool:
        """Whether the message is still queued."""
        return self._mine is None

    @property
    def read_to(self) -> int | None:
        """The snapshot up to which a reader of this answer has read the chat.

        None if there may be something else before it that nobody has seen, or after it.
        """
        alone = self._is_next_to_read and self._next_user() is None
        return self.snapshot if alone else None

    @property
    def text(self) -> str:
        """The committed text of the answer."""
        texts = (_text(message) for message in self._answers())
        return "\n\n".join(text for text in texts if text)

    @property
    def finish(self) -> Finish | None:
        """How the provider ended the last answer."""
        answers = self._answers()
        return answers[-1].finish if answers else None

    @property
    def reasoned(self) -> bool:
        """Whether any answer has reasoning."""
        parts = [part for message in self._answers() for part in message.parts]
        return any(isinstance(part, Reasoning) for part in parts)

    @property
    def usage(self) -> Usage | None:
        """The tokens of all steps together, None if no provider reported any."""
        total: dict[str, int] = {}
        for message in self._answers():
            if message.usage is not None:
                for name, count in msgspec.structs.asdict(message.usage).items():
                    if count is not None:
                        total[name] = total.get(name, 0) + count
        return Usage(**total) if total else None

    def take(self, event: StreamEvent) -> str:
        """Process an event; return the text that it adds to the answer."""
        match event:
            case MessageEvent():
                return self._take_message(event)
            case MessagePartEvent() if not self.queued:
                return self._answer.part(event)
            case PreviewReset() | Incomplete():
                self._answer.withdraw()
            case HistoryTruncated(from_id=first):
                self._messages = {n: kept for n, kept in self._messages.items() if n < first}
                if self._mine is not None and self._mine >= first:
                    self.outcome = "gone"
            case HistoryReset():
                self._messages = {}
            case QueueUpdate(queue=queue):
                self._left_queue = all(waiting.id != self._queued for waiting in queue)
            case StatusEvent():
                self._status = event.status
                self.turn_version = event.versions.turn
            case ErrorEvent(error=error):
                self.error = error
            case ActionRequired(calls=calls):
                self.asked = calls
            case CaughtUp(snapshot_version=snapshot):
                self.snapshot = snapshot
                return self._settle()
            case _:
                pass
        return ""

    def _take_message(self, event: MessageEvent) -> str:
        message = event.message
        self._messages[message.id] = message
        if self.queued or message not in self._answers():
            return ""
        return self._answer.commit(message.id, _text(message))

    def _settle(self) -> str:
        """Update message and outcome at a snapshot; return the text that this adds."""
        text = ""
        if self._mine is None and self._left_queue:
            self._mine = self._promoted()
            if self._mine is None:
                self.outcome = "gone"
                return ""
            for message in self._answers():
                text += self._answer.commit(message.id, _text(message))
        if self.outcome is None:
            self.outcome = self._ended()
        return text

    def _promoted(self) -> int | None:
        """Return the id in history of the queued message, None if it was removed."""
        if self._queued is None:
            return None
        return next(
            (one.id for one in self._messages.values() if one.queued_id == self._queued), None
        )

    def _ended(self) -> Outcome | None:
        if self._mine is None:
            # In these states the queue does not advance.
            waiting = BY_STATUS.get(self._status)
            return "held" if waiting == "finished" else waiting
        outcome = "finished" if self._next_user() is not None else BY_STATUS.get(self._status)
        if outcome == "finished":
            answers = self._answers()
            # A turn without an answer was interrupted before the first token.
            if not answers or answers[-1].finish == "interrupted":
                return "interrupted"
        return outcome

    def _next_user(self) -> int | None:
        later = [
            message.id
            for message in self._messages.values()
            if self._mine is not None and message.id > self._mine and message.role == "user"
        ]
        return min(later, default=None)

    def _answers(self) -> list[Message]:
        if self._mine is None:
            return []
        end = self._next_user()
        return [
            message
            for number, message in sorted(self._messages.items())
            if message.role == "assistant" and number > self._mine and (end is None or number < end)
        ]


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
