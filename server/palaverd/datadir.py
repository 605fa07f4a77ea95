"""The data directory: private to its user and locked by one daemon at a time."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import time
from pathlib import Path

PRIVATE_DIR = 0o700
_GLANCE_S = 0.05  # longer than `palaver daemon status` holds the lock to test it
_PROBE_S = 1.0  # timeout for a daemon on the same machine to accept a connection


class StartError(Exception):
    """The daemon cannot start. The message is one sentence for the user."""


class DataDir:
    """A data directory with a lock; only the holder of the lock may write its database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "palaver.db"
        self._lock: int | None = None

    def acquire(self) -> None:
        """Create the directory and take its lock. Blocks briefly: call it in a thread.

        Raises:
            StartError: another daemon holds the lock, or the directory cannot be used.
        """
        try:
            self.path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
            self.path.chmod(PRIVATE_DIR)
            lock = os.open(
                self.path / "palaverd.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise StartError(
                f"The data directory {self.path} cannot be used: {error.strerror}."
            ) from None
        if not _locked(lock):
            holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise StartError(
                f"Another daemon (pid {holder}) already uses the data directory {self.path}."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def release(self) -> None:
        """Release the lock. The file stays: removing it would let two daemons lock at once."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(handle: int) -> bool:
    """Return whether the lock was taken; try twice, as `palaver daemon status` holds it briefly."""
    for last in (False, True):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not last:
                time.sleep(_GLANCE_S)
        else:
            return True
    return False


def prepare_socket(path: Path) -> None:
    """Create the socket's directory, and remove a stale socket that no daemon serves.

    aiohttp would silently replace the socket of a running daemon.

    Raises:
        StartError: a daemon answers on the socket, or the path is unusable.
    """
    try:
        path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        folder = path.parent.stat()
        # In a directory that all may write to, such as /tmp, another user could take the name.
        if folder.st_uid != os.getuid() or folder.st_mode & stat.S_ISVTX:
            raise StartError(
                f"The socket's directory {path.parent} belongs to another user or to all. "
                "Choose one of your own for it."
            )
        if stat.S_IMODE(folder.st_mode) & 0o077:
            raise StartError(
                f"The socket's directory {path.parent} is open to other users; "
                f"make it private with: chmod 700 {path.parent}"
            )
        if not path.exists():
            return
        if not path.is_socket():
            raise StartError(f"{path} is in the way: it is not a socket.")
        if _answers(path):
            raise StartError(f"The socket {path} is taken: another daemon answers there.")
        path.unlink()
    except OSError as error:
        raise StartError(f"The socket {path} cannot be made: {error.strerror or error}.") from None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True
