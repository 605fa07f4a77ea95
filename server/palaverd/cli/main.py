"""The `palaverd` command, for operators."""

from __future__ import annotations

from typing import Final

import click

from palaver import __version__
from palaver.cli.commands import Commands

# Name and location. A command is imported when it is called, or listed by --help.
COMMANDS: Final[dict[str, str]] = {
    "serve": "palaverd.cli.serve:serve",
    "config": "palaverd.cli.config:config_group",
    "db": "palaverd.cli.db:db_group",
    "user": "palaverd.cli.access:user_group",
    "token": "palaverd.cli.access:token_group",
    "dial-stdio": "palaverd.cli.dial_stdio:dial_stdio",
}


@click.group(cls=Commands, table=COMMANDS, invoke_without_command=True)
@click.version_option(__version__, prog_name="palaverd")
@click.pass_context
def main(context: click.Context) -> None:
    """Own conversations with language-model agents. Without a command: serve."""
    if context.invoked_subcommand is None:
        serve = main.get_command(context, "serve")
        assert serve is not None
        context.invoke(serve)
