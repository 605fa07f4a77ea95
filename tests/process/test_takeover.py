"""A worker stopped for three leases and continued: all of its late writes are refused.

The daemon is a process that is really stopped (SIGSTOP). A second worker, in the test's own
process, uses the same database file and takes over its chats after their leases; the lock of the
data directory, which keeps two daemons apart, does not stop a worker.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from palaver.wire.chats import CreateChat
from palaverd.config.load import load_config
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from palaverd.store.acquisition import read_hints
from palaverd.store.check import check_all
from palaverd.store.migrate import migrate
from support.clock import ManualClock
from support.daemon import make_daemon
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

LEASE_S = 1.0
LONG_LEASE_S = 3.0  # a working worker on a busy machine may miss a heartbeat for a second
BEAT_S = 0.2
LATE_WITHIN = 4  # takeovers; on a busy machine hardly one in a hundred has no late write
CONFIG = f"""
default_model = "llama"
[providers.local]
kind = "openai-compatible"
base_url = "{{url}}/v1"
api_key = "sim"
[models.llama]
provider = "local"
model = "sim-large"
[worker]
heartbeat_seconds = {BEAT_S}
lease_seconds = {LEASE_S}
"""
# In the middle of an answer, between two attempts, before the first word.
PROMPTS = (
    "[[rate=30]] [[length=90]] first",
    "[[rate=40]] [[length=120]] second",
    "[[529]] [[echo]] third",
    "[[slow-first=3]] [[echo]] fourth",
)


class Report(msgspec.Struct):
    """The result of a takeover.

    It has the end of each chat's answers, the tables that the late worker changed, and the number
    of its writes that were refused.
    """

    answers: list[list[str | None]]
    changed: list[str]
    refused: int


@asynccontextmanager
async def second_worker(data_dir: Path, url: str | None = None) -> AsyncIterator[Daemon]:
    """Run the parts of a daemon that run chats; it neither locks the directory nor serves.

    With a `url` it uses the simulator there.
    """
    config = await asyncio.to_thread(load_config, data_dir / "config.toml", {}, required=True)
    if url is not None:
        local = msgspec.structs.replace(config.providers["local"], base_url=f"{url}/v1")
        config = msgspec.structs.replace(config, providers={"local": local})
    other = make_daemon(data_dir, config)
    await other.database.open(migrate)
    await other.worker.start()
    try:
        yield other
    finally:
        await other.stop()


async def until_true(condition: Any, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


def _writable(path: Path) -> bool:
    """Return whether the stopped process holds no lock, which would block the second worker."""
    with closing(sqlite3.connect(path, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def _held(path: Path) -> int:
    """Return the number of chats that a worker holds."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(runner_id) FROM chats").fetchone()[0])


async def freeze(daemon: DaemonProcess) -> None:
    """Stop the process between two of its transactions."""
    while True:
        daemon.process.send_signal(signal.SIGSTOP)
        if await asyncio.to_thread(_writable, daemon.data_dir / "palaver.db"):
            return
        daemon.process.send_signal(signal.SIGCONT)


def _content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("chats", "messages", "queued_messages", "leases", "partials", "attempts")
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
            for name in tables
        }


async def takeover(without: Sequence[str] = ()) -> Report:
    """Stop a daemon in the middle of its turns, let another worker finish them, and continue it."""
    async with place(config=CONFIG) as data_dir, started(data_dir, without=without) as daemon:
        ids = [
            (await daemon.client.create_chat(CreateChat(content=prompt))).chat.id
            for prompt in PROMPTS
        ]

        async def all_begun() -> bool:
            chats = [await daemon.client.chat(chat_id) for chat_id in ids]
            return chats[2].retry is not None and all(c.status == "running" for c in chats)

        await until_true(all_begun)
        await freeze(daemon)
        since = time.monotonic()
        async with second_worker(data_dir) as other:

            async def finished() -> bool:
                hints = await other.database.read(lambda c: read_hints(c, ids))
                return (
                    all(hint.status == "waiting" for hint in hints)
                    and other.worker.running == 0
                    and time.monotonic() - since >= 3 * LEASE_S
                )

            await until_true(finished)
        file = data_dir / "palaver.db"
        before = await asyncio.to_thread(_content, file)
        daemon.process.send_signal(signal.SIGCONT)

        async def given_up() -> bool:
            return daemon.logged("late write refused") >= len(ids)

        with suppress(TimeoutError):  # a safeguard is off: the report has the result
            await until_true(given_up, 5.0)
        pages = [await daemon.client.messages(chat_id) for chat_id in ids]
        after = await asyncio.to_thread(_content, file)
        assert await asyncio.to_thread(check_all, file) == (len(ids), [])
        return Report(
            answers=[[m.finish for m in page.messages if m.role == "assistant"] for page in pages],
            changed=[name for name in before if before[name] != after[name]],
            refused=daemon.logged("late write refused"),
        )


