"""Asking before something goes for good."""

from __future__ import annotations

import sys

import click

from palaver.cli import words


def confirm(question: str, *, yes: bool) -> None:
    """Return when whoever runs the command wants it: `yes` was given, or they say so now.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: they said no.
    """
    if yes:
        return
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise click.UsageError("There is no terminal to ask at: say --yes if you mean it.")
    click.confirm(words.for_stream(question, sys.stderr), abort=True, err=True)
