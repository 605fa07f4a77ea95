"""The daemon of a data directory as a process: which it is, how it is ended and started anew."""

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
from palaver.paths import socket_path
from palaver.wire.chats import Info

# A daemon cuts its own shutdown off after 9.5 s; one that is there after this does not listen.
STOP_S: Final = 12.0
# From SIGKILL to the kernel's cleaning up: an instant, unless a disk hangs.
KILL_S: Final = 5.0
LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Running:
    """A daemon on this machine. `info` is None for one that owns the directory, but is silent."""

    pid: int
    data_dir: Path
    info: Info | None = None


def holder(data_dir: Path) -> int | None:
    """Return the process that owns a data directory, None when none does; 0: it is starting.

    Raises:
        PalaverError: this user may not look.
    """
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
        # The file keeps the number of a daemon that is gone; only the lock says that it lives.
        text = os.read(lock, 32).decode(errors="replace").strip()
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(lock)
    return None


async def find(data_dir: Path, socket: Path | None, clock: Clock) -> Running | None:
    """Return the daemon of `data_dir`, or the one at `socket` where it is given; None: none runs.

    Raises:
        PalaverError: what answers at `socket` does not run on this machine, or cannot be asked.
    """
    data_dir = _absolute(data_dir)
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


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


async def _info(endpoint: Endpoint, clock: Clock) -> Info | None:
    async with Client(endpoint, clock=clock) as client:
        try:
            return await client.info()
        except Unreachable:
            return None


def supervised(running: Running) -> str | None:
    """Say who runs this daemon and what to ask of them; None when nobody but its user does."""
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
    """End a daemon and wait until it is gone. Chats in mid-answer go on with the next one.

    With `force`, one that does not end by itself is killed; nothing that was acknowledged is lost.

    Raises:
        PalaverError: it may not be ended, or did not end.
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
    """Send a signal; say whether the process let go of its directory, and ended, in time."""
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
    """Return a handle that is readable once the process has ended, None where there is none.

    A process that ended and that its parent has not looked at yet still has its number.
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
            return  # whatever is wrong with it, a restart is what helps


async def restart(
    running: Running,
    start: Callable[[Path, Path | None, Callable[[], Awaitable[None]]], Awaitable[Endpoint]],
    clock: Clock,
    *,
    force: bool = False,
    same_config: bool = True,
) -> Endpoint:
    """End a daemon that a client started, and start the next one with this process's environment.

    Args:
        same_config: the next one reads the same file, so that one which cannot be used is told
            before anything is ended.
        start: starts a daemon of a data directory with a configuration file (None: the usual one)
            after awaiting what ends the one before.

    Raises:
        PalaverError: somebody else starts it, it did not end, or the next one did not start.
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
