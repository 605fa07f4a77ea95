"""`palaverd user` and `palaverd token`, run as an operator runs them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from palaver.client import Client, Endpoint, Refused
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import WorkerConfig
from palaverd.datadir import DataDir
from support.daemon import make_daemon, short_dir, simulator_config
from support.forkserver import fork
from support.schema import opened, upgrade

pytestmark = pytest.mark.process


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read, as a client always does, until the daemon closes the socket."""
    while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


async def palaverd(data_dir: Path, *words: str) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await fork("palaverd", *words, "--data-dir", str(data_dir), stdout=pipe)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert "Traceback" not in err.decode()
    return process.returncode, out.decode(), err.decode()


async def test_users_and_tokens_are_looked_after_with_a_daemon_and_without() -> None:
    async with short_dir() as folder:
        code, out, err = await palaverd(folder, "token", "create", "laptop")
        assert code == 0
        secret = out.strip()
        token_id = secret.split("_")[1]
        assert secret.startswith("palaver_")
        assert "shown this once" in err
        assert secret.split("_", 2)[2] not in err
        assert (await palaverd(folder, "user", "add", "alice"))[0] == 0

        config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
        daemon = make_daemon(folder, config, listen=[ListenAddress("127.0.0.1", 0)])
        await daemon.start()
        try:
            url = f"http://{daemon.listening[0]}"
            made = await palaverd(folder, "token", "create", "phone", "--user", "alice", "--json")
            hers = json.loads(made[1])
            async with Client(Endpoint(url, token=secret)) as client:
                assert (await client.chats()).chats == []
                headers = {"Authorization": f"Bearer {secret}"}
                async with (
                    aiohttp.ClientSession(headers=headers) as session,
                    session.ws_connect(f"{url}/api/v1/watch") as socket,
                ):
                    await socket.receive()
                    reading = asyncio.create_task(closed_with(socket))
                    revoked = await palaverd(folder, "token", "revoke", token_id)
                    assert revoked == (0, f"revoked {token_id} (laptop)\n", "")
                    async with asyncio.timeout(5):
                        assert await reading == 4401
                with pytest.raises(Refused, match="revoked"):
                    await client.chats()
            async with Client(Endpoint(url, token=hers["secret"])) as client:
                assert (await client.info()).user == "alice"
                assert (await palaverd(folder, "user", "disable", "alice"))[0] == 0
                with pytest.raises(Refused, match="disabled"):
                    await client.chats()
        finally:
            await daemon.stop()

        _, out, _ = await palaverd(folder, "token", "list", "--json")
        listed = {one["name"]: one for one in map(json.loads, out.splitlines())}
        assert listed["laptop"]["revoked_at"]
        assert listed["laptop"]["last_used_at"]
        assert listed["phone"]["scopes"] == ["read", "chat"]
        _, out, _ = await palaverd(folder, "user", "list")
        assert [line.split()[0] for line in out.splitlines()] == ["NAME", "alice", "local"]
        stored = (folder / "palaver.db").read_bytes()
        for one in (secret, hers["secret"]):
            assert one.split("_", 2)[2].encode() not in stored


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "add", "Alice Smith"), "lower-case letters"),
        (("user", "add", "local"), "already"),
        (("user", "disable", "bob"), "no user 'bob'. There are: local"),
        (("user", "disable", "local"), "not disabled"),
        (("token", "create", "x", "--user", "bob"), "no user 'bob'"),
        (("token", "create", " "), "1 to 80"),
        (("token", "create", "x", "--expires", "20y"), "ten years"),
        (("token", "create", "x", "--expires", "soon"), "90d"),
        (("token", "create", "x", "--scope", "root"), "'admin'"),
        (("token", "revoke", "nope"), "palaverd token list"),
        (("token", "revoke", "palaver_abc_def"), "belongs on no command line"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence(words: tuple[str, ...], said: str) -> None:
    async with short_dir() as folder:
        code, out, err = await palaverd(folder, *words)
        assert code != 0
        assert said in err
        assert out == ""


async def test_a_database_that_somebody_else_has_is_left_alone() -> None:
    async with short_dir() as folder:
        held = DataDir(folder)
        await asyncio.to_thread(held.acquire)
        try:
            code, _, err = await palaverd(folder, "token", "create", "x")
        finally:
            held.release()
        assert code == 1
        assert "already uses the data directory" in err


def write_older(path: Path) -> None:
    with opened(path) as connection, connection.begin():
        upgrade(connection, "0002")
        connection.execute(text("INSERT INTO users (id, created_at) VALUES ('alice', 0)"))


async def test_an_older_database_is_copied_before_it_is_brought_up_to_date() -> None:
    async with short_dir() as folder:
        await asyncio.to_thread(write_older, folder / "palaver.db")
        code, out, _ = await palaverd(folder, "user", "list")
        assert (code, "alice" in out) == (0, True)
        assert len(list((folder / "backups").iterdir())) == 1
