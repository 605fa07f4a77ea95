"""Where things are kept: the data directory, its socket, the configuration file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

APP = "palaver"
# sun_path holds 108 bytes on Linux and 104 on macOS, with a terminating zero.
SOCKET_PATH_LIMIT = 103


def default_data_dir() -> Path:
    """Return `$PALAVER_DATA_DIR`, or the platform's data directory for Palaver."""
    configured = os.environ.get("PALAVER_DATA_DIR")
    return Path(configured) if configured else platformdirs.user_data_path(APP)


def default_config_path() -> Path:
    """Return `$PALAVER_CONFIG`, or `config.toml` in the platform's configuration directory."""
    configured = os.environ.get("PALAVER_CONFIG")
    return Path(configured) if configured else platformdirs.user_config_path(APP) / "config.toml"


def socket_path(data_dir: Path) -> Path:
    """Return the Unix socket of the daemon that owns `data_dir`.

    It lies in the data directory. Where that path is too long for a socket address, it lies in
    the user's runtime directory under a name made from the path, so that client and daemon
    find the same one.
    """
    resolved = data_dir.expanduser().absolute()
    inside = resolved / "palaverd.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:16]
    return platformdirs.user_runtime_path(APP) / digest / "palaverd.sock"
