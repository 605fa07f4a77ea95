"""What generation asks of a provider and gets back, whatever protocol is spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

import msgspec

from palaver.wire.messages import Finish, Part, Usage
from palaverd.providers.terms import Terms

# --- request --------------------------------------------------------------------------------


class Turn(msgspec.Struct, frozen=True):
    """One message of the prompt. `private` holds what this provider needs back for each part
    (signatures, say), by index of the part; it comes from `Completed.private`.
    """

    role: Literal["user", "assistant", "tool"]
    parts: list[Part]
    private: dict[str, str] = {}


class ModelRequest(msgspec.Struct, frozen=True):
    """One model call. `model` is the provider's own name for it, `called` is what people call it:
    the name that failures say.

    `context_limit` is how many tokens the model takes in all, where that is known; `terms` is how
    its server wants a request.
    """

    model: str
    system: str
    turns: list[Turn]
    max_output_tokens: int
    reasoning: Literal["low", "medium", "high"] | None = None
    called: str | None = None
    context_limit: int | None = None
    terms: Terms = Terms()


# --- events ---------------------------------------------------------------------------------


class BlockStart(msgspec.Struct, frozen=True):
    """A block begins. Blocks are numbered from 0 in the order in which they begin."""

    block: int
    kind: Literal["text", "reasoning", "tool_call"]
    name: str | None = None
    provider_call_id: str | None = None


class Delta(msgspec.Struct, frozen=True):
    """Text of a block grows; for a tool call it is the JSON of its arguments."""

    block: int
    text: str


class BlockEnd(msgspec.Struct, frozen=True):
    """A block is whole. `private` is what the provider wants back with it."""

    block: int
    private: str | None = None


class Completed(msgspec.Struct, frozen=True):
    """The answer came to its end. Always the last event.

    With the finish `unknown` it may not be whole: `word` is what the provider said, a word that
    is not known, or None where it ended the answer without one.
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
        """Call the model. Ends after `Completed`, and in no other way without an exception.

        Read it to its end, or close it (`contextlib.aclosing`): the connection stays open
        otherwise. Cancelling the task that reads it is enough, too.

        Raises:
            palaverd.failures.ProviderFailure: whatever went wrong, already classified.
            asyncio.CancelledError: the task was cancelled.
        """

    async def warm_up(self) -> None:
        """Import the SDK and make the client, off the event loop."""

    async def close(self) -> None:
        """Close connections."""
