"""Start a private daemon if none runs."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from palaver import __version__
from palaver.client import Client, Endpoint, PalaverError, Unreachable
from palaver.clock import Clock
from palaver.daemon_process import Running, holder, stop
from palaver.paths import absolute, log_path, socket_path
from palaver.wire.protocol import is_older
from palaver.wire.setup import Lent

# Seconds. A start takes about one; migrating and copying a database may take minutes on a slow
# disk, but then the daemon runs, and this only limits how long a client waits for it.
START_S: Final = 60.0
# Seconds between two checks of a starting daemon: too short to notice, long enough to be cheap.
LOOK_S: Final = 0.05
# Seconds to wait if our daemon ended but the socket exists: another one has the lock and is
# starting.
RIVAL_S: Final = 5.0
# Modules that the daemon needs beyond the base distribution, from the extra `server`.
SERVER_MODULES: Final = ("palaverd", "sqlalchemy", "structlog")
# Bytes at the end of a log to search for its last line.
LOG_TAIL: Final = 16 * 1024

Process = subprocess.Popen[bytes]
# From (data directory, configuration file) to the command that serves it in the foreground.
Command = Callable[[Path, Path | None], Sequence[str]]


# Keeps the handles of started daemons; a garbage-collected one would warn.
_started: Final[list[Process]] = []


def serve_command(data_dir: Path, config: Path | None) -> list[str]:
    """Return the command of a private daemon. Raises `PalaverError` if it is not installed."""
    missing = [name for name in SERVER_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise PalaverError(
            f"No daemon runs for {data_dir}, and none is installed here ({missing[0]} is missing):"
            " install it with  pip install 'palaver[server]'  or name a running one with --socket."
        )
    command = [sys.executable, "-m", "palaverd", "serve", "--data-dir", str(data_dir)]
    if config is not None:
        command += ["--config", str(config)]
    return [*command, "--private"]


async def ensure_daemon(
    data_dir: Path,
    *,
    config: Path | None,
    clock: Clock,
    command: Command = serve_command,
    started: Callable[[Process], None] | None = None,
    instead: Callable[[], Awaitable[None]] | None = None,
) -> Endpoint:
    """Return the endpoint of the daemon of `data_dir`; start it if none answers.

    An idle daemon of an older version is replaced. A daemon outlives its client; `started` receives
    its process, to end it. `instead` stops the running daemon, while no other client can start one.

    Raises:
        PalaverError: it could not be started; the message is the daemon's own.
    """
    data_dir = absolute(data_dir)
    endpoint = Endpoint.unix(socket_path(data_dir))
    await asyncio.to_thread(_not_foreign, endpoint, data_dir)
    if instead is None and await _answers(endpoint, clock):
        before = await _outdated(endpoint, data_dir, clock)
        if before is None:
            await _lend_keys(endpoint, clock)
            return endpoint
        # Stopped only while this client holds the launch lock.
        instead = partial(stop, before, clock)
        if config is None and before.info is not None and before.info.config:
            config = Path(before.info.config)
    # In threads: the interface keeps drawing meanwhile.
    argv = await asyncio.to_thread(command, data_dir, absolute(config) if config else None)
    await asyncio.to_thread(_make_private, data_dir)
    async with _turn_to_launch(data_dir, clock):
        if instead is not None:
            await instead()
        # Another client may have started one while this one waited for the lock.
        if not await _answers(endpoint, clock):
            log, process = await asyncio.to_thread(_spawn, argv, data_dir, started)
            await _wait(process, endpoint, log, clock)
    return endpoint


async def _answers(endpoint: Endpoint, clock: Clock) -> bool:
    async with Client(endpoint, clock=clock) as client:
        try:
            await client.health()
        except Unreachable:
            return False
    return True


async def _outdated(endpoint: Endpoint, data_dir: Path, clock: Clock) -> Running | None:
    """Return the daemon if it should be replaced by this version, else None.

    That is: private, older and idle. A newer one stays: its database may be one that this version
    cannot read.
    """
    async with Client(endpoint, clock=clock) as client:
        try:
            info = await client.info()
        except PalaverError:
            return None  # the next request reports the error
    if not info.private or info.working or not is_older(info, __version__):
        return None
    pid = await asyncio.to_thread(holder, data_dir)
    return Running(info.pid, data_dir, info) if pid == info.pid else None


async def _lend_keys(endpoint: Endpoint, clock: Clock) -> None:
    """Send API keys that were exported after the daemon started to a private daemon of this user.

    The daemon keeps them in memory.
    """
    if not await asyncio.to_thread(_is_ours, endpoint):
        return
    async with Client(endpoint, clock=clock) as client:
        try:
            setup = (await client.models()).setup
            if setup is None or not setup.takes_variables:
                return
            lent = {name: os.environ[name] for name in setup.variables if os.environ.get(name)}
            if lent:
                await client.lend(Lent(lent))
        except PalaverError:
            return  # the next request reports the error


def _not_foreign(endpoint: Endpoint, data_dir: Path) -> None:
    """Raise `PalaverError` if the socket is another user's, who may have created it in /tmp."""
    try:
        assert endpoint.socket is not None
        listener, owner = endpoint.socket.stat().st_uid, data_dir.stat().st_uid
    except OSError:
        return
    if listener not in (os.getuid(), owner):
        raise PalaverError(f"The socket {endpoint.socket} belongs to another user.")


