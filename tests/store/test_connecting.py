"""A connection that fails is an error of its request, and the next request connects again."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from palaverd.store.database import DatabaseError
from palaverd.store.readers import Readers
from palaverd.store.writer import Writer
from support.clock import PATIENCE_S


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


@pytest.fixture
def missing(tmp_path: Path) -> tuple[Engine, Callable[[], None]]:
    """A database in a missing folder, and a function that creates the folder."""
    folder = tmp_path / "later"
    engine = create_engine(
        f"sqlite:///{folder / 'palaver.db'}",
        poolclass=NullPool,
        connect_args={"check_same_thread": False},
    )
    return engine, folder.mkdir


async def test_writes_fail_while_nothing_can_be_connected_and_go_on_afterwards(
    missing: tuple[Engine, Callable[[], None]],
) -> None:
    engine, make = missing
    writer = Writer(engine)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(2):
                with pytest.raises(DatabaseError, match="unable to open database file"):
                    await writer.submit(one)
            make()
            assert await writer.submit(one) == 1
    finally:
        await writer.close()


async def test_reads_fail_while_nothing_can_be_connected_and_go_on_afterwards(
    missing: tuple[Engine, Callable[[], None]],
) -> None:
    engine, make = missing
    readers = Readers(engine, 1)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await readers.open(one)
            for _ in range(2):
                with pytest.raises(DatabaseError, match="unable to open database file"):
                    await readers.submit(one)
            make()
            assert await readers.submit(one) == 1
    finally:
        await readers.close()


async def test_a_connection_that_fails_leaves_no_thread(
    missing: tuple[Engine, Callable[[], None]],
) -> None:
    engine, _ = missing
    readers, before = Readers(engine, 1), set(threading.enumerate())
    try:
        for _ in range(20):
            await readers.open(one)
            left = set(threading.enumerate()) - before
            assert [thread for thread in left if "asyncio" not in thread.name] == []
    finally:
        await readers.close()


@pytest.mark.parametrize("error", [sqlite3.OperationalError("no"), OSError("no"), SystemExit(1)])
async def test_nothing_that_a_driver_raises_ends_the_thread_that_writes(
    tmp_path: Path, error: BaseException
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'palaver.db'}", poolclass=NullPool)
    writer = Writer(engine)

    def fails(_connection: Connection) -> int:
        raise error

    try:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(type(error)):
                await writer.submit(fails)
            assert await writer.submit(one) == 1
    finally:
        await writer.close()


async def test_who_waits_for_a_write_is_told_when_what_follows_its_commit_fails(
    tmp_path: Path,
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'palaver.db'}", poolclass=NullPool)
    writer = Writer(engine)

    def committed(_result: int) -> None:
        raise LookupError("a subscriber of ours")

    try:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LookupError):
                await writer.submit(one, committed)
            assert await writer.submit(one) == 1
    finally:
        await writer.close()
