"""Secrets, put wherever one can be: none is written or shown anywhere.

A real daemon as a process, with everything logged that can be; real commands; a provider that
echoes whatever it was sent.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaverd.simulator import Simulator
from support.clock import PATIENCE_S
from support.daemon import short_dir
from support.forkserver import fork

pytestmark = pytest.mark.process

# In no format by which a key could be recognised.
SECRETS = {
    "the key itself": "Zebra7Quilt9Lantern3Moss",
    "a variable": "Fjord2Gravel8Piano4Wren",
    "a file": "Cobalt5Ember1Thistle6Oak",
    "a command": "Marble3Sparrow7Kelp0Rust",
    "a command that fails": "Tulip6Basalt3Otter9Plum",
    "a URL's password": "Juniper8Anvil2Coral9Fern",
    "a URL's query": "Velvet4Harbor6Onyx1Lark",
    "another program's key": "Walnut9Copper5Tundra2Ivy",
    "a proxy's password": "Saffron1Birch7Delta3Hawk",
}
MODELS = ("literal", "variable", "file", "command", "failing", "password", "query")
FAULTS = ("[[leak]]", "[[401]]", "[[500]]", "[[reset]]", "[[wrong-type]]", "[[echo]]")

CONFIG = """
default_model = "literal"
[providers.literal]
kind = "anthropic"
base_url = "{url}"
api_key = "{secrets[the key itself]}"
[providers.variable]
kind = "openai"
base_url = "{url}/v1"
api_key = "env:CANARY"
[providers.file]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "file:{folder}/key"
[providers.command]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "cmd:printf {secrets[a command]}"
[providers.failing]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "cmd:sh -c 'echo $0; echo no $0 >&2; exit 3' {secrets[a command that fails]}"
[providers.password]
kind = "openai-compatible"
base_url = "http://me:{secrets[a URL's password]}@{host}/v1"
api_key = "{secrets[the key itself]}"
[providers.query]
kind = "anthropic"
base_url = "{url}?key={secrets[a URL's query]}"
api_key = "{secrets[the key itself]}"
"""


def forms(secret: str) -> list[str]:
    """Return a secret as it is, and in the encodings that it may get."""
    basic = base64.b64encode(f"me:{secret}".encode()).decode()
    return [secret, basic, basic.rstrip("="), secret[:12]]


def leaks(written: dict[str, bytes]) -> list[str]:
    return [
        f"{name} in {where}"
        for where, data in written.items()
        for name, secret in SECRETS.items()
        for form in forms(secret)
        if form.encode() in data
    ]


def environment() -> dict[str, str]:
    return os.environ | {
        "CANARY": SECRETS["a variable"],
        "ANTHROPIC_API_KEY": SECRETS["another program's key"],
        "OPENAI_API_KEY": SECRETS["another program's key"],
        "ANTHROPIC_CUSTOM_HEADERS": "Authorization: " + SECRETS["another program's key"],
        "HTTPS_PROXY": "http://me:" + SECRETS["a proxy's password"] + "@127.0.0.1:9",
        # With this the SDKs log every request and its headers.
        "ANTHROPIC_LOG": "debug",
        "OPENAI_LOG": "debug",
    }


async def run(*command: str, **more: str) -> bytes:
    """Run a command; return everything it wrote."""
    process = await fork(*command, stdout=asyncio.subprocess.PIPE, environment=environment() | more)
    async with asyncio.timeout(60):
        return b"".join(await process.communicate())


@asynccontextmanager
async def serving(folder: Path, **more: str) -> AsyncIterator[None]:
    """A daemon that logs everything into `log`."""
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "palaverd", "serve", "--debug"),
            *("--data-dir", str(folder / "data"), "--config", str(folder / "config.toml")),
            stdout=log,
            stderr=log,
            env=environment() | more,
        )
    try:
        async with asyncio.timeout(60):
            while b"ready" not in (folder / "log").read_bytes():
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await process.wait()


@asynccontextmanager
async def planted() -> AsyncIterator[tuple[Path, Simulator]]:
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        host = simulator.url.removeprefix("http://")
        text = CONFIG.format(url=simulator.url, host=host, folder=folder, secrets=SECRETS)
        for name in MODELS:
            text += f'[models.{name}]\nprovider = "{name}"\nmodel = "sim-large"\nmax_attempts = 1\n'
        (folder / "config.toml").write_text(text)
        (folder / "key").write_text(SECRETS["a file"] + "\n")
        yield folder, simulator


async def fail_in_every_way(folder: Path) -> None:
    # The first answers take longer: the process imports the SDKs.
    async with (
        asyncio.timeout(60),
        Client(Endpoint(socket=folder / "data" / "palaverd.sock")) as client,
    ):
        for model in MODELS:
            for fault in FAULTS:
                sent = await client.create_chat(CreateChat(f"{fault} hello", model=model))
                while (await client.chat(sent.chat.id)).status not in ("error", "waiting"):
                    await asyncio.sleep(0.01)


async def everything_read(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every route that reads, and of both sockets."""
    read: dict[str, bytes] = {}
    connector = aiohttp.UnixConnector(str(folder / "data" / "palaverd.sock"))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:

        async def get(path: str) -> bytes:
            async with session.get(path) as answer:
                read[path] = str(answer.headers).encode() + await answer.read()
                return await answer.read()

        async def frames(path: str, last: str) -> None:
            async with asyncio.timeout(PATIENCE_S), session.ws_connect(path) as socket:
                read[path] = b""
                while last.encode() not in read[path]:
                    read[path] += str((await socket.receive()).data).encode()

        listed = json.loads(await get("/api/v1/chats?limit=100"))
        await get("/api/v1/info")
        await get("/api/v1/models")
        await get("/api/v1/chats/nope")
        await get("/api/v1/chats?cursor=nonsense")
        await frames("/api/v1/watch", '"snapshot"')
        for chat in listed["chats"]:
            await get(f"/api/v1/chats/{chat['id']}")
            await get(f"/api/v1/chats/{chat['id']}/messages")
            await frames(f"/api/v1/chats/{chat['id']}/stream", '"caught_up"')
    return read


