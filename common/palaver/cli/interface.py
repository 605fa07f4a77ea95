"""`palaver` without a command, and `palaver attach`: the interface that is installed."""

from __future__ import annotations

from typing import Any, Final

import click

from palaver.cli.settings import Settings

GROUP: Final = "palaver.interface"
MISSING: Final = (
    "No interface is installed: install one with  pip install 'palaver[tui]'  or use a command"
    " (palaver --help)."
)


@click.command(epilog="\b\nExample:\n  palaver attach ID\n")
@click.argument("chat_id", metavar="ID")
@click.pass_obj
def attach(settings: Settings, chat_id: str) -> None:
    """Open the interface on one chat."""
    open_interface(settings, chat_id)


def open_interface(settings: Settings, chat_id: str | None = None) -> None:
    """Open the first interface of the entry point group, and leave with its exit code.

    Raises:
        PalaverError: none is installed.
    """
    code = _find()(settings.connect, data_dir=settings.data_dir, chat_id=chat_id)
    if code:
        raise click.exceptions.Exit(code)


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
