"""A daemon without free file descriptors: logs it briefly, serves open connections, recovers."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from palaver.client import Client
from palaver.wire.chats import Chat, CreateChat
from palaverd.failures.wording import NO_DESCRIPTOR
from support.clock import PATIENCE_S
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

SILENT = 200  # connections that are opened at once; each would take a descriptor
WATCHED_S = 3.0  # of the log; a flood has thousands of lines in it


def descriptors(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


async def leave(process: int, free: int) -> None:
    """Set a process's limit to so many descriptors more than it has open."""
    _, most = resource.prlimit(process, resource.RLIMIT_NOFILE)
    soft = await asyncio.to_thread(descriptors, process) + free
    resource.prlimit(process, resource.RLIMIT_NOFILE, (soft, most))


def leave_none(process: int) -> None:
    """Set a process's limit so that it can open none, whatever it closes."""
    _, most = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (0, most))


def allow_all(process: int) -> None:
    _, most = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def silent_connections(path: Path) -> Iterator[None]:
    """Open connections, every other one with half a request head, and send nothing more."""
    with contextlib.ExitStack() as stack:
        for number in range(SILENT):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.setblocking(False)
            one.connect(str(path))
            if number % 2:
                one.send(b"GET /healthz HTTP/1.1\r\nHo")
        yield


async def failed_or_answered(client: Client, chat_id: str) -> Chat:
    """Wait until a chat's first attempt has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            chat = await client.chat(chat_id)
            if chat.retry is not None or chat.status in ("waiting", "error"):
                return chat
            await asyncio.sleep(0.02)


def not_structured(daemon: DaemonProcess) -> list[str]:
    return [str(line["event"]) for line in daemon.log if "level" not in line]


async def test_silent_connections_take_no_descriptor_from_those_that_work() -> None:
    async with place() as data_dir, started(data_dir) as daemon:
        await leave(daemon.process.pid, free=20)
        before = len(daemon.log)
        with silent_connections(data_dir / "palaverd.sock"):
            await asyncio.sleep(WATCHED_S)
            said = len(daemon.log) - before
            await daemon.client.health()
            sent = await daemon.client.create_chat(CreateChat(content="[[echo]] hello"))
            assert (await failed_or_answered(daemon.client, sent.chat.id)).last_error is None
        assert said <= 2 * WATCHED_S
        assert not_structured(daemon) == []


async def test_a_provider_that_is_first_loaded_without_descriptors_is_tried_again() -> None:
    """Not a forked daemon: whether the SDK is imported matters here."""
    async with place() as data_dir, started(data_dir, forked=False) as daemon:
        pid = daemon.process.pid
        leave_none(pid)  # at once: loading the provider has just begun
        sent = await daemon.client.create_chat(CreateChat(content="[[echo]] hello"))
        chat = await failed_or_answered(daemon.client, sent.chat.id)
        assert chat.retry is not None
        error = chat.retry.error
        assert (error.kind, error.retryable, error.message) == ("generic", True, NO_DESCRIPTOR)
        allow_all(pid)
        async with asyncio.timeout(PATIENCE_S):
            while (await daemon.client.chat(sent.chat.id)).status != "waiting":
                await asyncio.sleep(0.05)
        assert not_structured(daemon) == []
