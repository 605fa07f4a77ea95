"""The daemon as a process: started, refused, stopped and killed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
from pathlib import Path

import pytest

from palaver.client import Connected, ConnectionLost
from palaver.wire.chats import CreateChat
from palaver.wire.events import CaughtUp, MessageEvent, MessagePartEvent
from palaver.wire.messages import Text
from support.process import place, spawn, started

pytestmark = pytest.mark.process


async def refusal(data_dir: Path, *arguments: str) -> str:
    """Start a daemon that must not start; return its message, a single line."""
    process = await spawn(data_dir, *arguments)
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 1
    text = said.decode()
    assert "Traceback" not in text
    return text.strip().splitlines()[-1]


async def test_the_socket_is_private_and_gone_after_a_shutdown() -> None:
    async with place() as data_dir, started(data_dir, forked=False) as daemon:
        socket = data_dir / "palaverd.sock"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert await daemon.end(signal.SIGTERM) == 0
        assert not socket.exists()


async def test_a_second_daemon_on_the_same_data_is_refused_with_the_holders_pid() -> None:
    async with place() as data_dir, started(data_dir) as daemon:
        said = await refusal(data_dir, "--socket", str(data_dir / "other.sock"))
        assert f"pid {daemon.process.pid}" in said
        await daemon.client.health()


async def test_a_taken_socket_is_refused_and_left_alone() -> None:
    async with place() as data_dir, place() as other, started(data_dir) as daemon:
        said = await refusal(other, "--socket", str(data_dir / "palaverd.sock"))
        assert "is taken" in said
        await daemon.client.health()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "0.0.0.0:0"], "others could read along"),
        (["--listen", "7777"], "has no port"),
        (["--listen", "192.0.2.1:0", "--allow-plaintext"], "no such address"),
        (["--no-socket"], "nothing to listen on"),
    ],
)
async def test_where_it_cannot_listen_is_told_before_anything_is_made(
    arguments: list[str], said: str
) -> None:
    async with place() as data_dir:
        assert said in await refusal(data_dir, *arguments)
        assert not (data_dir / "palaver.db").exists()


async def test_a_newer_database_is_refused_and_not_touched() -> None:
    async with place() as data_dir:
        async with started(data_dir) as daemon:
            await daemon.end(signal.SIGTERM)
        database = sqlite3.connect(data_dir / "palaver.db")
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE store_info SET value = '9.9.9' WHERE key = 'program'")
        database.commit()
        database.close()
        before = (data_dir / "palaver.db").read_bytes()
        assert "Install Palaver 9.9.9 or newer" in await refusal(data_dir)
        assert (data_dir / "palaver.db").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[workr]", "there is no key workr. Did you mean worker?"),
        ("[worker", "this is not TOML"),
    ],
)
async def test_a_configuration_with_a_mistake_is_refused(text: str, sentence: str) -> None:
    async with place() as data_dir:
        (data_dir / "config.toml").write_text(text)
        assert sentence in await refusal(data_dir)


async def test_a_chat_that_was_killed_in_mid_answer_goes_on_at_the_next_start() -> None:
    async with place(rate=100) as data_dir:
        async with started(data_dir) as daemon:
            sent = await daemon.client.create_chat(CreateChat(content="[[length=60]] tell me"))
            chat_id = sent.chat.id
            stream = daemon.client.stream(chat_id)
            async for items in stream:
                if any(isinstance(item, MessagePartEvent) for item in items):
                    break
            await stream.aclose()
            await daemon.end(signal.SIGKILL)
        async with started(data_dir) as daemon:
            stream = daemon.client.stream(chat_id)
            roles: dict[int, str] = {}
            async with asyncio.timeout(20):
                async for items in stream:
                    for item in items:
                        if isinstance(item, MessageEvent):
                            roles[item.message.id] = item.message.role
                    if "assistant" in roles.values():
                        break
            await stream.aclose()
            assert list(roles.values()) == ["user", "assistant"]
            assert (await daemon.client.chat(chat_id)).status == "waiting"


async def test_a_shutdown_in_mid_answer_keeps_the_chat_and_tells_the_client() -> None:
    async with place(rate=100) as data_dir:
        async with started(data_dir) as daemon:
            sent = await daemon.client.create_chat(CreateChat(content="[[length=80]] tell me"))
            stream = daemon.client.stream(sent.chat.id)
            lost: list[ConnectionLost] = []
            stopped = False
            async for items in stream:
                if not stopped and any(isinstance(item, MessagePartEvent) for item in items):
                    stopped = True
                    assert await daemon.end(signal.SIGTERM) == 0
                lost += [item for item in items if isinstance(item, ConnectionLost)]
                if lost:
                    break
            await stream.aclose()
        async with started(data_dir) as daemon:
            stream = daemon.client.stream(sent.chat.id)
            texts: list[str] = []
            async with asyncio.timeout(20):
                async for items in stream:
                    for item in items:
                        if isinstance(item, MessageEvent) and item.message.role == "assistant":
                            texts += [p.text for p in item.message.parts if isinstance(p, Text)]
                    if texts:
                        break
            await stream.aclose()
            assert len(texts) == 1


async def test_everything_that_was_there_is_there_after_a_restart() -> None:
    async with place() as data_dir:
        async with started(data_dir) as daemon:
            sent = await daemon.client.create_chat(CreateChat(content="[[echo]] remember me"))
            stream = daemon.client.stream(sent.chat.id)
            count = 0
            async for items in stream:
                count += sum(isinstance(item, MessageEvent) for item in items)
                if count == 2 and any(isinstance(item, CaughtUp) for item in items):
                    break
            await stream.aclose()
            assert not any(isinstance(item, Connected) for item in items)
            await daemon.end(signal.SIGTERM)
        async with started(data_dir) as daemon:
            page = await daemon.client.messages(sent.chat.id)
            assert [m.parts for m in page.messages] == [
                [Text("remember me")],
                [Text("[[echo]] remember me")],
            ]
