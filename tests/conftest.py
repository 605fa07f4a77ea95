"""Guards around every test: no blocked event loop, no leftovers, nothing outside the test."""

from __future__ import annotations

import asyncio
import gc
import inspect
import ipaddress
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from blockbuster import blockbuster_ctx

from support import examples, guardian  # noqa: F401  the first one loads a profile
from support.forkserver import end_server
from support.long import FILES

# Objects made since the last garbage collection that are worth one after a test. A client has some
# ten thousand, and is garbage then; in the middle of a test it is searched in vain.
MANY = 50_000
# Thresholds of the generations, for a test that makes very many.
THRESHOLDS = (1_000_000, 10, 10)
# Bytes of one process: ten times what a worker has at the end of a run.
MEMORY = 8 * 1024**3
# Modules and tests stay: searching them while they are made would take a fifth of that time.
gc.disable()


class OutsideWorld(RuntimeError):
    """A test used something outside itself: another machine, other processes."""


def _refuse_outside(args: tuple[object, ...]) -> None:
    address = args[1]
    if isinstance(address, tuple):
        host = str(address[0])
        if not ipaddress.ip_address(host.split("%")[0]).is_loopback:
            raise OutsideWorld(f"a test tried to connect to {host}")


def _refuse_groups(args: tuple[object, ...]) -> None:
    """Refuse signals to whole groups: 0 and less address the test runner's own."""
    if isinstance(args[0], int) and args[0] <= 0:
        raise OutsideWorld(f"a test would send a signal to the group of process {args[0]}")


REFUSALS = {"socket.connect": _refuse_outside, "os.kill": _refuse_groups}


def _refuse(event: str, args: tuple[object, ...]) -> None:
    # One hook for all: Python calls it for every look at an id or a frame, thousands in a test.
    if event in REFUSALS:
        REFUSALS[event](args)


sys.addaudithook(_refuse)


def limit_memory() -> None:
    """Have what grows without end fail with a traceback, instead of the system killing a process.

    The limit holds for each process that a test starts, too.
    """
    if sys.platform == "linux":
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


def pytest_configure() -> None:
    """Make processes that tests start end with the test run, also if it is killed.

    A shell lets its background jobs ignore ^C, and programs inherit that, also those under test.
    """
    guardian.watch()
    limit_memory()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Run somewhat more workers than cores: tests that start processes mostly wait."""
    return min(len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else 4, 9)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test-fast` leaves out."""
    for item in items:
        if item.path in FILES:
            item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Exclude all that was imported from garbage collection.

    Python would search it again and again: a third of the time of tests with a client.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def pytest_runtest_logfinish() -> None:
    """Collect what a test has left, once it is much."""
    if gc.get_count()[0] > MANY:
        gc.collect(0)


def pytest_unconfigure() -> None:
    """Stop the guardian."""
    guardian.stop()


@pytest.fixture(autouse=True, scope="session")
def nothing_left() -> Iterator[None]:
    """Fail the last test if any of them left a process behind."""
    yield
    end_server()
    assert guardian.left() == {}


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Reset logging after a test, so that the next one configures its own."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def unblocked() -> Iterator[None]:
    """Fail any test whose code blocks the event loop."""
    with blockbuster_ctx(["palaver", "palaverd"]):
        yield


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> None:
    """Fail any asynchronous test that leaves a task behind."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_left")


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    # Some iterations for callbacks of what was just cancelled, and for a timer of aiohttp: that of
    # a closed WebSocket makes a task for a last ping, which fails at once.
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"
