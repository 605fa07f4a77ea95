"""The `palaverd` command, for operators."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from palaver import __version__
from palaver.paths import default_config_path, default_data_dir, socket_path

EXIT_FAILED = 1


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
    """Serve on a Unix socket until SIGTERM.

    \b
    Examples:
      palaverd serve
      palaverd serve --data-dir /srv/palaver --config /etc/palaver/config.toml
    """
    # Imported here so that --help and --version need no database and no web server.
    from palaverd.config.keys import read_keys
    from palaverd.config.load import ConfigError, load_config
    from palaverd.datadir import StartError
    from palaverd.logs import configure_logs
    from palaverd.serve import serve as run
    from palaverd.store.database import DatabaseError

    configure_logs(debug=debug)
    data_dir = (data_dir or default_data_dir()).expanduser().absolute()
    try:
        loaded = load_config(
            config or default_config_path(), os.environ, required=config is not None
        )
        keys = read_keys(loaded, os.environ)
        asyncio.run(run(data_dir, socket or socket_path(data_dir), loaded, keys, private=private))
    except (ConfigError, StartError, DatabaseError) as error:
        if debug:
            raise
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)


@main.group(name="config")
def config_group() -> None:
    """Check the configuration, or begin one."""


@config_group.command(name="check")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
def config_check(config: Path | None) -> None:
    """Read the configuration and print what is in force, with secrets masked."""
    from palaverd.config.load import ConfigError, load_config
    from palaverd.config.show import effective

    path = config or default_config_path()
    try:
        loaded = load_config(path, os.environ, required=config is not None)
    except ConfigError as error:
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)
    click.echo(f"# {path}: {'read' if path.exists() else 'not there, defaults hold'}")
    click.echo(effective(loaded))


@config_group.command(name="example")
def config_example() -> None:
    """Print a commented configuration with every key.

    \b
    Example:
      palaverd config example > ~/.config/palaver/config.toml
    """
    from palaverd.config.show import example

    click.echo(example(), nl=False)