def _is_ours(endpoint: Endpoint) -> bool:
    try:
        return endpoint.socket is not None and endpoint.socket.stat().st_uid == os.getuid()
    except OSError:
        return False


def _make_private(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PalaverError(
            f"The data directory {data_dir} cannot be made: {error.strerror}."
        ) from error


@asynccontextmanager
async def _turn_to_launch(data_dir: Path, clock: Clock) -> AsyncIterator[None]:
    """Hold the launch lock: one client at a time starts a daemon. A crash releases it."""
    try:
        handle = await asyncio.to_thread(
            os.open, data_dir / "launch.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise PalaverError(
            f"The data directory {data_dir} cannot be written to: {error.strerror}."
        ) from error
    try:
        give_up = clock.monotonic() + START_S
        while not _try_lock(handle):
            if clock.monotonic() > give_up:
                raise PalaverError(
                    f"Another client has been starting the daemon of {data_dir} for {START_S:g} s."
                )
            await clock.sleep(LOOK_S)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True)
class _Log:
    """The part of the log that one start wrote, from `begin` (a byte offset) on."""

    path: Path
    begin: int

    def last_line(self) -> str:
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            begin = self.begin if self.begin <= end else 0  # else another one took its place
            file.seek(max(begin, end - LOG_TAIL))
            text = file.read().decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1].removeprefix("palaverd: ") if lines else ""


def _spawn(
    argv: Sequence[str], data_dir: Path, started: Callable[[Process], None] | None
) -> tuple[_Log, Process]:
    path = log_path(data_dir)
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        log = _Log(path, os.lseek(handle, 0, os.SEEK_END))
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            # Not the caller's directory: `-m` would import from it, and it would stay in use.
            cwd=data_dir,
            # Ctrl-C and the end of the terminal must not reach the daemon.
            start_new_session=True,
        )
    finally:
        os.close(handle)
    _started[:] = [child for child in _started if child.poll() is None]
    _started.append(process)
    # Called here, in the thread: the awaiting task may be cancelled before its next line.
    if started is not None:
        started(process)
    return log, process


async def _wait(process: Process, endpoint: Endpoint, log: _Log, clock: Clock) -> None:
    """Wait until the daemon answers. Raises `PalaverError` with its reason if it ends."""
    give_up = clock.monotonic() + START_S
    ended: int | None = None
    while clock.monotonic() < give_up:
        if await _answers(endpoint, clock):
            return
        if ended is None and (ended := process.poll()) is not None:
            if endpoint.socket is None or not await asyncio.to_thread(endpoint.socket.exists):
                break
            give_up = clock.monotonic() + RIVAL_S
        await clock.sleep(LOOK_S)
    if ended is None:
        raise PalaverError(
            f"The daemon (process {process.pid}) does not answer {START_S:g} s after its start;"
            f" its log is {log.path}."
        )
    reason = (
        await asyncio.to_thread(log.last_line)
        or f"it ended with status {ended}; its log is {log.path}."
    )
    raise PalaverError(f"The daemon did not start: {reason}")
