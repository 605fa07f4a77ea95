"""Runs a daemon until a signal stops it, or a private one is idle for an hour."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from palaver.clock import Clock, SystemClock
from palaver.garbage import keep_loaded, search_less_often
from palaverd.api.limits import CONNECTIONS, RESERVED_FILES
from palaverd.config.addresses import ListenAddress
from palaverd.config.load import ConfigError
from palaverd.config.source import Loaded, Source
from palaverd.crashpoints import armed
from palaverd.daemon import Daemon
from palaverd.platform.descriptors import allow
from palaverd.platform.memory import keep_little
from palaverd.platform.supervisor import supervisor
from palaverd.providers.lazy_client import is_making

log = structlog.get_logger("palaverd")

# A private daemon ends after this many seconds without clients or work.
PRIVATE_IDLE_S = 3600.0
_IDLE_CHECK_S = 30.0
# A shutdown that hangs is cut off here, before the 10 s after which a service manager kills.
# Nothing is lost: the next start resumes the chats that were not released.
SHUTDOWN_LAST_S = 9.5
_LAST_WORD_S = 0.2
EXIT_CUT_OFF = 1


async def serve(
    data_dir: Path,
    socket: Path | None,
    source: Source,
    loaded: Loaded,
    *,
    private: bool,
    listen: Sequence[ListenAddress] = (),
    allow_plaintext: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends the process at once.

    SIGHUP reloads the configuration and the certificate. If the controlling terminal is gone, it
    ends the process, as with any program started by hand.

    Args:
        loaded: what was read from `source`.
        private: end after an hour without clients and without work.
        listen: addresses to listen on besides the Unix socket.
        allow_plaintext: a proxy terminates TLS before any address that others reach.

    Raises:
        StartError: the directory or the socket is taken or cannot be used.
        DatabaseError: the database is newer than this program, or broken.
    """
    # All files of this process are private: the database, its journal, copies of it.
    umask = os.umask(0o077)
    keep_little()
    clock = SystemClock()
    daemon = Daemon(
        data_dir,
        socket,
        loaded.config,
        clock=clock,
        chance=random.SystemRandom(),
        keys=loaded.keys,
        source=source,
        private=private,
        run_by=None if private else supervisor(os.environ, os.getpid()),
        connections=connections_for(allow(CONNECTIONS + RESERVED_FILES)),
        listen=listen,
        allow_plaintext=allow_plaintext,
        reached=armed(os.environ),
        umask=umask,
    )
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(EXIT_CUT_OFF)
        stop.set()

    on_terminal = os.isatty(sys.stderr.fileno())
    reloads: set[asyncio.Task[None]] = set()

    def on_hangup() -> None:
        if on_terminal and not os.isatty(sys.stderr.fileno()):
            _write_nowhere()
            stop.set()
            return
        task = asyncio.create_task(_reload(daemon))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await daemon.start()
    keep_loaded()
    search_less_often()
    gc.enable()  # not from the start on: see `palaverd.cli.serve`
    watch = asyncio.create_task(_stop_when_idle(daemon, stop, clock)) if private else None
    try:
        await stop.wait()
    finally:
        _end_in_time()
        log.info("stopping")
        if watch is not None:
            watch.cancel()
        await daemon.stop()


def leave_if_loading() -> None:
    """End the process at once, with code 0, if a thread still loads an SDK.

    At the end of a process OpenSSL frees what it has, also while such a thread reads certificates
    with it: one stop in seventy, right after the start, ended by SIGSEGV.
    """
    if is_making():
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)


def _write_nowhere() -> None:
    """Redirect stdout and stderr to /dev/null: writing to a closed terminal fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


async def _reload(daemon: Daemon) -> None:
    with suppress(ConfigError):  # the log has it
        await daemon.reload()


def connections_for(files: int) -> int:
    """Return how many connections to allow for `files` open files."""
    return max(files // 2, min(CONNECTIONS, files - RESERVED_FILES))


def _end_in_time() -> None:
    """Start a timer that ends the process even if the event loop or a thread hangs."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # the next signal ends the process
    timer = threading.Timer(SHUTDOWN_LAST_S, _cut_off)
    timer.daemon = True
    timer.start()


def _cut_off() -> None:
    # In a thread of its own: writing the log may be what hangs.
    report = partial(log.error, "shutdown cut off", after_s=SHUTDOWN_LAST_S)
    telling = threading.Thread(target=report, daemon=True)
    telling.start()
    telling.join(_LAST_WORD_S)
    os._exit(EXIT_CUT_OFF)


async def _stop_when_idle(daemon: Daemon, stop: asyncio.Event, clock: Clock) -> None:
    while not (daemon.idle and clock.monotonic() - daemon.last_active >= PRIVATE_IDLE_S):
        await clock.sleep(_IDLE_CHECK_S)
    log.info("nobody uses this private daemon")
    stop.set()