async def test_no_secret_is_written_or_shown_anywhere() -> None:
    written: dict[str, bytes] = {}
    async with planted() as (folder, simulator):
        socket = ("palaver", "--socket", str(folder / "data" / "palaverd.sock"))
        async with serving(folder):
            await fail_in_every_way(folder)
            commands: list[tuple[str, ...]] = [
                ("run", "[[leak]] x"),
                ("run", "[[leak]] x", "--json"),
                ("doctor",),
                ("doctor", "--json"),
                ("ls", "--json"),
                ("--debug", "ls"),
            ]
            for command in commands:
                written[" ".join(command)] = await run(*socket, *command)
            written |= await everything_read(folder)
        config = ("--config", str(folder / "config.toml"))
        written["config check"] = await run("palaverd", "config", "check", *config)
        written["config example"] = await run("palaverd", "config", "example")
        for path in (folder / "data").rglob("*"):
            if path.is_file():
                written[str(path)] = path.read_bytes()
        written["log"] = (folder / "log").read_bytes()
        sent = str([request.headers for request in simulator.requests])
    assert leaks(written) == []
    # The test would find them: each was sent, the provider echoed it, and something was stored.
    for name in ("the key itself", "a variable", "a file", "a command"):
        assert SECRETS[name] in sent, name
    assert b"cannot forward" in b"".join(written.values())
    assert b"attempt failed" in written["log"]
    assert b"ended with code 3" in written["log"]
    assert any(b"SQLite format 3" in data for data in written.values())


async def test_a_daemon_that_cannot_start_tells_no_secret_either() -> None:
    written: dict[str, bytes] = {}
    async with planted() as (folder, _):
        config = folder / "config.toml"
        good = config.read_text()
        bad = {
            "unknown key": good + '[worker]\nmax_chat = "x"\n',
            "wrong type": good.replace(f'"{SECRETS["the key itself"]}"', "12345"),
            "not TOML": good.replace(f'"{SECRETS["the key itself"]}"', SECRETS["the key itself"]),
        }
        for name, text in bad.items():
            config.write_text(text)
            for command in (("serve",), ("serve", "--debug"), ("config", "check")):
                written[f"{name}: {command}"] = await run(
                    "palaverd",
                    *command,
                    "--config",
                    str(config),
                    PALAVER_DATA_DIR=str(folder / "d"),
                )
    assert leaks(written) == []
    assert all(written.values())
