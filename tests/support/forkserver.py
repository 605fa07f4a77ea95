"""Fork programs from a process that has imported them: each starts in a tenth of the time.

A forked program is a process of its own with its own memory, sockets and files, and is killed,
stopped and reaped like any other; only its imports are done. `python -m support.forkserver FD` is
the process to fork from. Each process that runs tests has one.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

TESTS = Path(__file__).parent.parent
MOST = 65_536  # bytes read at once; a request is a few thousand
IMPORTED = ("palaverd.cli", "palaverd.serve", "palaverd.logs.output", "alembic.command")
COMMANDS = "palaver.cli"  # and its submodules

Request = tuple[str, list[str], dict[str, str], str]  # module, arguments, environment, folder


class ForkedProcess:
    """The part of `asyncio.subprocess.Process` that tests use."""

    def __init__(
        self,
        pid: int,
        stdin: asyncio.StreamWriter | None,
        stdout: asyncio.StreamReader | None,
        stderr: asyncio.StreamReader | None,
        status: asyncio.StreamReader,
    ) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.returncode: int | None = None
        self._waiting = asyncio.create_task(self._reap(status))

    async def _reap(self, status: asyncio.StreamReader) -> int:
        self.returncode = int(await status.readline())
        await status.read()  # to its end, so that the pipe is closed before the test ends
        return self.returncode

    async def wait(self) -> int:
        """Return its exit code when it has ended, or minus the signal that ended it."""
        return await asyncio.shield(self._waiting)

    async def communicate(self, piped: bytes | None = None) -> tuple[bytes, bytes]:
        """Write `piped` to its stdin; return the rest of stdout and stderr after its end."""
        out, err, _, _ = await asyncio.gather(
            self.stdout.read() if self.stdout is not None else asyncio.sleep(0, b""),
            self.stderr.read() if self.stderr is not None else asyncio.sleep(0, b""),
            self._feed(piped or b""),
            self.wait(),
        )
        return out, err

    async def _feed(self, piped: bytes) -> None:
        if self.stdin is not None:
            with suppress(ConnectionError):  # it has stopped reading
                self.stdin.write(piped)
                await self.stdin.drain()
            self.stdin.close()
            with suppress(ConnectionError):
                await self.stdin.wait_closed()

    def stop_reading(self) -> None:
        """Close our end of its stdout."""
        assert self.stdout is not None
        self.stdout._transport.close()  # type: ignore[attr-defined]

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


async def fork(
    module: str,
    *arguments: str,
    stdin: int = DEVNULL,
    stdout: int = DEVNULL,
    stderr: int = PIPE,
    environment: Mapping[str, str] | None = None,
) -> ForkedProcess:
    """Start `python -m MODULE ARGUMENTS`.

    `stdin`, `stdout` and `stderr` are as for `asyncio.create_subprocess_exec`: a descriptor, PIPE
    or DEVNULL.
    """
    request: Request = (
        module,
        list(arguments),
        dict(os.environ if environment is None else environment),
        str(Path.cwd()),
    )
    with ExitStack() as its:  # closes its descriptors; readers and writers close ours

        def pipe(*, read: bool) -> tuple[int, int]:
            """Return our end and its end."""
            reading, writing = os.pipe()
            its.callback(os.close, writing if read else reading)
            return (reading, writing) if read else (writing, reading)

        def nothing() -> int:
            descriptor = os.open(os.devnull, os.O_RDWR)
            its.callback(os.close, descriptor)
            return descriptor

        to_it, its_stdin = pipe(read=False) if stdin == PIPE else (-1, stdin)
        from_it, its_stdout = pipe(read=True) if stdout == PIPE else (-1, stdout)
        from_stderr, its_stderr = pipe(read=True) if stderr == PIPE else (-1, stderr)
        status, its_status = pipe(read=True)
        descriptors = [
            nothing() if its_stdin == DEVNULL else its_stdin,
            nothing() if its_stdout == DEVNULL else its_stdout,
            nothing() if its_stderr == DEVNULL else its_stderr,
            its_status,
        ]
        socket.send_fds(_server(), [json.dumps(request).encode() + b"\n"], descriptors)
    said = await _reader(status)
    return ForkedProcess(
        int(await said.readline()),
        await _writer(to_it) if stdin == PIPE else None,
        await _reader(from_it) if stdout == PIPE else None,
        await _reader(from_stderr) if stderr == PIPE else None,
        said,
    )


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader


async def _writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
        os.fdopen(descriptor, "wb", 0),
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


# The pid of its parent, and the connection to it.
_running: tuple[int, subprocess.Popen[bytes], socket.socket] | None = None


def _server() -> socket.socket:
    """Return the connection to the fork server, which is started on first use."""
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
    """End the fork server, if there is one, and everything it has forked."""
    global _running
    if _running is not None and _running[0] == os.getpid():
        _running[2].close()
        _running[1].wait()
        _running = None


# --- the fork server --------------------------------------------------------------------------


def _serve(connection: socket.socket) -> Request:
    """Fork for each request; return in the child, with its request."""
    children: dict[int, int] = {}  # pid -> descriptor for its exit status
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
                _tell(children)
            if connection.fileno() not in ready:
                continue
            request, descriptors = _request(connection)
            if request is None:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                sys.exit()
            *standard, status = descriptors
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                connection.close()
                for number, descriptor in enumerate(standard):
                    os.dup2(descriptor, number)
                for inherited in (woken, wake, *descriptors, *children.values()):
                    os.close(inherited)
                return request
            children[pid] = status
            os.write(status, b"%d\n" % pid)
            for descriptor in standard:
                os.close(descriptor)


def _request(connection: socket.socket) -> tuple[Request | None, list[int]]:
    said, descriptors, _flags, _address = socket.recv_fds(connection, MOST, 4)
    while said and not said.endswith(b"\n"):
        said += connection.recv(MOST)
    return (json.loads(said) if said else None), descriptors


def _tell(children: dict[int, int]) -> None:
    """Reap ended children, and report their exit status."""
    for pid, status in list(children.items()):
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            with suppress(BrokenPipeError):  # the test has ended
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(code))
            os.close(status)
            del children[pid]


def _import() -> None:
    """Import what a daemon has imported after an answer, and the commands."""
    commands = pkgutil.iter_modules(importlib.import_module(COMMANDS).__path__, f"{COMMANDS}.")
    for name in (*IMPORTED, *(command.name for command in commands)):
        importlib.import_module(name)
    from palaver.clock import SystemClock
    from palaverd.providers.anthropic import AnthropicProvider
    from palaverd.providers.openai import OpenAICompatibleProvider, OpenAIResponsesProvider

    for kind in (AnthropicProvider, OpenAICompatibleProvider, OpenAIResponsesProvider):
        kind("none", base_url=None, api_key="none", key_hint="", clock=SystemClock())._make_whole()


_code: int | None = None  # of a forked program that has ended


def _leave() -> None:
    """Exit without taking the interpreter apart, which would copy all of the parent's memory."""
    if _code is not None:
        # One that fails is left to the interpreter, which has a message and a code for it.
        with suppress(OSError, ValueError):
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            os._exit(_code)


def _run(module: str) -> None:
    """Run a module as a program."""
    global _code
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        _code = 0
    except SystemExit as exit_:
        if exit_.code is None or isinstance(exit_.code, int):
            _code = (exit_.code or 0) & 0xFF
        raise


def _main() -> None:
    atexit.register(_leave)  # the first is called last
    connection = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # which would search again and again what is imported
    _import()
    gc.freeze()  # or each child copies all of it at its first collection
    gc.enable()
    module, arguments, environment, folder = _serve(connection)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = [module, *arguments]
    _run(module)


if __name__ == "__main__":
    _main()
