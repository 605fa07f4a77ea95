"""The options of `palaver` that say which daemon is meant, as settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.remote.servers import Wanted

# Names of the options, as `settings_of` takes them.
OPTIONS: Final = (
    "data_dir",
    "config",
    "server",
    "socket",
    "ca_file",
    "token_file",
    "remote_command",
)


def settings_of(
    data_dir: str | None, config: str | None, *, debug: bool = False, **server: str | None
) -> Settings:
    """Return the settings of options; `server` are the server's. Raises `PalaverError`."""
    # Imported here, with pathlib: `palaver --help` needs no paths.
    from pathlib import Path

    from palaver.client.errors import PalaverError
    from palaver.paths import NowhereError, chosen_data_dir

    try:
        found = chosen_data_dir(data_dir)
    except NowhereError as error:
        raise PalaverError(str(error)) from None
    return Settings(
        data_dir=found,
        config=Path(config) if config else None,
        wanted=_wanted(data_dir, **server),
        debug=debug,
    )


def _wanted(
    data_dir: str | None,
    *,
    server: str | None,
    socket: str | None,
    ca_file: str | None,
    token_file: str | None,
    remote_command: str | None,
) -> Wanted | None:
    import os

    if socket and server:
        raise click.UsageError("--socket and --server name two daemons: give one of them.")
    if socket:
        server, source = f"unix://{socket}", "--socket"
    elif server:
        source = "--server"
    elif data_dir or not (server := os.environ.get("PALAVER_SERVER")):
        # --data-dir takes precedence over PALAVER_SERVER.
        if not (ca_file or token_file or remote_command):
            return None
        server, source = "", "login"  # `palaver login URL` may name it
    else:
        source = "PALAVER_SERVER"
    from pathlib import Path

    from palaver.remote.servers import Wanted

    return Wanted(
        server,
        source,
        ca_file=Path(ca_file).absolute() if ca_file else None,
        token_file=Path(token_file).absolute() if token_file else None,
        remote_command=remote_command,
    )
