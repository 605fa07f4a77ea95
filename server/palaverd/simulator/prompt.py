"""A parsed request and its answer, independent of the protocol."""

from __future__ import annotations

import hashlib
from itertools import pairwise

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

    def answers_after(self, mark: str) -> int | None:
        """Return how many answers follow the last message of the user that has `mark` in it.

        None if there is no such message. What stands between two tool results is one answer.
        """
        marked = [
            at for at, (role, text) in enumerate(self.texts) if role == "user" and mark in text
        ]
        if not marked:
            return None
        roles = [role for role, _ in self.texts[marked[-1] :]]
        return sum(
            role == "assistant" and before != "assistant" for before, role in pairwise(roles)
        )

    @property
    def key(self) -> str:
        """A key that is equal for attempts of the same call."""
        return hashlib.sha256(msgspec.json.encode((self.model, self.texts))).hexdigest()

    @property
    def tokens(self) -> int:
        """The estimated number of tokens, of four characters each."""
        return 8 + (len(self.system) + sum(len(text) for _, text in self.texts)) // 4


class Use(msgspec.Struct, frozen=True):
    """A tool call. `arguments` is JSON; `cuts` are the pieces in which it is streamed."""

    tool: str
    arguments: str = "{}"
    cuts: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer.

    `finish` is stop, length, tool or filter; counts are in tokens.
    """

    id: str
    model: str
    text: str
    reasoning: str = ""
    calls: tuple[Use, ...] = ()
    finish: str = "stop"
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int = 0

    def call_ids(self, prefix: str) -> list[str]:
        """Return the ids of the tool calls."""
        more = (f"{prefix}_{self.id}_{number}" for number in range(2, len(self.calls) + 1))
        return [f"{prefix}_{self.id}", *more] if self.calls else []


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
