"""Client and daemon of two versions, as real processes: they fit, or a message says what to do.

The other version is these sources under another number (`support.another`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from client.protocol_server import INFO
from palaver import __version__
from palaver.client import Client, Connected, Endpoint, Incompatible
from palaver.wire.chats import CreateChat, Info
from palaver.wire.events import ListSnapshot
from palaver.wire.protocol import OLDEST_DAEMON, PROTOCOL, is_older, too_old
from support.clock import PATIENCE_S
from support.forkserver import fork
from support.here import Here, somewhere
from support.process import DaemonProcess

# Version, protocol, and the oldest protocol of its clients.
Other = tuple[str, int, int]
OLDER: Other = ("0.0.9", PROTOCOL - 1, 1)
TOO_OLD: Other = ("0.0.1", OLDEST_DAEMON - 1, 0)
NEWER: Other = ("9.9.0", PROTOCOL + 1, 1)
TOO_NEW: Other = ("9.9.0", PROTOCOL + 9, PROTOCOL + 1)
BUSY = "[[slow-first=600000]] hello"


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with somewhere() as found:
        yield found


@asynccontextmanager
async def running(here: Here, other: Other, *options: str) -> AsyncIterator[DaemonProcess]:
    """Run the daemon of another version; kill it in the end if it still runs."""
    version, *numbers = other
    process = await fork(
        *("support.another", version, *map(str, numbers), "palaverd"),
        *("serve", "--data-dir", str(here.data_dir), *options),
        environment=os.environ | {"PALAVER_CONFIG": str(here.config)},
    )
    daemon = DaemonProcess(here.data_dir, process)
    reading = asyncio.create_task(daemon.read_log())
    try:
        await daemon.ready()
        yield daemon
    finally:
        await daemon.end(signal.SIGKILL)
        await reading
        await daemon.client.close()


async def at_work(daemon: DaemonProcess) -> str:
    """Start a turn that lasts until it is stopped; return the chat."""
    sent = await daemon.client.create_chat(CreateChat(BUSY))
    async with asyncio.timeout(PATIENCE_S):
        while not (await daemon.client.info()).working:
            await asyncio.sleep(0.01)
    return sent.chat.id


async def idle(daemon: DaemonProcess, chat_id: str) -> None:
    """Wait until a chat is idle, and the daemon with it."""
    async with asyncio.timeout(PATIENCE_S):
        while (await daemon.client.chat(chat_id)).status != "waiting":
            await asyncio.sleep(0.01)
        while (await daemon.client.info()).working:
            await asyncio.sleep(0.01)


@pytest.mark.process
@pytest.mark.parametrize("other", [OLDER, TOO_OLD])
async def test_a_private_daemon_that_is_older_and_idle_is_replaced(
    here: Here, other: Other
) -> None:
    async with running(here, other, "--private") as daemon:
        sent = await daemon.client.create_chat(CreateChat("hello"))
        await idle(daemon, sent.chat.id)
        listed = await here("ls")
        assert (listed.err, listed.out[:8]) == ("", sent.chat.id[:8])
        status = await here.status()
        assert status["version"] == __version__
        assert status["pid"] != daemon.process.pid
        assert status["config"] == str(here.config)
        assert not daemon.alive
        # The next one is of this version, and stays.
        await here("ls")
        assert (await here.status())["pid"] == status["pid"]


@pytest.mark.process
async def test_a_private_daemon_that_works_is_left_alone_and_replaced_afterwards(
    here: Here,
) -> None:
    async with running(here, OLDER, "--private") as daemon:
        chat = await at_work(daemon)
        listed = await here("ls")
        assert "running" in listed.out
        assert daemon.alive
        findings = (await here("doctor")).out
        assert "palaverd 0.0.9, process" in findings
        assert "they understand each other. palaver daemon restart brings it." in " ".join(
            findings.split()
        )
        await here("stop", chat)
        await idle(daemon, chat)
        assert chat in (await here("ls")).out
        assert (await here.status())["version"] == __version__


@pytest.mark.process
async def test_a_private_daemon_that_is_too_old_and_works_says_what_it_waits_for(
    here: Here,
) -> None:
    async with running(here, TOO_OLD, "--private") as daemon:
        chat = await at_work(daemon)
        refused = await here("ls", code=1)
        assert refused.out == ""
        assert refused.err == (
            f"palaver: palaverd 0.0.1 at {here.data_dir}/palaverd.sock is too old for this palaver"
            f" {__version__}. It goes on with 1 chat and is replaced when that is done;"
            "  palaver daemon restart  does it now, and nothing is lost.\n"
        )
        assert daemon.alive
        await here("daemon", "restart")
        assert not daemon.alive
        assert chat in (await here("ls")).out


@pytest.mark.process
async def test_a_daemon_that_somebody_else_runs_is_not_replaced(here: Here) -> None:
    async with running(here, TOO_OLD) as daemon:
        refused = await here("run", "hello", code=1)
        assert "Upgrade it where it runs:  pip install --upgrade 'palaver[server]'" in refused.err
        assert not (await daemon.client.chats()).chats  # it got no request
        assert daemon.alive


@pytest.mark.process
@pytest.mark.parametrize("options", [(), ("--private",)])
async def test_a_client_that_is_too_old_says_so_and_touches_nothing(
    here: Here, options: tuple[str, ...]
) -> None:
    async with running(here, TOO_NEW, *options) as daemon:
        for command in (("ls",), ("run", "hello"), ("doctor",)):
            refused = await here(*command, code=1)
            said = refused.out + refused.err
            assert f"This palaver {__version__} is too old for palaverd 9.9.0 at" in said
            assert "Upgrade it here:  pip install --upgrade palaver" in said
        assert not (await daemon.client.chats()).chats
        assert daemon.alive


@pytest.mark.process
async def test_an_older_client_goes_on_with_a_newer_daemon(here: Here) -> None:
    async with running(here, NEWER, "--private") as daemon:
        assert (await here("run", "hello")).out.strip()
        assert "To have the same: pip install --upgrade palaver" in " ".join(
            (await here("doctor")).out.split()
        )
        status = await here("daemon", "status")
        assert f"!! This program is {__version__}" in status.out
        assert daemon.alive  # an older one could not read a newer one's database


@pytest.mark.process
async def test_a_daemon_of_another_version_under_an_open_stream(here: Here) -> None:
    """The stream continues with one that fits, and ends before an event of one that does not."""
    seen: list[object] = []

    async def follow(client: Client) -> None:
        async for batch in client.watch():
            seen.extend(batch)

    async def connections(count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while sum(isinstance(event, ListSnapshot) for event in seen) < count:
                assert not following.done(), following.exception()
                await asyncio.sleep(0.01)

    async with Client(Endpoint.unix(here.data_dir / "palaverd.sock")) as client:
        async with running(here, OLDER):
            following = asyncio.create_task(follow(client))
            await connections(1)
        assert client.met is None or client.met.version == "0.0.9"
        async with running(here, NEWER):
            await connections(2)
            assert client.met is not None
            assert client.met.version == "9.9.0"
        before = sum(isinstance(event, Connected) for event in seen)
        async with running(here, TOO_NEW):
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(Incompatible, match=r"is too old for palaverd 9\.9\.0"):
                    await following
        assert sum(isinstance(event, Connected) for event in seen) == before


def test_a_daemon_that_tells_no_number_speaks_the_first_protocol() -> None:
    told = msgspec.to_builtins(INFO)
    del told["protocol"], told["oldest_protocol"]
    info = msgspec.json.decode(json.dumps(told).encode(), type=Info)
    assert (info.protocol, info.oldest_protocol) == (1, 1)
    assert too_old(info) is None
    assert is_older(info, __version__)


@pytest.mark.parametrize(
    ("change", "upgrade"),
    [
        ({}, None),
        ({"protocol": PROTOCOL + 1}, None),
        ({"protocol": PROTOCOL + 2, "oldest_protocol": PROTOCOL}, None),
        ({"protocol": PROTOCOL + 2, "oldest_protocol": PROTOCOL + 1}, "client"),
        ({"protocol": OLDEST_DAEMON}, None),
        ({"protocol": OLDEST_DAEMON - 1}, "daemon"),
        ({"capabilities": ["stream"]}, "daemon"),
        ({"capabilities": ["stream", "watch", "more"]}, None),
    ],
)
def test_which_side_is_to_be_upgraded(change: dict[str, object], upgrade: str | None) -> None:
    assert too_old(msgspec.structs.replace(INFO, **change)) == upgrade


@pytest.mark.parametrize(
    ("version", "protocol", "older"),
    [
        ("0.1.0", PROTOCOL, False),
        ("0.0.9", PROTOCOL, True),
        ("0.1", PROTOCOL, True),
        ("0.0.10", PROTOCOL, True),
        ("0.10.0", PROTOCOL, False),
        ("1.0.0", PROTOCOL, False),
        ("unknown", PROTOCOL, False),
        ("1.0.0", PROTOCOL - 1, True),
        ("0.0.9", PROTOCOL + 1, False),
    ],
)
def test_which_daemon_is_older_than_this_program(version: str, protocol: int, older: bool) -> None:
    info = msgspec.structs.replace(INFO, version=version, protocol=protocol)
    assert is_older(info, "0.1.0") is older
