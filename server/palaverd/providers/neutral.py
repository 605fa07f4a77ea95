"""Requests to and events of a provider, independent of its protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal, Protocol

import msgspec

from palaver.wire.messages import Finish, MediaType, Part, Usage
from palaverd.providers.terms import Terms

# --- request --------------------------------------------------------------------------------


class Attachment(msgspec.Struct, frozen=True):
    """A picture or a document that a person sent. `data` is its content in base64."""

    name: str
    media_type: MediaType
    data: str

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, and not a document."""
        return self.media_type.startswith("image/")

    @property
    def address(self) -> str:
        """A URL that has its content (RFC 2397)."""
        return f"data:{self.media_type};base64,{self.data}"


PromptPart = Part | Attachment


class Turn(msgspec.Struct, frozen=True):
    """One message of the prompt.

    `private` is the data to send back to the provider with each part (signatures, for example), by
    index of the part; it comes from `BlockEnd.private`.
    """

    role: Literal["user", "assistant", "tool"]
    parts: Sequence[PromptPart]
    private: dict[str, str] = {}


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool that the model may call. `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


class ModelRequest(msgspec.Struct, frozen=True):
    """One model call. `model` is the provider's name for it, `called` the one for errors.

    `system` is the system text that stays the same for long, `facts` the rest of it.
    `context_limit` is the size of the context window in tokens, if known; `terms` is the form of
    request that the server accepts.
    """

    model: str
    system: str
    turns: list[Turn]
    max_output_tokens: int
    tools: list[ToolSpec] = []
    reasoning: Literal["low", "medium", "high"] | None = None
    called: str | None = None
    context_limit: int | None = None
    terms: Terms = Terms()
    facts: str = ""

    @property
    def told(self) -> str:
        """The whole system text."""
        return "\n\n".join(text for text in (self.system, self.facts) if text)


# --- events ---------------------------------------------------------------------------------


class BlockStart(msgspec.Struct, frozen=True):
    """The start of a block. Blocks are numbered from 0 in order of their start."""

    block: int
    kind: Literal["text", "reasoning", "tool_call"]
    name: str | None = None
    provider_call_id: str | None = None


class Delta(msgspec.Struct, frozen=True):
    """Text appended to a block; for a tool call, JSON of its arguments."""

    block: int
    text: str


class BlockEnd(msgspec.Struct, frozen=True):
    """The end of a block. `private` is the data to send back with it."""

    block: int
    private: str | None = None


class Completed(msgspec.Struct, frozen=True):
    """The end of the answer. Always the last event.

    With the finish `unknown` the answer may be incomplete: `word` is an unknown finish word, or
    None if there was none.
    """

    finish: Finish
    usage: Usage
    model: str | None = None
    word: str | None = None


ModelEvent = BlockStart | Delta | BlockEnd | Completed


class Provider(Protocol):
    """One configured provider."""

    name: str

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model. Ends after `Completed`, or raises.

        Iterate it to its end, or close it (`contextlib.aclosing`): the connection stays open
        otherwise. Cancelling the task that iterates it closes it, too.

        Raises:
            palaverd.failures.ProviderFailure: any failure, classified.
            asyncio.CancelledError: the task was cancelled.
        """

    async def warm_up(self) -> None:
        """Import the SDK and create the client, off the event loop."""

    async def close(self) -> None:
        """Close connections."""
