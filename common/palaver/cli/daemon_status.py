"""`palaver daemon status`: whether a daemon runs, its version and its work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from palaver import __version__
from palaver.cli import exits, output
from palaver.cli.daemon import found, none_runs
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.wire.chats import Info, Models


class Status(msgspec.Struct, frozen=True):
    """The output of `--json`. Without a daemon most of it is null.

    `server` is the address of a daemon that is not on this machine; `socket` and `log` are null
    then.
    """

    running: bool
    data_dir: str | None = None
    socket: str | None = None
    log: str | None = None
    server: str | None = None
    pid: int | None = None
    version: str | None = None
    started_at: datetime | None = None
    private: bool | None = None
    supervisor: str | None = None
    working: int | None = None
    clients: int | None = None
    models: list[str] = []
    unavailable: list[str] = []
    config: str | None = None
    config_found: bool | None = None
    problem: str | None = None
    restart: list[str] = []

    @property
    def answers(self) -> bool:
        """Whether the daemon responded."""
        return self.version is not None


@click.command(epilog="\b\nExamples:\n  palaver daemon status\n  palaver daemon status --json\n")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show whether a daemon is running, and its state. Starts none.

    The exit code is 1 when none runs, or when it does not answer.
    """
    run_async(_status(settings, as_json=as_json))


async def _status(settings: Settings, *, as_json: bool) -> int:
    known = await (_ask_there(settings) if settings.remote else _ask(settings))
    if as_json:
        output.write_json(known)
    elif not known.running:
        output.write_line(none_runs(settings))
    else:
        for line in lines(known):
            output.write_line(line)
    return exits.FINISHED if known.answers else exits.FAILED


async def _ask(settings: Settings) -> Status:
    from palaver.client import Client, Endpoint
    from palaver.paths import log_path, socket_path

    running = await found(settings, "status")
    data_dir = settings.data_dir if running is None else running.data_dir
    socket = settings.socket or socket_path(data_dir)
    known = Status(
        running=running is not None,
        data_dir=str(data_dir),
        socket=str(socket),
        log=str(log_path(data_dir)),
        pid=running.pid if running else None,
    )
    if running is None or running.info is None:
        return known
    async with Client(Endpoint.unix(socket)) as client:
        return _told(known, running.info, await client.models())


async def _ask_there(settings: Settings) -> Status:
    """Return the status of a daemon on another machine. Raises `PalaverError`."""
    from palaver.client import Client

    async with Client(await settings.connect()) as client:
        info = await client.info()
        known = Status(True, info.data_dir, server=str(client.endpoint), pid=info.pid)
        return _told(known, info, await client.models())


def _told(known: Status, info: Info, models: Models) -> Status:
    setup = models.setup
    known = msgspec.structs.replace(
        known,
        version=info.version,
        started_at=info.started_at,
        private=info.private,
        supervisor=info.supervisor,
        working=info.working,
        clients=info.clients,
        models=[model.name for model in models.models if model.unavailable is None],
        unavailable=[model.name for model in models.models if model.unavailable is not None],
    )
    if setup is None:
        return known
    return msgspec.structs.replace(
        known,
        config=setup.config,
        config_found=setup.found,
        problem=setup.problem,
        restart=setup.restart,
    )


def lines(known: Status) -> Iterator[str]:
    """Yield the lines about a running daemon."""
    if not known.answers:
        yield f"A daemon (process {known.pid}) owns {known.data_dir}, but does not answer."
        yield "It may be starting; `palaver daemon restart --force` ends one that hangs."
        return
    since = known.started_at.astimezone().strftime("%Y-%m-%d %H:%M") if known.started_at else ""
    yield f"palaverd {known.version} runs as process {known.pid} since {since}, {_keeper(known)}"
    yield f"  work    {_count(known.working, 'chat')} in work, {_count(known.clients, 'client')}"
    yield f"  models  {', '.join(known.models) or 'none that can be used'}"
    if known.unavailable:
        yield f"          without a usable key: {', '.join(known.unavailable)}"
    yield f"  config  {known.config or '?'}{'' if known.config_found else ' (not there)'}"
    yield f"  server  {known.server}" if known.server else f"  socket  {known.socket}"
    if known.private and known.log:
        yield f"  log     {known.log}"
    if known.problem:
        yield f"!! The configuration on disk cannot be used, the one before holds. {known.problem}"
    if known.restart:
        yield f"!! Needs `palaver daemon restart`: {', '.join(known.restart)}."
    if known.version != __version__:
        brings = ": `palaver daemon restart` brings the same" if known.private else ""
        yield f"!! This program is {__version__}{'' if known.server else brings}."


def _keeper(known: Status) -> str:
    if known.private:
        return "started by a client"
    return f"run by {known.supervisor}" if known.supervisor else "started by hand"


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 0} {noun}s"
