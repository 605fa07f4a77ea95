"""Format messages as plain text."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from palaver.wire.errors import ChatError
from palaver.wire.messages import (
    Boundary,
    Failure,
    File,
    Finish,
    Message,
    Part,
    Reasoning,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from palaver.wire.questions import Question, question_of

# How an answer ended, unless it is complete.
MARKS: Final[dict[Finish, str]] = {
    "interrupted": "interrupted",
    "length": "cut off at the model's output limit",
    "content_filter": "ended by the provider's content filter",
    "unknown": "the provider did not say that this is the whole answer",
}


def heading(role: str, model: str | None, when: datetime | None) -> str:
    """Return the line above a message: its author and time (local)."""
    who = {"user": "you", "assistant": model or "assistant"}.get(role, role)
    return f"{who} · {when.astimezone():%Y-%m-%d %H:%M}\n" if when else f"{who}\n"


def message_text(message: Message) -> str:
    """Return a message's parts as text, one paragraph each, without reasoning."""
    texts = (part_text(part) for part in message.parts)
    text = "\n\n".join(text for text in texts if text)
    mark = MARKS.get(message.finish) if message.finish is not None else None
    return f"{text}\n[{mark}]" if mark else text


def failure_line(error: ChatError) -> str:
    """Return why a turn failed, in one line."""
    return f"{error.message} ({error.kind})"


def question_text(asked: Question) -> str:
    """Return a question with its numbered options, one on each line."""
    options = [f"  {number}  {one}" for number, one in enumerate(asked.options, 1)]
    return "\n".join([f"? {asked.question}", *options])


def part_text(part: Part) -> str:
    """Return one part as text; "" for reasoning."""
    match part:
        case Text(text=text):
            return text
        case ToolCall(name=name, arguments=arguments):
            asked = question_of(name, arguments)
            return f"[{name} {arguments}]" if asked is None else question_text(asked)
        case ToolResult(is_error=is_error):
            return f"[failed] {part.in_words}" if is_error else part.in_words
        case Source(url=url, title=title):
            return f"[{title or url}]({url})"
        case Boundary(reason=reason):
            return f"--- {reason} ---"
        case File():
            return f"[file {part.in_words}]"
        case Failure(error=error):
            return f"[failed] {failure_line(error)}"
        case Reasoning():
            return ""
