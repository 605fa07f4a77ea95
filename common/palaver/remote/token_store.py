"""Store the tokens of `palaver login`: in the keyring if one works, else in files.

One file per server, readable only by its owner, says where its token is. A token is found by
scheme, host and port, and is sent to that server only. Everything here blocks: call it in a
thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from palaver.client.errors import PalaverError
from palaver.remote.address import BadAddressError, Web, parse
from palaver.remote.desktop_keyring import Ring, RingError

FOLDER: Final = "tokens"  # beside client.toml
# `palaver_<id>_<secret>`, with only characters that are safe in a URL.
TOKEN: Final = re.compile(r"palaver_[A-Za-z0-9]+_[A-Za-z0-9_-]{16,}\Z")
MAX_TOKEN: Final = 512  # characters; tokens have about seventy

Where = Literal["keyring", "file"]


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """The contents of a file: the server, and the token, unless it is in the keyring."""

    server: str
    token: str | None = None

    def __repr__(self) -> str:
        """Return the server, without the token."""
        return f"Stored({self.server})"


@dataclass(frozen=True)
class Kept:
    """A server with a stored token, and where it is; `why` not in the keyring, as a clause."""

    server: Web
    where: Where
    why: str = ""


def checked(text: str) -> str:
    """Return a pasted or piped token without surrounding white space.

    Raises:
        PalaverError: it is not a token. The message does not repeat it.
    """
    token = text.strip()
    if not token:
        raise PalaverError("No token was given.")
    if len(token) > MAX_TOKEN or not TOKEN.match(token):
        raise PalaverError(
            "That is not a token of Palaver's: one is a single word that begins with palaver_."
            " On the server,  palaverd token create NAME  makes one."
        )
    return token


class Tokens:
    """The tokens in a folder, and those in the keyring that its files refer to."""

    def __init__(self, folder: Path, ring: Ring | None = None) -> None:
        self._folder = folder
        self._ring = ring or Ring()

    def store(self, server: Web, token: str) -> Kept:
        """Store the token of a server, replacing an earlier one; return where it is.

        Raises:
            PalaverError: it cannot be stored.
        """
        entry, kept = Stored(str(server)), Kept(server, "keyring")
        try:
            self._ring.store(str(server), token)
        except RingError as error:
            entry, kept = Stored(str(server), token), Kept(server, "file", str(error))
        path = self.path(server)
        try:
            _write(path, msgspec.json.encode(entry))
        except OSError as error:
            raise PalaverError(
                f"The token cannot be kept in {path}: {error.strerror or error}."
            ) from error
        return kept

    def token(self, server: Web) -> str | None:
        """Return the token of a server, None without one.

        Raises:
            PalaverError: others can read its file, or the keyring fails.
        """
        entry = self._read(self.path(server))
        # The name of a file is a digest: its content decides.
        if entry is None or entry.server != str(server):
            return None
        if entry.token is not None:
            return entry.token
        try:
            token = self._ring.read(str(server))
        except RingError as error:
            raise PalaverError(f"The token for {server} is in the keyring, and {error}.") from error
        return token

    def forget(self, server: Web) -> bool:
        """Delete the token of a server; return whether there was one. Raises `PalaverError`."""
        path = self.path(server)
        try:
            entry = self._read(path)
        except PalaverError:
            entry = Stored(str(server), "")  # an unusable file is deleted, too
        if entry is None:
            return False
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PalaverError(f"{path} cannot be removed: {error.strerror}.") from error
        if entry.token is None:
            with contextlib.suppress(RingError):  # no longer there, or not reachable
                self._ring.forget(str(server))
        return True

    def kept(self) -> list[Kept]:
        """Return the servers with stored tokens, except those whose files are unusable."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(PalaverError, BadAddressError):
                entry = self._read(path)
                server = parse(entry.server) if entry is not None else None
                if entry is not None and isinstance(server, Web):
                    found.append(Kept(server, "keyring" if entry.token is None else "file"))
        return sorted(found, key=lambda kept: str(kept.server))

    def path(self, server: Web) -> Path:
        """Return the file of a server."""
        digest = hashlib.sha256(str(server).encode()).hexdigest()[:16]
        return self._folder / f"{digest}.json"

    def _read(self, path: Path) -> Stored | None:
        try:
            data = read_private(path)
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(data, type=Stored)
        except msgspec.DecodeError as error:
            raise PalaverError(
                f"{path} is no file of a token: remove it, and  palaver login  again."
            ) from error


def token_of(path: Path) -> str:
    """Return the token in a file of the user's. Raises `PalaverError`."""
    try:
        return checked(read_private(path).decode(errors="replace"))
    except FileNotFoundError as error:
        raise PalaverError(f"The token file {path} is not there.") from error
    except PalaverError as error:
        if str(path) in str(error):
            raise
        raise PalaverError(f"The token file {path}: {error}") from None


def read_private(path: Path) -> bytes:
    """Return the content of a file that others cannot read.

    Raises:
        FileNotFoundError: it does not exist.
        PalaverError: others can read it, it belongs to another user, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())  # of the open file, whatever the path is by now
            if not stat.S_ISREG(status.st_mode):
                raise PalaverError(f"{path} is not a file.")
            if status.st_uid not in (os.getuid(), 0):
                raise PalaverError(f"{path} has a token in it and belongs to another user.")
            if status.st_mode & 0o077:
                raise PalaverError(
                    f"{path} has a token in it, and others can read it (mode"
                    f" {stat.S_IMODE(status.st_mode):o}). To use it:  chmod 600 {path}  and better"
                    " a new token, as this one may be known."
                )
            return file.read(MAX_TOKEN * 8)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PalaverError(f"{path} cannot be read: {error.strerror or error}.") from error


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically, readable only by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
