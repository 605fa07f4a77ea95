"""`palaverd config`: check the configuration, or print an example."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from palaver.paths import default_config_path
from palaverd.cli.exits import EXIT_FAILED


@click.group(name="config")
def config_group() -> None:
    """Check the configuration, or print an example."""


@config_group.command(name="check")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
def config_check(config: Path | None) -> None:
    """Read the configuration and print the effective one, with secrets masked."""
    from palaverd.config.addresses import listen_address
    from palaverd.config.load import ConfigError, load_config
    from palaverd.config.show import effective
    from palaverd.tcp_sockets import refusal
    from palaverd.tls import CertificateError, certificate_files

    path = config or default_config_path()
    try:
        loaded = load_config(path, os.environ, required=config is not None)
        files = certificate_files(loaded.server)
        if files is not None:
            files.read()
    except (ConfigError, CertificateError) as error:
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)
    click.echo(f"# {path}: {'read' if path.exists() else 'not there, defaults hold'}")
    click.echo(effective(loaded))
    for text in loaded.server.listen if files is None else []:
        if not (address := listen_address(text)).loopback:
            click.echo(f"palaverd: {refusal(address)}", err=True)


@config_group.command(name="example")
def config_example() -> None:
    """Print a commented configuration with every key.

    \b
    Example:
      palaverd config example > ~/.config/palaver/config.toml
    """
    from palaverd.config.show import example

    click.echo(example(), nl=False)
