"""`palaverd serve`: run the daemon."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path

import click

from palaver.paths import (
    NowhereError,
    chosen_data_dir,
    default_config_path,
    from_root,
    socket_path,
)
from palaverd.cli.exits import EXIT_FAILED
from palaverd.lean_libraries import import_libraries


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="The data directory.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--socket", type=click.Path(path_type=Path), help="The Unix socket to listen on.")
@click.option("--no-socket", is_flag=True, help="Listen on no Unix socket.")
@click.option(
    "--listen", metavar="HOST:PORT", multiple=True, help="Listen over TCP too; can be repeated."
)
@click.option(
    "--allow-plaintext", is_flag=True, help="Without a certificate: a proxy in front ends TLS."
)
@click.option("--private", is_flag=True, help="End after an hour without clients and work.")
@click.option("--debug", is_flag=True, help="Log more, and show tracebacks.")
def serve(
    data_dir: Path | None = None,
    config: Path | None = None,
    socket: Path | None = None,
    no_socket: bool = False,
    listen: tuple[str, ...] = (),
    allow_plaintext: bool = False,
    private: bool = False,
    debug: bool = False,
) -> None:
    """Serve on a Unix socket until SIGTERM. SIGHUP reads the configuration again.

    Over TCP it serves where --listen says, or listen under [server]. What others than this machine
    reach needs a certificate there: tls_cert and tls_key.

    \b
    Examples:
      palaverd serve
      palaverd serve --listen 0.0.0.0:7777
      palaverd serve --data-dir /srv/palaver --config /etc/palaver/config.toml
    """
    # A start imports much that stays, and would be searched for garbage again and again.
    gc.disable()
    import_libraries()
    # Imported here so that --help needs no database and no web server.
    from palaverd.config.addresses import BadListenError, listen_address
    from palaverd.config.load import ConfigError
    from palaverd.config.source import Source
    from palaverd.datadir import StartError
    from palaverd.logs.output import configure_logs
    from palaverd.serve import leave_if_loading
    from palaverd.serve import serve as run
    from palaverd.store.database import DatabaseError

    configure_logs(debug=debug)
    try:
        data_dir = chosen_data_dir(data_dir)
        path = from_root(str(config or default_config_path()), "--config")
        source = Source(path, dict(os.environ), required=config is not None)
        loaded = source.read()
        address = None if no_socket else socket or socket_path(data_dir)
        # A private daemon belongs to one user, and there may be several.
        wanted = listen or (() if private else loaded.config.server.listen)
        places = [listen_address(text) for text in wanted]
        if not places and address is None:
            raise StartError("There is nothing to listen on: --no-socket goes with --listen.")
        asyncio.run(
            run(
                data_dir,
                address,
                source,
                loaded,
                private=private,
                listen=places,
                allow_plaintext=allow_plaintext,
            )
        )
        leave_if_loading()
    except (ConfigError, StartError, DatabaseError, NowhereError, BadListenError) as error:
        if debug:
            raise
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)
    finally:
        gc.enable()  # in a test, whose process goes on
