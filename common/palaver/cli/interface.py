"""`palaver` without a command, and `palaver attach`: the interface that is installed."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from palaver.cli.ids import chat_argument, find_id
from palaver.cli.running import connected
from palaver.cli.settings import Settings

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
        settings.connect, data_dir=settings.data_dir, chat_id=chat_id, restart=settings.restart
    )
    if code:
        raise click.exceptions.Exit(code)


def require_terminal() -> None:
    """Return where an interface can read keys and draw.

    Raises:
        PalaverError: a standard stream is no terminal. Standard error counts: what draws on it
            would draw into a file.
    """
    streams = {"input": sys.stdin, "output": sys.stdout, "error": sys.stderr}
    lacking = [name for name, stream in streams.items() if stream is None or not stream.isatty()]
    if lacking:
        from palaver.client import PalaverError

        raise PalaverError(
            f"The interface needs a terminal, and standard {_listed(lacking)} none."
            ' Commands work without one:  palaver run "…",  palaver ls,  palaver --help.'
        )


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
