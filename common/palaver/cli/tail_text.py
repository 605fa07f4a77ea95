"""The work of `palaver tail`: a chat as text that is only appended to."""

from __future__ import annotations

from contextlib import aclosing

from palaver.cli import exits, output, words
from palaver.cli.answer import AnswerText
from palaver.cli.ids import find_id
from palaver.cli.messages import failure_line, heading, message_text
from palaver.cli.runtime import connected, patient
from palaver.cli.settings import Settings
from palaver.wire.chats import BUSY
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    ActionRequired,
    CaughtUp,
    ErrorEvent,
    Incomplete,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    RetryEvent,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Failure, Message
from palaver.wire.questions import Asks, OpenCall


async def follow(
    settings: Settings, chat_id: str, earlier: int, *, until_idle: bool, as_json: bool
) -> int:
    """Print a chat and its updates; return the exit code. Raises `PalaverError`."""
    status = ""
    view = TailText(earlier)
    async with (
        connected(settings) as client,
        aclosing(patient(client.stream(await find_id(client, chat_id)), settings)) as batches,
    ):
        async for events in batches:
            for event in events:
                if as_json:
                    output.write_json(event)
                else:
                    output.write(view.take(event))
                if isinstance(event, StatusEvent):
                    status = event.status
                elif isinstance(event, CaughtUp) and until_idle and status not in BUSY:
                    return exits.CHAT_ERROR if status == "error" else exits.FINISHED
    return exits.FINISHED


class TailText:
    """Converts the events of a chat to text to append. `earlier`: messages before the live ones."""

    def __init__(self, earlier: int) -> None:
        self._earlier = earlier
        self._waiting: dict[int, Message] | None = {}
        self._printed: set[int] = set()
        self._answer = AnswerText()
        self._answering = False
        self._model: str | None = None
        self._error: ChatError | None = None  # the chat's error, not printed yet
        self._asked: list[OpenCall] = []
        self._asked_before: set[str] = set()
        self._told: ChatError | None = None  # the last error printed from history

    def take(self, event: StreamEvent) -> str:
        """Return the text that an event adds."""
        match event:
            case MessageEvent(message=message):
                return self._message(message)
            case MessagePartEvent():
                text = self._answer.part(event)
                if text and not self._answering:
                    self._answering = True
                    return heading("assistant", self._model, None) + text.lstrip("\n")
                return text
            case PreviewReset() | Incomplete():
                self._answer.withdraw()
            case StatusEvent():
                self._model = event.model
            case RetryEvent(retry=retry) if retry is not None:
                return self._line(f"{retry.error.message} ({words.following(retry)})")
            case ErrorEvent(error=error):
                self._error = error
            case ActionRequired(calls=calls):
                self._asked = calls
            case CaughtUp():
                return self._beginning() + self._reason() + self._questions()
            case _:
                pass
        return ""

    def _beginning(self) -> str:
        """Return the earlier messages, once all of them have arrived."""
        if self._waiting is None:
            return ""
        first, self._waiting = self._waiting, None
        shown = sorted(first.items())[-self._earlier :] if self._earlier else []
        self._printed.update(first)
        return "".join(self._whole(message) for _, message in shown)

    def _reason(self) -> str:
        """Return the chat's error, unless history has it."""
        error, self._error = self._error, None
        if error is None or error == self._told:
            return ""
        return self._line(failure_line(error))

    def _questions(self) -> str:
        """Return what the chat asks, once for each call."""
        new = [call for call in self._asked if call.call_id not in self._asked_before]
        self._asked_before.update(call.call_id for call in new)
        return "".join(self._line(words.asks(Asks(1, call.tool, call.question))) for call in new)

    def _message(self, message: Message) -> str:
        if self._waiting is not None:
            # The newest page may be in any order: sort it once it is complete.
            self._waiting[message.id] = message
            return ""
        if message.id in self._printed:
            return ""
        self._printed.add(message.id)
        if not self._answering:
            return self._whole(message)
        if message.role == "assistant":
            rest = self._answer.commit(message.id, message_text(message))
        elif any(isinstance(part, Failure) for part in message.parts):
            rest = f"\n\n{self._whole(message).rstrip()}"  # the live answer was discarded
        else:
            return self._whole(message)
        self._answering, self._answer = False, AnswerText()
        return f"{rest}\n\n"

    def _whole(self, message: Message) -> str:
        for part in message.parts:
            if isinstance(part, Failure):
                self._told = part.error
        text = message_text(message)
        return f"{heading(message.role, message.model, message.created_at)}{text}\n\n"

    def _line(self, sentence: str) -> str:
        start = "\n" if self._answering else ""
        return f"{start}-- {sentence}\n"
