"""`palaverd db`: migrate, back up and check the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from palaver.paths import NowhereError, chosen_data_dir
from palaverd.cli.exits import EXIT_FAILED

if TYPE_CHECKING:
    from palaverd.datadir import DataDir

_data_dir = click.option("--data-dir", type=click.Path(path_type=Path), help="The data directory.")


@click.group(name="db")
def db_group() -> None:
    """Migrate, back up and check the database."""


@db_group.command()
@_data_dir
def migrate(data_dir: Path | None) -> None:
    """Bring the database to this version. The daemon does the same at its start."""
    from palaver.clock import SystemClock
    from palaverd.store.backup import backup_before
    from palaverd.store.migrate import HEAD
    from palaverd.store.migrate import migrate as upgrade
    from palaverd.store.sqlite import SqliteDatabase

    async def run(path: Path) -> None:
        database = SqliteDatabase(path, SystemClock())
        try:
            await database.open(upgrade)
        finally:
            await database.close()

    def work(directory: DataDir) -> None:
        directory.acquire()
        try:
            copied = backup_before(directory.database, HEAD, datetime.now(UTC))
            if copied is not None:
                click.echo(f"copied to {copied}")
            asyncio.run(run(directory.database))
        finally:
            directory.release()
        click.echo(f"{directory.database}: schema {HEAD}")

    _in_sentences(data_dir, work)


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

    _in_sentences(data_dir, lambda directory: copy_database(directory.database, target))
    click.echo(f"copied to {target}")


@db_group.command()
@_data_dir
def check(data_dir: Path | None) -> None:
    """Check the file, and that every chat keeps the invariants."""
    from palaverd.store.backup import integrity_problems
    from palaverd.store.check import check_all

    found: list[str] = []

    def work(directory: DataDir) -> None:
        path = directory.database
        found.extend(integrity_problems(path))
        count, wrong = check_all(path)
        found.extend(wrong)
        click.echo(f"{path}: {count} chats checked", err=True)

    _in_sentences(data_dir, work)
    for problem in found:
        click.echo(problem)
    if found:
        sys.exit(EXIT_FAILED)
    click.echo("ok")


def _in_sentences(data_dir: Path | None, work: Callable[[DataDir], None]) -> None:
    """Run `work` with the data directory; on a known error, print one sentence and exit."""
    from palaverd.datadir import DataDir, StartError
    from palaverd.store.database import DatabaseError

    try:
        work(DataDir(chosen_data_dir(data_dir)))
    except (NowhereError, StartError, DatabaseError) as error:
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)