async def runners_of_a_living_worker(leases: int, without: Sequence[str] = ()) -> int:
    """Run a second worker beside a working one for so many leases, or until it took over.

    Returns how many runners the chat had in that time: one, unless its lease ended.
    """
    config = CONFIG.replace(f"lease_seconds = {LEASE_S}", f"lease_seconds = {LONG_LEASE_S}")
    async with place(config=config) as data_dir, started(data_dir, without=without) as daemon:
        asked = CreateChat(content="[[rate=10]] [[length=900]] hello")
        chat_id = (await daemon.client.create_chat(asked)).chat.id

        async def held() -> bool:
            return await asyncio.to_thread(_held, data_dir / "palaver.db") == 1

        await until_true(held)  # or else the second worker may be the first to take it
        runners: set[str] = set()
        since: float | None = None
        async with second_worker(data_dir) as other:

            async def over() -> bool:
                nonlocal since
                [hint] = await other.database.read(lambda c: read_hints(c, [chat_id]))
                runners.update(name for name in [hint.runner_id] if name is not None)
                if runners and since is None:
                    since = time.monotonic()
                waited = 0.0 if since is None else time.monotonic() - since
                return len(runners) > 1 or waited >= leases * LONG_LEASE_S

            await until_true(over)
        return len(runners)


async def return_in_mid_answer(without: Sequence[str]) -> tuple[int, int]:
    """Continue a stopped worker while another one is in the middle of its chats' answers.

    The other worker's model is stalled until the late one has done all that it does. Returns how
    many writes of the late one were refused, and how many of the other one, which holds the chats.
    """
    clock = ManualClock()
    async with (
        place(rate=20, config=CONFIG) as data_dir,
        started(data_dir, without=without) as daemon,
        Simulator(rate=20, clock=clock) as still,
    ):
        asked = [CreateChat(f"[[length=60]] {number}") for number in range(4)]
        ids = [(await daemon.client.create_chat(one)).chat.id for one in asked]

        async def all_held() -> bool:
            return await asyncio.to_thread(_held, data_dir / "palaver.db") == len(ids)

        await until_true(all_held)  # or else the second worker may be the first to take one
        await freeze(daemon)
        with capture_logs() as logged:
            async with second_worker(data_dir, still.url) as other:

                async def in_mid_answer() -> bool:
                    return len(clock.waits()) == len(ids)

                await until_true(in_mid_answer)
                daemon.process.send_signal(signal.SIGCONT)

                async def given_up() -> bool:
                    return (await daemon.client.info()).working == 0

                await until_true(given_up)

                async def over() -> bool:
                    clock.advance(1)
                    return other.worker.running == 0

                await until_true(over)
        harm = sum(line["event"] == "late write refused" for line in logged)
        return daemon.logged("late write refused"), harm


def unharmed(report: Report) -> None:
    assert report.answers == [["stop"]] * len(PROMPTS)
    assert report.changed == []


async def late_takeover(without: Sequence[str] = ()) -> Report:
    """Take over from a worker until it then writes late, in the middle of an answer.

    One that notices first that it has lost its chats writes nothing, which is right but shows
    nothing, so the takeover is repeated.
    """
    for _ in range(LATE_WITHIN):
        report = await takeover(without)
        unharmed(report)
        if report.refused >= 2:
            return report
    raise AssertionError("it was never late")


async def test_all_late_writes_of_a_worker_that_was_stopped_for_three_leases_are_refused() -> None:
    # It gives up its chats by itself; without that, the fences alone keep it out.
    await asyncio.gather(late_takeover(), late_takeover(["lease_timer"]))


async def test_without_fences_a_worker_that_comes_back_late_does_harm() -> None:
    # As above: one that notices first has nothing to write.
    for without in (["lease_timer"], ["lease_timer", "fence"]):
        for _ in range(LATE_WITHIN):
            refused, harm = await return_in_mid_answer(without)
            if refused or harm:
                break
        assert (refused > 0, harm > 0) == ("fence" not in without, "fence" in without)


async def test_a_heartbeat_alone_keeps_a_chat_from_being_taken() -> None:
    living, silent = await asyncio.gather(
        runners_of_a_living_worker(2), runners_of_a_living_worker(8, ["heartbeat"])
    )
    assert (living, silent) == (1, 2)
