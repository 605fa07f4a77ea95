"""The files that a connection to the daemon depends on: it is retried when one changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from palaver.paths import client_config_path, default_config_path, socket_path

if TYPE_CHECKING:
    from palaver.remote.servers import Server


def watched_files(data_dir: Path, config: Path | None, server: Server | None) -> Iterator[Path]:
    """Yield the paths of the files for a server, None for the daemon of this machine.

    `config` is the configuration of the daemon, None for the default path.
    """
    if server is None or server.socket is not None:
        yield config or default_config_path()
        yield server.socket if server and server.socket else socket_path(data_dir)
        return
    from palaver.remote.address import Web
    from palaver.remote.endpoints import tokens

    yield client_config_path()
    yield from (path for path in (server.ca_file, server.token_file) if path is not None)
    if isinstance(server.place, Web):
        yield tokens().path(server.place)


def file_stats(paths: Iterable[Path]) -> list[tuple[int, int, int] | None]:
    """Return inode, size and modification time (ns) of each file, None if it cannot be read."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            stat = path.expanduser().stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return found
