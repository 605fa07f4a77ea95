"""The daemon process of a data directory: find it, stop it, restart it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from palaver.client import Client, Endpoint, PalaverError, Refused, Unreachable
from palaver.clock import Clock
from palaver.paths import absolute, socket_path
from palaver.wire.chats import Info

# Seconds; a daemon ends its own shutdown after 9.5 s, so a longer one does not react.
STOP_S: Final = 12.0
# Seconds from SIGKILL to the end of the process: an instant, unless a disk hangs.
KILL_S: Final = 5.0
LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Running:
    """A daemon process on this machine. `info` is None if it holds the lock but does not answer."""

    pid: int
    data_dir: Path
    info: Info | None = None


def holder(data_dir: Path) -> int | None:
    """Return the pid of the daemon that holds a data directory; None: no one, 0: it is starting."""
    try:
        lock = os.open(data_dir / "palaverd.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PalaverError(
            f"The data directory {data_dir} cannot be looked at: {error.strerror}."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        # The file may have the pid of a daemon that ended; only the lock shows that one runs.
        text = os.read(lock, 32).decode(errors="replace").strip()
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(lock)
    return None


async def find(data_dir: Path, socket: Path | None, clock: Clock) -> Running | None:
    """Return the daemon of `data_dir`, or the one at `socket` if given; None if none runs.

    Raises:
        PalaverError: the daemon at `socket` is on another machine, or cannot be asked.
    """
    data_dir = absolute(data_dir)
    info = await _info(Endpoint.unix(socket or socket_path(data_dir)), clock)
    if socket is not None:
        if info is None:
            return None
        data_dir = Path(info.data_dir)
    pid = await asyncio.to_thread(holder, data_dir)
    if socket is not None and pid != getattr(info, "pid", None):
        raise PalaverError(f"The daemon at {socket} does not run on this machine.")
    if pid is None:
        return None
    return Running(pid, data_dir, info if info is not None and info.pid == pid else None)


async def _info(endpoint: Endpoint, clock: Clock) -> Info | None:
    async with Client(endpoint, clock=clock) as client:
        try:
            return await client.info()
        except Unreachable:
            return None


def supervised(running: Running) -> str | None:
    """Return who runs this daemon and how to restart it there; None for no service manager."""
    info = running.info
    if info is None or info.supervisor is None:
        return None
    who = f"The daemon (process {running.pid}) is run by "
    match info.supervisor:
        case "systemd" if info.unit:
            return f"{who}systemd: use  systemctl restart {info.unit}  (or stop)."
        case "container":
            return f"{who}a container: restart or stop that."
        case name:
            return f"{who}{name}: restart or stop it there."


async def stop(running: Running, clock: Clock, *, force: bool = False) -> None:
    """Stop a daemon and wait until it has ended. Running chats continue with the next one.

    With `force`, a daemon that does not end is killed; nothing that was acknowledged is lost.

    Raises:
        PalaverError: it may not be stopped, or did not end.
    """
    said = supervised(running)
    if said is not None:
        raise PalaverError(said)
    if running.pid == 0:
        raise PalaverError(f"A daemon of {running.data_dir} is just starting: try again.")
    if await _ended(running, signal.SIGTERM, STOP_S, clock):
        return
    if force and await _ended(running, signal.SIGKILL, KILL_S, clock):
        return
    hint = "" if force else " `palaver daemon stop --force` kills it; nothing is lost by that."
    raise PalaverError(f"The daemon (process {running.pid}) has not ended in {STOP_S:g} s.{hint}")


async def _ended(running: Running, number: signal.Signals, patience: float, clock: Clock) -> bool:
    """Send a signal; return whether the process released its directory and ended in time."""
    handle = _handle(running.pid)
    try:
        return await _signalled(running, number, patience, clock, handle)
    finally:
        if handle is not None:
            os.close(handle)


async def _signalled(
    running: Running, number: signal.Signals, patience: float, clock: Clock, handle: int | None
) -> bool:
    try:
        os.kill(running.pid, number)
    except ProcessLookupError:
        return True
    except PermissionError as error:
        raise PalaverError(
            f"The daemon (process {running.pid}) belongs to another user."
        ) from error
    give_up = clock.monotonic() + patience
    while not (
        await asyncio.to_thread(holder, running.data_dir) != running.pid and _is_over(handle)
    ):
        if clock.monotonic() > give_up:
            return False
        await clock.sleep(LOOK_S)
    return True


def _handle(pid: int) -> int | None:
    """Return a file descriptor that is readable once the process has ended, None if unsupported.

    A process that ended keeps its pid until its parent reaps it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _is_over(handle: int | None) -> bool:
    return handle is None or bool(select.select([handle], [], [], 0)[0])


async def _check_config(running: Running, clock: Clock) -> None:
    async with Client(Endpoint.unix(socket_path(running.data_dir)), clock=clock) as client:
        try:
            await client.reload()
        except Refused as refused:
            if refused.problem.code == "bad_config":
                raise PalaverError(f"The daemon goes on as it is: {refused}") from refused
        except PalaverError:
            return  # a restart may help


async def restart(
    running: Running,
    start: Callable[[Path, Path | None, Callable[[], Awaitable[None]]], Awaitable[Endpoint]],
    clock: Clock,
    *,
    force: bool = False,
    same_config: bool = True,
) -> Endpoint:
    """Stop a daemon that a client started, and start one with this process's environment.

    Args:
        same_config: the next daemon reads the same file, so check it before stopping.
        start: starts a daemon for a data directory and a configuration file (None: the default one)
            after awaiting its third argument, which stops the running one.

    Raises:
        PalaverError: somebody else manages it, it did not end, or the next one did not start.
    """
    info = running.info
    if info is not None and supervised(running) is None and not info.private:
        raise PalaverError(
            f"The daemon (process {running.pid}) was started by hand, with options that are not"
            " known here. `palaver daemon stop` ends it; start it again as it was started."
        )
    if info is not None and same_config:
        await _check_config(running, clock)
    config = Path(info.config) if info is not None and info.config else None
    return await start(running.data_dir, config, lambda: stop(running, clock, force=force))
