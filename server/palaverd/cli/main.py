"""The `palaverd` command, for operators."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from palaver import __version__
from palaver.paths import (
    NowhereError,
    default_config_path,
    default_data_dir,
    from_root,
    socket_path,
)
from palaverd.cli.config import config_group
from palaverd.cli.db import db_group
from palaverd.cli.exits import EXIT_FAILED


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="palaverd")
@click.pass_context
def main(context: click.Context) -> None:
    """Own conversations with language-model agents. Without a command: serve."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@main.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where chats are kept.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--socket", type=click.Path(path_type=Path), help="The Unix socket to listen on.")
@click.option("--private", is_flag=True, help="End after an hour without clients and work.")
@click.option("--debug", is_flag=True, help="Log more, and show tracebacks.")
def serve(
    data_dir: Path | None = None,
    config: Path | None = None,
    socket: Path | None = None,
    private: bool = False,
    debug: bool = False,
) -> None:
    """Serve on a Unix socket until SIGTERM. SIGHUP reads the configuration anew.

    \b
    Examples:
      palaverd serve
      palaverd serve --data-dir /srv/palaver --config /etc/palaver/config.toml
    """
    # Imported here so that --help and --version need no database and no web server.
    from palaverd.config.load import ConfigError
    from palaverd.config.source import Source
    from palaverd.datadir import StartError
    from palaverd.logs import configure_logs
    from palaverd.serve import serve as run
    from palaverd.store.database import DatabaseError

    configure_logs(debug=debug)
    try:
        data_dir = from_root(str(data_dir), "--data-dir") if data_dir else default_data_dir()
        path = from_root(str(config or default_config_path()), "--config")
        source = Source(path, dict(os.environ), required=config is not None)
        loaded = source.read()
        address = socket or socket_path(data_dir)
        asyncio.run(run(data_dir, address, source, loaded, private=private))
    except (ConfigError, StartError, DatabaseError, NowhereError) as error:
        if debug:
            raise
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)


main.add_command(config_group)
main.add_command(db_group)
