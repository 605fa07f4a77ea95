"""Default paths: the data directory, its socket, the configuration files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

APP = "palaver"
# sun_path holds 108 bytes on Linux and 104 on macOS, with a terminating zero.
SOCKET_PATH_LIMIT = 103


class NowhereError(Exception):
    """A relative path, in a directory that was removed. The message is one sentence for users."""


def absolute(path: Path) -> Path:
    """Return a path from the root, with `~` expanded."""
    return path.expanduser().absolute()


def default_data_dir() -> Path:
    """Return `$PALAVER_DATA_DIR`, or the platform's data directory for Palaver.

    Raises:
        NowhereError: the variable is a relative path, and the current directory was removed.
    """
    configured = os.environ.get("PALAVER_DATA_DIR")
    if not configured:
        return platformdirs.user_data_path(APP)
    return from_root(configured, "PALAVER_DATA_DIR")


def chosen_data_dir(given: Path | str | None) -> Path:
    """Return the data directory of the option `--data-dir`, or the default one.

    Raises:
        NowhereError: it is a relative path, and the current directory was removed.
    """
    return from_root(str(given), "--data-dir") if given else default_data_dir()


def from_root(given: str, name: str) -> Path:
    """Return the absolute path of one that the user gave as `name`.

    Raises:
        NowhereError: it is relative, and the current directory was removed.
    """
    try:
        return absolute(Path(given))
    except FileNotFoundError:
        raise NowhereError(
            f"{name} is {given}, but the directory that this begins in is gone."
            " Change to another one, or give a path from the root."
        ) from None


def default_config_path() -> Path:
    """Return `$PALAVER_CONFIG`, or `config.toml` in the platform's configuration directory."""
    configured = os.environ.get("PALAVER_CONFIG")
    return Path(configured) if configured else platformdirs.user_config_path(APP) / "config.toml"


def client_config_path() -> Path:
    """Return the client's configuration file: `client.toml`, beside the default config.toml."""
    return platformdirs.user_config_path(APP) / "client.toml"


def log_path(data_dir: Path) -> Path:
    """Return the log of a daemon that a client started for `data_dir`.

    When it is full, the daemon renames it to the same name with `.1` behind it.
    """
    return data_dir / "palaverd.log"


def socket_path(data_dir: Path) -> Path:
    """Return the Unix socket of the daemon of `data_dir`.

    It is in the data directory. If that path is too long for a socket address, it is in a private
    directory in /tmp, named after path and user. The environment has no influence: a client in cron
    or over ssh finds the daemon of a session.
    """
    resolved = absolute(data_dir)
    inside = resolved / "palaverd.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:16]
    return Path("/tmp") / f"{APP}-{os.getuid()}-{digest}" / "palaverd.sock"
