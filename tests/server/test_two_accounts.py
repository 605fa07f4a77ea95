"""A chat with reasoning continues with another account, chosen or as a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaverd.config.types import Config, ModelConfig, ProviderConfig
from providers.strict import Body, Rule, StrictServer, refusal, strict
from support.clock import PATIENCE_S, ManualClock
from support.daemon import running_daemon, short_dir


def own_reasoning(seal: str) -> Rule:
    """Refuse reasoning that another account encrypted, as OpenAI does."""

    def rule(body: Body) -> tuple[int, Any] | None:
        sealed = [item.get("encrypted_content") for item in body["input"]]
        if any(one not in (None, seal) for one in sealed):
            return refusal("It could not be verified.", code="invalid_encrypted_content")
        return None

    return rule


class Accounts:
    """A daemon with the models `a`, whose fallback is `b`, and `b`, each of its own account."""

    def __init__(self, clock: ManualClock, client: Client, a: StrictServer, b: StrictServer):
        self.clock, self.client, self.a, self.b = clock, client, a, b
        self.chat_id = ""

    async def ask(self, text: str, model: str) -> str | None:
        """Send a message, let waits pass, and return the name of the model that answered."""
        if self.chat_id:
            await self.client.send(self.chat_id, SendMessage(text, model=model))
        else:
            created = await self.client.create_chat(CreateChat(text, model=model))
            self.chat_id = created.chat.id
        async with asyncio.timeout(PATIENCE_S):
            while (now := await self.client.chat(self.chat_id)).status != "waiting":
                assert now.last_error is None
                if now.retry is not None:
                    self.clock.advance(now.retry.delay_ms / 1000)
                await asyncio.sleep(0.005)
        messages = (await self.client.messages(self.chat_id)).messages
        return next(message.model for message in messages if message.role == "assistant")


@asynccontextmanager
async def accounts() -> AsyncIterator[Accounts]:
    async with (
        short_dir() as folder,
        strict("openai", own_reasoning("by-a"), "by-a") as a,
        strict("openai", own_reasoning("by-b"), "by-b") as b,
    ):
        config = Config(
            worker=LONG_LEASES,
            providers={
                name: ProviderConfig(kind="openai", base_url=f"{one.url}/v1", api_key=name)
                for name, one in (("a", a), ("b", b))
            },
            models={
                "a": ModelConfig(provider="a", model="m", reasoning="low", fallback=["b"]),
                "b": ModelConfig(provider="b", model="m", reasoning="low"),
            },
        )
        async with (
            running_daemon(folder, config, clock := ManualClock()) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            yield Accounts(clock, client, a, b)


def sealed(body: Body) -> list[str]:
    return [item["encrypted_content"] for item in body["input"] if "encrypted_content" in item]


async def test_a_chat_goes_on_with_another_account_and_comes_back() -> None:
    async with accounts() as s:
        assert [await s.ask("first", "a"), await s.ask("second", "b")] == ["a", "b"]
        assert await s.ask("third", "a") == "a"
        assert [sealed(body) for body in s.b.asked] == [[]]
        assert [sealed(body) for body in s.a.asked] == [[], ["by-a"]]


async def test_who_stands_in_is_sent_nothing_that_it_did_not_write() -> None:
    async with accounts() as s:
        await s.ask("first", "a")
        s.a.rule = lambda _: (529, {"error": {"type": "overloaded_error", "message": "busy"}})
        assert await s.ask("second", "a") == "b"
        assert [sealed(body) for body in s.b.asked] == [[]]
