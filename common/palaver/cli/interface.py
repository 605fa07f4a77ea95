"""`palaver` without a command, and `palaver attach`: open the installed interface."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from palaver.cli import words
from palaver.cli.ids import chat_argument, find_id
from palaver.cli.runtime import connected
from palaver.cli.settings import Connect, Settings
from palaver.cli.workspaces import wanted_workspace
from palaver.garbage import loading

if TYPE_CHECKING:
    from palaver.interface import Choice, Left
    from palaver.remote.servers import Server

TERMINAL: Final = "/dev/tty"  # the controlling terminal
OWN: Final = "palaver_tui.entry_point", "open_terminal"
GROUP: Final = "palaver.interface"  # the entry points of other interfaces
MISSING: Final = (
    "No interface is installed: install one with  pip install 'palaver[tui]'  or use a command"
    " (palaver --help)."
)


@click.command(epilog="\b\nExample:\n  palaver attach ID\n")
@chat_argument
@click.pass_obj
def attach(settings: Settings, chat_id: str) -> None:
    """Open the interface on one chat."""
    import asyncio

    require_terminal()
    open_interface(settings, asyncio.run(_found(settings, chat_id)))


async def _found(settings: Settings, chat_id: str) -> str:
    async with connected(settings) as client:
        return await find_id(client, chat_id)


def open_interface(settings: Settings, chat_id: str | None = None) -> None:
    """Open the installed interface, and exit with its code.

    If the user chooses another server in it, the interface is opened again on that one.

    Raises:
        PalaverError: no interface is installed, or there is no terminal.
    """
    from palaver.client import PalaverError

    require_terminal()
    interface, first, said = find_interface(), settings, ""
    connect = _way(settings)
    while True:
        left: Left = interface(
            connect,
            data_dir=settings.data_dir,
            chat_id=chat_id,
            restart=None if settings.remote else settings.restart,
            config=settings.config,
            hint=settings.hint,
            server=settings.server,
            choices=None if settings.connector else partial(_choices, first, settings),
            notice=said,
            workspace=wanted_workspace(settings),
        )
        if left.go_to is None:
            break
        before, chat_before = settings, left.chat_id
        settings, chat_id, said = _at(left.go_to, first), None, ""
        try:
            connect = _way(settings)  # also fails if client.toml changed meanwhile
        except PalaverError as error:
            settings, chat_id, said = before, chat_before, str(error)
    if left.code:
        raise click.exceptions.Exit(left.code)
    if left.chat_id is not None and settings.connector is None:
        words.notice(f"To come back:  {way_back(settings, left.chat_id)}")


def _way(settings: Settings) -> Connect:
    """Return the connector. ssh is connected now, since it cannot prompt while an interface runs.

    Raises:
        PalaverError: there is no such server, or ssh failed.
    """
    server = settings.server if settings.connector is None else None
    if server is None:
        return settings.connect
    from palaver.remote.address import Ssh

    if not isinstance(server.place, Ssh):
        return settings.connect
    import asyncio

    asyncio.run(settings.connect())
    return partial(settings.connect, asks=False)


def way_back(settings: Settings, chat_id: str) -> str:
    """Return the command that opens the interface on a chat of the current server."""
    import shlex

    from palaver.paths import default_data_dir

    options: list[str] = []
    if settings.data_dir != default_data_dir():
        options = ["--data-dir", str(settings.data_dir)]
    server, wanted = settings.server, settings.wanted
    if server is not None and server.socket is not None:
        options += ["--socket", str(server.socket)]
    elif server is not None:
        options += ["--server", server.asked_for]
        if wanted is not None:
            for option, value in (
                ("--ca-file", wanted.ca_file),
                ("--token-file", wanted.token_file),
                ("--remote-command", wanted.remote_command),
            ):
                options += [option, str(value)] if value is not None else []
    elif os.environ.get("PALAVER_SERVER"):
        options += ["--server", "local"]
    return shlex.join(["palaver", *options, "attach", chat_id])


def _choices(first: Settings, present: Settings) -> list[Choice]:
    """Return the servers to choose from: this machine, client.toml's, and the command line's."""
    from palaver.interface import Choice
    from palaver.paths import client_config_path
    from palaver.remote.servers import load

    servers: list[Server | None] = [None, *load(client_config_path()).values()]
    if first.server not in servers:
        servers.insert(0, first.server)
    return [Choice(server, here=server == present.server) for server in servers]


def _at(choice: Choice, first: Settings) -> Settings:
    """Return the settings for a chosen server; `first` are those of the command line."""
    from palaver.remote.servers import Wanted

    if choice.server == first.server:
        return first
    server = choice.server
    wanted = None if server is None else Wanted(server.asked_for)
    # The directory that was named is one of the first server's machine.
    return replace(first, wanted=wanted, workspace=None)


def require_terminal() -> None:
    """Check that an interface can read keys and draw.

    If standard input is something else (`echo x | palaver`), it is replaced by the controlling
    terminal.

    Raises:
        PalaverError: there is no terminal. Standard error counts, too: an interface that draws on
            it would draw into a file.
    """
    streams = {"input": sys.stdin, "output": sys.stdout, "error": sys.stderr}
    lacking = [name for name, stream in streams.items() if stream is None or not stream.isatty()]
    if lacking == ["input"] and _take_keys():
        words.notice(
            'Standard input is not read: keys come from the terminal. To ask it:  palaver run "…"'
        )
        return
    if lacking:
        from palaver.client import PalaverError

        raise PalaverError(
            f"The interface needs a terminal, and standard {_listed(lacking)} none."
            ' Commands work without one:  palaver run "…",  palaver ls,  palaver --help.'
        )


def _take_keys() -> bool:
    """Make the controlling terminal standard input; return whether there is one."""
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    if terminal:  # 0 if standard input was closed
        os.dup2(terminal, 0)
        os.close(terminal)
    keys = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name in ("stdin", "__stdin__"):  # textual reads the second one
        setattr(sys, name, keys)
    return True


def _listed(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} are"


def find_interface() -> Any:
    """Return our own interface if it is installed, else the first one of the entry point group."""
    from importlib import import_module
    from importlib.util import find_spec

    from palaver.client import PalaverError

    module, function = OWN
    try:
        with loading():
            # By name: looking for entry points reads the metadata of every installed package.
            if find_spec(module.partition(".")[0]) is not None:
                return getattr(import_module(module), function)
            from importlib.metadata import entry_points

            for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
                return entry.load()
    except ModuleNotFoundError as error:
        # The interface is installed, but not the dependencies of its extra.
        raise PalaverError(f"{MISSING} ({error.name} is missing)") from error
    raise PalaverError(MISSING)
