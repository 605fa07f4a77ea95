"""`palaver daemon`: manage the daemon process of a data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from palaver.cli import exits, output, words
from palaver.cli.commands import Commands
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.daemon_process import Running

COMMANDS: Final[dict[str, str]] = {
    "status": "palaver.cli.daemon_status:status",
    "restart": "palaver.cli.daemon:restart",
    "stop": "palaver.cli.daemon:stop",
    "reload": "palaver.cli.daemon:reload",
    "logs": "palaver.cli.daemon_logs:logs",
}


@click.group(
    cls=Commands,
    table=COMMANDS,
    epilog="""\b
Examples:
  palaver daemon status
  palaver daemon restart     # with the keys that are in this shell's environment
  palaver daemon logs -f
""",
)
def daemon() -> None:
    """Manage the daemon that keeps the chats."""


FORCE = click.option(
    "--force", is_flag=True, help="Kill it if it does not end by itself; nothing is lost by that."
)


@click.command(epilog="\b\nExamples:\n  palaver daemon stop\n  palaver daemon stop --force\n")
@FORCE
@click.pass_obj
def stop(settings: Settings, force: bool) -> None:
    """End the daemon. Chats in mid-answer go on when one runs again.

    It waits until the daemon is gone. That none runs is no failure.
    """
    run_async(_stop(settings, force=force))


async def _stop(settings: Settings, *, force: bool) -> int:
    from palaver.clock import SystemClock
    from palaver.daemon_process import stop as end

    running = await found(settings, "stop")
    if running is None:
        words.notice(none_runs(settings))
        return exits.FINISHED
    await end(running, SystemClock(), force=force)
    chats = _goes_on(running, " when a daemon runs again")
    words.notice(f"Stopped (process {running.pid}).{chats}")
    if running.info is not None and running.info.clients:
        words.notice("A client is open: it starts another one in a moment.")
    return exits.FINISHED


@click.command(
    short_help="End the daemon and start another one with the keys of this shell.",
    epilog="\b\nExample:\n  ANTHROPIC_API_KEY=… palaver daemon restart\n",
)
@FORCE
@click.pass_obj
def restart(settings: Settings, force: bool) -> None:
    """End the daemon and start another one, with the environment of this shell.

    This is how a daemon gets a key that was exported after it began. Chats in mid-answer go on.
    Without a daemon, one is started.
    """
    run_async(_restart(settings, force=force))


async def _restart(settings: Settings, *, force: bool) -> int:
    from palaver.client import Client

    before = await found(settings, "restart")
    async with Client(await settings.restart(force=force)) as client:
        pid = (await client.info()).pid
    if before is None:
        words.notice(f"None ran; started process {pid}.")
    else:
        words.notice(f"Stopped process {before.pid}, started process {pid}.{_goes_on(before)}")
    return exits.FINISHED


@click.command(
    short_help="Make the daemon read config.toml again.",
    epilog="\b\nExample:\n  palaver daemon reload\n",
)
@click.option("--json", "as_json", is_flag=True, help="Print what changed as one line of JSON.")
@click.pass_obj
def reload(settings: Settings, as_json: bool) -> None:
    """Make the daemon read config.toml again, and list what needs a restart.

    It does so by itself when the file changes; this is for keys that a command gives ("cmd:…"),
    and to see what is wrong with the file.
    """
    run_async(_reload(settings, as_json=as_json))


async def _reload(settings: Settings, *, as_json: bool) -> int:
    from palaver.client import Client, Endpoint, PalaverError
    from palaver.paths import socket_path

    if settings.remote:
        endpoint = await settings.connect()
    elif await found(settings, "reload") is None:
        raise PalaverError(none_runs(settings))
    else:
        endpoint = Endpoint.unix(settings.socket or socket_path(settings.data_dir))
    async with Client(endpoint) as client:
        reloaded = await client.reload()
    if as_json:
        output.write_json(reloaded)
        return exits.FINISHED
    if reloaded.changed:
        words.notice(f"Read anew. Now in force: {', '.join(reloaded.changed)}.")
    else:
        words.notice("Read anew. Nothing has changed since it was read last.")
    if reloaded.restart:
        words.notice(f"Needs `palaver daemon restart`: {', '.join(reloaded.restart)}.")
    return exits.FINISHED


async def found(settings: Settings, command: str) -> Running | None:
    """Return the daemon that the options select, None if none runs.

    Raises:
        PalaverError: it is not on this machine, so that `command` does not apply.
    """
    settings.here(f"palaver daemon {command}")
    from palaver.clock import SystemClock
    from palaver.daemon_process import find

    return await find(settings.data_dir, settings.socket, SystemClock())


def none_runs(settings: Settings) -> str:
    """Return the message that no daemon runs."""
    if settings.socket is not None:
        return f"No daemon runs at {settings.socket}."
    return f"No daemon runs for {settings.data_dir}."


def _goes_on(running: Running, when: str = "") -> str:
    """Return a sentence about the chats that a stopped daemon was working on; "" for none."""
    working = running.info.working if running.info else 0
    if not working:
        return ""
    chats = "1 chat goes" if working == 1 else f"{working} chats go"
    return f" {chats} on{when}."
