"""Daemons forked from a process that has imported them: each starts in a tenth of the time.

What is forked is a process of its own with its own memory, sockets and files, that is killed,
stopped and reaped like any other; only its imports are done. `python -m support.forkserver FD`
is the one that they are forked from. There is one for each process that runs tests.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TESTS = Path(__file__).parent.parent
MOST = 65_536  # bytes read at once; a request is a few thousand
IMPORTED = ("palaverd.cli", "palaverd.serve", "palaverd.logs", "alembic.command")


class ForkedProcess:
    """A daemon, with what the tests use of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, stderr: asyncio.StreamReader, status: asyncio.StreamReader):
        self.pid = pid
        self.stderr = stderr
        self.returncode: int | None = None
        self._waiting = asyncio.create_task(self._reap(status))

    async def _reap(self, status: asyncio.StreamReader) -> int:
        self.returncode = int(await status.readline())
        return self.returncode

    async def wait(self) -> int:
        """Return its exit code when it has ended, minus the signal that ended it."""
        return await asyncio.shield(self._waiting)

    async def communicate(self) -> tuple[None, bytes]:
        """Return what is left of its stderr when it has ended."""
        said = await self.stderr.read()
        await self.wait()
        return None, said

    def send_signal(self, number: int) -> None:
        """Send it a signal unless it is known to have ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


async def fork_daemon(arguments: Sequence[str], environment: Mapping[str, str]) -> ForkedProcess:
    """Start `python -m palaverd ARGUMENTS`."""
    stderr, its_stderr = os.pipe()
    status, its_status = os.pipe()
    request = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "cwd": str(Path.cwd()),
    }
    try:
        connection = _server()
        socket.send_fds(
            connection, [json.dumps(request).encode() + b"\n"], [its_stderr, its_status]
        )
    finally:
        os.close(its_stderr)
        os.close(its_status)
    said = await _reader(status)
    return ForkedProcess(int(await said.readline()), await _reader(stderr), said)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader


# By whom it was started, and how it is reached.
_running: tuple[int, subprocess.Popen[bytes], socket.socket] | None = None


def _server() -> socket.socket:
    """Return the connection to the process that forks, started when it is first wanted."""
    global _running
    if _running is None or _running[0] != os.getpid():
        ours, its = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-m", "support.forkserver", str(its.fileno())],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        its.close()
        _running = os.getpid(), process, ours
    return _running[2]


def end_server() -> None:
    """End the process that forks, if there is one, and whatever it has forked."""
    global _running
    if _running is not None and _running[0] == os.getpid():
        _running[2].close()
        _running[1].wait()
        _running = None


# --- the process that forks -------------------------------------------------------------------


def _serve(connection: socket.socket) -> dict[str, object]:
    """Fork whenever it is asked for; return in the child, with what that one is to do."""
    children: dict[int, int] = {}  # where to tell how each ended
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        for readable in (connection.fileno(), woken):
            selector.register(readable, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, MOST)
                _reap(children)
            if connection.fileno() not in ready:
                continue
            request, descriptors = _request(connection)
            if request is None:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                sys.exit()
            stderr, status = descriptors
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                connection.close()
                os.dup2(stderr, 2)
                for inherited in (woken, wake, stderr, status, *children.values()):
                    os.close(inherited)
                return request
            children[pid] = status
            os.write(status, b"%d\n" % pid)
            os.close(stderr)


def _request(connection: socket.socket) -> tuple[dict[str, object] | None, list[int]]:
    said, descriptors, _flags, _address = socket.recv_fds(connection, MOST, 2)
    while said and not said.endswith(b"\n"):
        said += connection.recv(MOST)
    return (json.loads(said) if said else None), descriptors


def _reap(children: dict[int, int]) -> None:
    for pid, status in list(children.items()):
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            with suppress(BrokenPipeError):  # nobody wants to know any more
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(code))
            os.close(status)
            del children[pid]


def _import() -> None:
    """Import what a daemon has imported once it has answered something."""
    for name in IMPORTED:
        importlib.import_module(name)
    from palaver.clock import SystemClock
    from palaverd.providers.anthropic import AnthropicProvider
    from palaverd.providers.openai import OpenAICompatibleProvider, OpenAIResponsesProvider

    for kind in (AnthropicProvider, OpenAICompatibleProvider, OpenAIResponsesProvider):
        kind("none", base_url=None, api_key="none", key_hint="", clock=SystemClock())._make()


def _main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    _import()
    gc.freeze()  # or else every child copies all of it when it first collects
    wanted = _serve(connection)
    os.environ.clear()
    os.environ.update(wanted["environment"])  # type: ignore[call-overload]
    os.chdir(str(wanted["cwd"]))
    sys.argv = ["palaverd", *wanted["arguments"]]  # type: ignore[misc]
    runpy.run_module("palaverd", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
