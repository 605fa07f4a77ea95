"""Ask for confirmation before something irreversible."""

from __future__ import annotations

import sys

import click

from palaver.cli import words


def confirm(question: str) -> None:
    """Ask `question`; return if the user confirms.

    Raises:
        click.UsageError: there is no terminal to ask at.
        click.Abort: the user declined.
    """
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise click.UsageError("There is no terminal to ask at: say --yes if you mean it.")
    click.confirm(words.for_stream(question, sys.stderr), abort=True, err=True)
