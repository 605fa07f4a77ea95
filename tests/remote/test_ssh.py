"""With a real ssh and a real sshd: what works without any setup."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from palaver.client import Client, Connected, ConnectionLost, Unreachable
from palaver.paths import socket_path
from palaver.remote.address import Ssh
from palaver.remote.ssh import Link
from palaver.wire.chats import CreateChat
from palaverd.simulator import Simulator
from support.daemon import short_dir
from support.process import CONFIG
from support.require import require
from support.sshd import Box, box

pytestmark = pytest.mark.process

LONG_S = 60


@dataclass
class Said:
    code: int
    out: str
    err: str


async def palaver(there: Box, *arguments: str) -> Said:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palaver", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=there.environment,
    )
    async with asyncio.timeout(LONG_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG_S):
        while not holds():
            await asyncio.sleep(0.05)


def daemon_of(there: Box) -> int | None:
    """Return the process that holds the data directory there."""
    try:
        lock = (there.folder / "data" / "palaverd.lock").open()
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read())
        return None


@pytest.fixture
async def there() -> AsyncIterator[Box]:
    require("sshd")
    async with short_dir() as folder, Simulator(rate=0) as simulator, box(folder) as found:
        (folder / "config.toml").write_text(CONFIG.format(url=simulator.url))
        yield found
        if (pid := daemon_of(found)) is not None:
            os.kill(pid, signal.SIGKILL)
            await until(lambda: daemon_of(found) is None)


@pytest.fixture
def on_the_way(there: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Make this process use the client's ssh."""
    monkeypatch.setenv("PATH", there.environment["PATH"])
    return there


async def test_a_command_starts_the_daemon_there_which_stays_and_nothing_else_does(
    there: Box,
) -> None:
    there.install()
    (there.home / ".bashrc").write_text('echo "Welcome to the box"; printf "no end of line"\n')
    asked = await palaver(there, "--server", there.url, "run", "[[echo]] hello", "--json")
    assert asked.code == 0, asked.err
    result = json.loads(asked.out.splitlines()[-1])
    assert result["text"] == "hello"
    pid = daemon_of(there)
    listed = await palaver(there, "--server", there.url, "ls", "--json")
    assert json.loads(listed.out.splitlines()[0])["id"] == result["chat_id"]
    assert daemon_of(there) == pid
    assert pid is not None
    os.kill(pid, 0)  # it runs
    await until(lambda: not there.bridges())
    assert not (there.folder / "laptop" / "palaverd.sock").exists()  # nothing listens here


async def test_where_there_is_none_the_sentence_names_the_setting_and_the_setting_helps(
    there: Box,
) -> None:
    none = await palaver(there, "--server", there.url, "ls")
    assert none.code == 1
    assert "no palaverd was found on box." in none.err
    assert "--remote-command, or remote_command in client.toml" in none.err
    program = there.install("odd place")
    named = await palaver(there, "--server", there.url, "--remote-command", f"'{program}'", "ls")
    assert (named.code, named.err) == (0, "")
    file = there.folder / "laptop-config" / "palaver" / "client.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[servers.box]\nurl = "ssh://box"\nremote_command = "\'{program}\'"\n')
    assert (await palaver(there, "--server", "box", "ls")).code == 0
    wrong = await palaver(there, "--server", there.url, "--remote-command", "echo hi; true", "ls")
    assert "box said nothing that palaverd says (hi)" in wrong.err


async def test_who_is_not_let_in_reads_why(there: Box) -> None:
    there.install()
    there.configure(known="yes")
    unknown = await palaver(there, "--server", there.url, "ls")
    assert "ssh does not know the host key of box, and nobody confirmed it" in unknown.err
    there.configure()
    (there.folder / "authorized").write_text("")
    denied = await palaver(there, "--server", there.url, "ls")
    assert denied.err.count("\n") == 2  # ssh's message about the new host key, and the client's
    assert "box let nobody in with the keys and passwords that ssh had" in denied.err
    key = (there.folder / "me.pub").read_text().split()
    known = there.folder / "known"
    known.write_text(f"[127.0.0.1]:{there.port} {key[0]} {key[1]}\n")
    changed = await palaver(there, "--server", there.url, "ls")
    assert "the host key of box is not the one that ssh knows" in changed.err
    await there.stop()
    refused = await palaver(there, "--server", there.url, "ls")
    assert "nothing answers at box" in refused.err


