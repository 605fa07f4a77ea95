"""A chat as Markdown (CommonMark), whose structure no text of a message can change.

What users and models wrote is Markdown itself. Each text stands in a block quote of its own: what
is left open in it, such as a fence, a list or HTML, ends with the quote, and its headings are not
those of the document. What is no Markdown, such as arguments, stands in a fence that is longer than
any in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from palaver.wire.errors import ChatError
from palaver.wire.exports import ExportedChat
from palaver.wire.messages import (
    Boundary,
    Failure,
    File,
    Finish,
    Message,
    Part,
    Reasoning,
    Role,
    Source,
    Text,
    ToolCall,
    ToolResult,
)

_AUTHORS: Final[Mapping[Role, str]] = {
    "user": "You",
    "assistant": "Assistant",
    "tool": "Tools",
    "system": "Palaver",
}
# How an answer ended, unless it is complete.
_ENDINGS: Final[Mapping[Finish, str]] = {
    "interrupted": "Interrupted.",
    "length": "Cut off at the model's output limit.",
    "content_filter": "Ended by the provider's content filter.",
    "unknown": "The provider did not say whether this is the whole answer.",
}
_BOUNDARIES: Final[Mapping[str, str]] = {
    "cleared": "The model does not see what is above.",
    "compacted": "What is above was summarised for the model.",
}
# Punctuation that begins something in a line of Markdown.
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~:&$])")
_LINE_END: Final = re.compile(r"\r\n?")
_TICKS: Final = re.compile(r"`+")
# Control characters, except tabs and line feeds: those that have a picture get it.
_CONTROLS: Final = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


class MarkdownDocument:
    """Encodes an export piece by piece."""

    def begin(self, chat: ExportedChat, now: datetime) -> bytes:
        """Return what comes before the messages."""
        facts = [f"Begun {_when(chat.created_at)}, exported {_when(now)}."]
        if chat.model is not None:
            facts.append(f"Model: {_code(chat.model)}.")
        if chat.labels:
            pairs = sorted(chat.labels.items())
            words = [f"{name}={value}" if value else name for name, value in pairs]
            facts.append(f"Labels: {', '.join(map(_plain, words))}.")
        blocks = [f"# {_plain(chat.title)}", "  \n".join(facts)]
        if chat.system_prompt:
            blocks += ["## System prompt", _quote(chat.system_prompt)]
        return _encode(blocks)

    def message(self, message: Message) -> bytes:
        """Return the next message."""
        author = _AUTHORS[message.role]
        if message.role == "assistant" and message.model is not None:
            author = f"{author} ({_plain(message.model)})"
        blocks = [f"## {author} · {_when(message.created_at)}"]
        for part in message.parts:
            blocks += _part(part)
        if message.finish is not None and message.finish in _ENDINGS:
            blocks.append(f"*{_ENDINGS[message.finish]}*")
        return b"\n" + _encode(blocks)

    def end(self) -> bytes:
        """Return what comes after the messages."""
        return b""


def _encode(blocks: Iterable[str]) -> bytes:
    return ("\n\n".join(blocks) + "\n").encode()


def _part(part: Part) -> list[str]:
    """Return the blocks of a part."""
    match part:
        case Text(text=text):
            return [_quote(text)]
        case Reasoning(text=text):
            return ["*Reasoning*", _quote(text)]
        case ToolCall(name=name, arguments=arguments):
            return [f"**Call of {_code(name)}**", _fence(arguments)]
        case ToolResult(is_error=is_error):
            return ["**Failed**" if is_error else "**Result**", _fence(part.in_words)]
        case Source(url=url, title=title):
            return [f"Source: {_plain(title)} {_code(url)}" if title else f"Source: {_code(url)}"]
        case Boundary(reason=reason, text=text):
            line = f"*{_BOUNDARIES[reason]}*"
            return [line, _quote(text)] if text else [line]
        case File():
            return [f"File: {_plain(part.in_words)}"]
        case Failure(error=error):
            return [f"**Failed:** {_failure(error)}"]


def _failure(error: ChatError) -> str:
    return f"{_plain(error.message)} ({_plain(error.kind)})"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _clean(text: str) -> str:
    """Return a text with line feeds only, and no control characters."""
    return _LINE_END.sub("\n", text).translate(_CONTROLS)


def _quote(text: str) -> str:
    """Return a text in a block quote of its own."""
    lines = _clean(text).strip("\n").split("\n")
    return "\n".join(f"> {line}" if line.strip() else ">" for line in lines)


def _fence(text: str) -> str:
    """Return a text as it is, in a fence."""
    body = _clean(text)
    longest = max((len(run) for run in _TICKS.findall(body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{body}\n{fence}"


def _code(text: str) -> str:
    """Return a text as a code span."""
    line = " ".join(_clean(text).split()) or " "
    longest = max((len(run) for run in _TICKS.findall(line)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"{ticks}{line}{ticks}"


def _plain(text: str) -> str:
    """Return a text as one line without any formatting."""
    return _SPECIAL.sub(r"\\\1", " ".join(_clean(text).split()))
