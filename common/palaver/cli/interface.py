"""`palaver` without a command, and `palaver attach`: the interface that is installed."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import click

from palaver.cli import words
from palaver.cli.ids import chat_argument, find_id
from palaver.cli.running import connected
from palaver.cli.settings import Settings

TERMINAL: Final = "/dev/tty"  # of the session that the command runs in
GROUP: Final = "palaver.interface"
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
    """Open the first interface of the entry point group, and leave with its exit code.

    Raises:
        PalaverError: none is installed, or there is no terminal for it.
    """
    require_terminal()
    code = _find()(
        settings.connect,
        data_dir=settings.data_dir,
        chat_id=chat_id,
        restart=settings.restart,
        config=settings.config,
        hint=settings.hint,
    )
    if code:
        raise click.exceptions.Exit(code)


def require_terminal() -> None:
    """See to it that an interface can read keys and draw.

    Where something else is standard input (`echo x | palaver`), the terminal of this session takes
    its place: keys come from there.

    Raises:
        PalaverError: there is no terminal. Standard error counts: what draws on it would draw into
            a file.
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
    """Make the terminal of this session standard input; return whether it has one."""
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    if terminal:  # 0 where standard input was closed
        os.dup2(terminal, 0)
        os.close(terminal)
    keys = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name in ("stdin", "__stdin__"):  # textual reads the second one
        setattr(sys, name, keys)
    return True


def _listed(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} are"


def _find() -> Any:
    from importlib.metadata import entry_points

    from palaver.client import PalaverError

    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            # The distribution has the interface's code, but not the libraries of its extra.
            raise PalaverError(f"{MISSING} ({error.name} is missing)") from error
    raise PalaverError(MISSING)
