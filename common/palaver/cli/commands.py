"""A click group that imports its commands lazily, and suggests the nearest to a mistyped one."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """A group with its commands as a table: name, and `module:attribute`.

    A command is imported when it is called, or listed by --help.
    """

    def __init__(self, *arguments: Any, table: Mapping[str, str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name; None if there is none."""
        where = self._table.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the called command.

        Raises:
            click.UsageError: there is none of that name; the message suggests the nearest one.
        """
        name = args[0]
        # click's own message for an unknown option suggests the nearest option.
        if name not in self._table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(self._unknown(name, ctx), ctx)
        return super().resolve_command(ctx, args)

    def _unknown(self, name: str, ctx: click.Context) -> str:
        said = f"There is no command {name!r}."
        if ctx.parent is None and len(name.split()) > 1:
            return f"{said} To ask that:  {ctx.command_path} run {shlex.quote(name)}"
        near = nearest(name, self._table, self._deeper(ctx))
        return f"{said} Did you mean '{ctx.command_path} {near}'?" if near else said

    def _deeper(self, ctx: click.Context) -> Iterator[str]:
        """Yield the commands of subgroups, whose first word may have been forgotten."""
        for name in self._table:
            command = self.get_command(ctx, name)
            if isinstance(command, click.Group):
                yield from (f"{name} {one}" for one in command.list_commands(ctx))


def nearest(name: str, names: Iterable[str], deeper: Iterable[str] = ()) -> str | None:
    """Return the command nearest to `name`, None if none is near.

    One of `deeper` ("daemon stop") is near if its last word is.
    """
    # Imported here: only mistyped commands need it.
    from difflib import get_close_matches

    words = {name: name for name in names}
    for full in deeper:
        words.setdefault(full.rpartition(" ")[2], full)
    near = get_close_matches(name.lower(), words, n=1)
    return words[near[0]] if near else None
