"""`palaverd db`: migrate, back up and check the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from palaver.paths import absolute, default_data_dir
from palaverd.cli.exits import EXIT_FAILED

_data_dir = click.option("--data-dir", type=click.Path(path_type=Path), help="The data directory.")


@click.group(name="db")
def db_group() -> None:
    """Migrate, back up and check the database."""


@db_group.command()
@_data_dir
def migrate(data_dir: Path | None) -> None:
    """Bring the database to this version. The daemon does the same at its start."""
    from palaver.clock import SystemClock
    from palaverd.datadir import DataDir
    from palaverd.store.backup import backup_before
    from palaverd.store.migrate import HEAD
    from palaverd.store.migrate import migrate as upgrade
    from palaverd.store.sqlite import SqliteDatabase

    directory = DataDir(_path(data_dir))

    async def run() -> None:
        database = SqliteDatabase(directory.database, SystemClock())
        try:
            await database.open(upgrade)
        finally:
            await database.close()

    def work() -> None:
        directory.acquire()
        try:
            copied = backup_before(directory.database, HEAD, datetime.now(UTC))
            if copied is not None:
                click.echo(f"copied to {copied}")
            asyncio.run(run())
        finally:
            directory.release()
        click.echo(f"{directory.database}: schema {HEAD}")

    _in_sentences(work)


@db_group.command()
@_data_dir
@click.argument("target", type=click.Path(path_type=Path))
def backup(data_dir: Path | None, target: Path) -> None:
    """Copy the database to TARGET, also while the daemon runs.

    To restore: stop the daemon, replace palaver.db by the copy, remove palaver.db-wal
    and palaver.db-shm, and start the daemon.

    \b
    Example:
      palaverd db backup ~/palaver-$(date +%F).db
    """
    from palaverd.store.backup import copy_database

    source = _path(data_dir) / "palaver.db"
    _in_sentences(lambda: copy_database(source, target))
    click.echo(f"copied to {target}")


@db_group.command()
@_data_dir
def check(data_dir: Path | None) -> None:
    """Check the file, and that every chat keeps the invariants."""
    from palaverd.store.backup import integrity_problems
    from palaverd.store.check import check_all

    path = _path(data_dir) / "palaver.db"
    found: list[str] = []

    def work() -> None:
        found.extend(integrity_problems(path))
        count, wrong = check_all(path)
        found.extend(wrong)
        click.echo(f"{path}: {count} chats checked", err=True)

    _in_sentences(work)
    for problem in found:
        click.echo(problem)
    if found:
        sys.exit(EXIT_FAILED)
    click.echo("ok")


def _path(data_dir: Path | None) -> Path:
    return absolute(data_dir or default_data_dir())


def _in_sentences(work: Callable[[], None]) -> None:
    """Run `work`; on a known error, print one sentence and exit."""
    from palaverd.datadir import StartError
    from palaverd.store.database import DatabaseError

    try:
        work()
    except (StartError, DatabaseError) as error:
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)
