"""What a request asks, whatever protocol it came in."""

from __future__ import annotations

import hashlib

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `texts` are (role, text) in order; a tool's result has no text of its own."""

    model: str
    texts: list[tuple[str, str]]
    stream: bool
    system: str = ""
    max_tokens: int | None = None
    reasoning: bool = False
    include_usage: bool = True

    @property
    def last(self) -> str:
        """The last message of the user, empty when there is none."""
        return next((text for role, text in reversed(self.texts) if role == "user" and text), "")

    @property
    def goes_on(self) -> bool:
        """Whether results of tool calls came behind that message: it has had its answer."""
        role, text = self.texts[-1]
        return role == "tool" or (role == "user" and not text)

    @property
    def key(self) -> str:
        """The same for the same conversation: tries of one call share it."""
        return hashlib.sha256(msgspec.json.encode((self.model, self.texts))).hexdigest()

    @property
    def tokens(self) -> int:
        """Roughly what the prompt counts: four characters make a token."""
        return 8 + (len(self.system) + sum(len(text) for _, text in self.texts)) // 4


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, whole. `finish` is stop, length, tool or filter; counts are tokens; `cuts` are
    the pieces in which the tool's arguments are streamed.
    """

    id: str
    model: str
    text: str
    reasoning: str = ""
    tool: str | None = None
    arguments: str = "{}"
    cuts: tuple[str, ...] = ()
    finish: str = "stop"
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int = 0


class BadRequestError(Exception):
    """A request that the protocol does not allow; the text says why."""


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))
