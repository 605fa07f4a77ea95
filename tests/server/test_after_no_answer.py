"""After a turn without an answer a chat continues, also if roles must alternate."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaverd.config.types import Config, ModelConfig, ProviderConfig
from providers.calling import KINDS, Kind
from providers.strict import Body, refusal, strict
from providers.test_terms import in_turn, roles
from support.chats import reaches
from support.clock import ManualClock
from support.daemon import running_daemon, short_dir


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["failed", "stopped"])
async def test_the_next_message_is_answered(kind: Kind, how: str) -> None:
    """A strict template responds 400 for ever to a second message of one role in a row."""
    down = True

    def rule(body: Body) -> tuple[int, Any] | None:
        if down:
            return (503, {}) if how == "stopped" else refusal("no", 401)
        return in_turn(body)

    async with short_dir() as folder, strict(kind, rule) as server:
        base = server.url if kind == "anthropic" else f"{server.url}/v1"
        config = Config(
            worker=LONG_LEASES,
            providers={"p": ProviderConfig(kind=kind, base_url=base, api_key="k")},
            models={"m": ModelConfig(provider="p", model="m")},
        )
        async with (
            running_daemon(folder, config, ManualClock()) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            chat = (await client.create_chat(CreateChat("first"))).chat.id
            if how == "failed":
                await reaches(client, chat, "error")
            else:  # in a wait that the test does not let pass
                while (now := await client.chat(chat)).retry is None:
                    await asyncio.sleep(0.005)
                await client.interrupt(chat, Interrupt(turn_version=now.versions.turn))
                await reaches(client, chat, "waiting")
            down = False
            await client.send(chat, SendMessage("second"))
            await reaches(client, chat, "waiting")
            assert roles(server.asked[-1]) == ["user"]
            for text in ("first", "second"):
                assert text in str(server.asked[-1])
            await client.send(chat, SendMessage("third"))
            await reaches(client, chat, "waiting")
            assert roles(server.asked[-1]) == ["user", "assistant", "user"]
