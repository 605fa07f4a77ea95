"""Write a new configuration file."""

from __future__ import annotations

import os
from pathlib import Path

from palaver.client import PalaverError


def write_config(path: Path, text: str) -> None:
    """Write `path`, readable by its owner only. Never overwrites a file.

    Raises:
        PalaverError: the file exists, or cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise PalaverError(f"{path} is there already; nothing was written.") from error
    except OSError as error:
        raise PalaverError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise PalaverError(f"{path} cannot be written: {error.strerror}.") from error
