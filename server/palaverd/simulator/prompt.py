"""A parsed request and its answer, independent of the protocol."""

from __future__ import annotations

import hashlib

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `texts` are (role, text) in order; a tool's result has no text."""

    model: str
    texts: list[tuple[str, str]]
    stream: bool
    system: str = ""
    max_tokens: int | None = None
    reasoning: bool = False
    include_usage: bool = True

    @property
    def last(self) -> str:
        """The user's last message, "" without one."""
        return next((text for role, text in reversed(self.texts) if role == "user" and text), "")

    @property
    def goes_on(self) -> bool:
        """Whether tool results follow that message: it has been answered."""
        role, text = self.texts[-1]
        return role == "tool" or (role == "user" and not text)

    @property
    def key(self) -> str:
        """A key that is equal for attempts of the same call."""
        return hashlib.sha256(msgspec.json.encode((self.model, self.texts))).hexdigest()

    @property
    def tokens(self) -> int:
        """The estimated number of tokens, of four characters each."""
        return 8 + (len(self.system) + sum(len(text) for _, text in self.texts)) // 4


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer.

    `finish` is stop, length, tool or filter; counts are in tokens; `cuts` are the pieces in which
    the tool's arguments are streamed; `calls` is how often the tool is called.
    """

    id: str
    model: str
    text: str
    reasoning: str = ""
    tool: str | None = None
    arguments: str = "{}"
    cuts: tuple[str, ...] = ()
    calls: int = 1
    finish: str = "stop"
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int = 0

    def call_ids(self, prefix: str) -> list[str]:
        """Return the ids of the tool calls, none without a tool."""
        more = (f"{prefix}_{self.id}_{number}" for number in range(2, self.calls + 1))
        return [f"{prefix}_{self.id}", *more] if self.tool else []


class BadRequestError(Exception):
    """The request violates the protocol; the message says how."""


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))