async def test_ssh_and_the_daemon_are_killed_under_an_open_client_and_nothing_is_lost(
    on_the_way: Box,
) -> None:
    there = on_the_way
    there.install()
    link = Link(Ssh("box"))
    endpoint = await link.connect(asks=True)
    assert str(endpoint) == "ssh://box"
    async with Client(endpoint) as client, asyncio.timeout(LONG_S):
        sent = await client.create_chat(CreateChat("[[length=120]] [[rate=30]] a long answer"))
        seen: list[object] = []
        async for batch in client.stream(sent.chat.id):
            seen += batch
            losses = sum(isinstance(one, ConnectionLost) for one in seen)
            connections = sum(isinstance(one, Connected) for one in seen)
            if losses == 0 and connections == 1 and len(seen) > 5:
                for bridge in there.bridges():
                    os.kill(bridge, signal.SIGKILL)
            elif losses == 1 and connections == 2:
                if (pid := daemon_of(there)) is not None:  # it may have ended
                    os.kill(pid, signal.SIGKILL)
            elif losses > 1 and connections == 2:
                await link.connect(asks=False)  # as the interface does after a while
            elif connections > 2:
                break
        while (await client.chat(sent.chat.id)).status != "waiting":
            await asyncio.sleep(0.1)
        messages = (await client.messages(sent.chat.id)).messages
    words = "".join(part.text for part in messages[0].parts).split()  # type: ignore[union-attr]
    assert (len(messages), len(words)) == (2, 120)
    await asyncio.to_thread(link.close)
    await until(lambda: not there.bridges())


async def test_what_ssh_would_have_to_ask_again_is_not_tried_again_at_once(
    on_the_way: Box,
) -> None:
    there = on_the_way
    there.install()
    link = Link(Ssh("box"))
    await link.connect(asks=True)
    (there.folder / "authorized").write_text("")
    for bridge in there.bridges():
        os.kill(bridge, signal.SIGKILL)
    await until(lambda: link._session is not None and link._session.over)
    with pytest.raises(Unreachable, match=r"ssh would have to ask you .* leave, and come back"):
        await link.connect(asks=False)
    tried = link._session
    with pytest.raises(OSError, match="ssh would have to ask you"):
        await link.dial()
    assert link._session is tried
    await asyncio.to_thread(link.close)


async def test_attached_the_daemon_ends_with_the_connection_and_says_so(on_the_way: Box) -> None:
    there = on_the_way
    program = there.install()
    link = Link(Ssh("box"), f"{program} dial-stdio --attached")
    endpoint = await link.connect(asks=True)
    assert endpoint.note == (
        "The daemon there ends with this connection: answers wait until you come back."
    )
    pid = daemon_of(there)
    assert [pid] == there.bridges()
    async with Client(endpoint) as client:
        assert (await client.info()).pid == pid
    await asyncio.to_thread(link.close)
    await until(lambda: not there.bridges())
    assert not socket_path(there.folder / "data").exists()  # it ended in order
    # A running one is used, and stays.
    stays = await palaver(there, "--server", there.url, "ls")
    assert stays.code == 0
    link = Link(Ssh("box"), f"{program} dial-stdio --attached")
    assert (await link.connect(asks=True)).note == ""
    await asyncio.to_thread(link.close)


async def test_a_daemon_that_cannot_start_says_why(there: Box) -> None:
    there.install()
    (there.folder / "config.toml").write_text("nonsense = ")
    told = await palaver(there, "--server", there.url, "ls")
    assert told.code == 1
    assert "box says: The daemon did not start: " in told.err
    assert told.err.count("\n") <= 2
