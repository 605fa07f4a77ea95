"""Call a provider against the simulator, through the real SDKs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from palaver.clock import Clock, SystemClock
from palaver.wire.errors import ChatError
from palaver.wire.messages import Text
from palaverd.config.types import ProviderConfig, ProviderKind
from palaverd.failures import ProviderFailure
from palaverd.providers.build import make_provider
from palaverd.providers.neutral import (
    BlockEnd,
    BlockStart,
    Completed,
    Delta,
    ModelEvent,
    ModelRequest,
    Provider,
    Turn,
)

Kind = ProviderKind
KINDS: tuple[Kind, ...] = ("anthropic", "openai", "openai-compatible")
PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/responses",
    "openai-compatible": "/v1/chat/completions",
}
KEY = "test-key-0123456789"


class Block(msgspec.Struct):
    kind: str
    name: str | None = None
    call_id: str | None = None
    pieces: list[str] = []
    private: str | None = None
    ended: bool = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Outcome(msgspec.Struct):
    """The result of a call; checks the rules for every stream while it reads."""

    blocks: list[Block] = []
    completed: Completed | None = None
    error: ChatError | None = None

    def take(self, event: ModelEvent) -> None:
        assert self.completed is None, "something came after the end"
        match event:
            case BlockStart(block, kind, name, call_id):
                assert block == len(self.blocks)
                self.blocks.append(Block(kind, name, call_id))
            case Delta(block, text):
                assert text
                assert not self.blocks[block].ended
                self.blocks[block].pieces.append(text)
            case BlockEnd(block, private):
                assert not self.blocks[block].ended
                self.blocks[block].ended = True
                self.blocks[block].private = private
            case Completed():
                assert all(block.ended for block in self.blocks)
                self.completed = event

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks if block.kind == "text")


def ask(prompt: str, **fields: object) -> ModelRequest:
    return msgspec.structs.replace(
        ModelRequest(
            model="sim-large",
            system="Be brief.",
            turns=[Turn("user", [Text(prompt)])],
            max_output_tokens=4000,
        ),
        **fields,
    )


async def call(provider: Provider, request: ModelRequest | str) -> Outcome:
    outcome = Outcome()
    if isinstance(request, str):
        request = ask(request)
    try:
        async with aclosing(provider.stream(request)) as events:
            async for event in events:
                outcome.take(event)
    except ProviderFailure as failure:
        outcome.error = failure.error
    assert (outcome.completed is None) != (outcome.error is None)
    return outcome


@asynccontextmanager
async def made(
    kind: Kind, url: str, *, clock: Clock | None = None, api_key: str | None = KEY, **more: Any
) -> AsyncIterator[Provider]:
    provider = make_provider(
        "acme",
        ProviderConfig(kind=kind, base_url=url if kind == "anthropic" else f"{url}/v1", **more),
        api_key=api_key,
        key_hint="ACME_API_KEY",
        clock=clock or SystemClock(),
    )
    try:
        await provider.warm_up()
        yield provider
    finally:
        await provider.close()
