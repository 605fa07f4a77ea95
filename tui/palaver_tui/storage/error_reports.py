"""Reports of the client's own errors. This module does not use the screen.

A report has the types and places of errors and never their messages, which may contain the user's
text or a key.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from traceback import walk_tb
from typing import Final

import msgspec

# Kinds of errors with an entry of their own; further ones are only counted.
MOST_KINDS: Final = 20
MOST_FILES: Final = 10
PACKAGES: Final = ("palaver", "textual", "rich")
# Environment variables that describe the terminal.
TERMINAL: Final = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "LANG")


class ErrorKind(msgspec.Struct, frozen=True):
    """One kind of error: its type, and the frames of its traceback, the outermost first.

    `cause` is the error that it was raised from, or during the handling of.
    """

    type: str
    frames: tuple[str, ...]
    cause: ErrorKind | None = None

    @property
    def place(self) -> str:
        """Where it was raised: file, line and function."""
        return self.frames[-1] if self.frames else "an unknown place"

    def lines(self) -> list[str]:
        """Return its lines in a report."""
        said = [f"{self.type} at {self.place}", *(f"  {frame}" for frame in self.frames)]
        if self.cause is not None:
            said += ["caused by:", *self.cause.lines()]
        return said


def described(error: BaseException, depth: int = 4) -> ErrorKind:
    """Return the kind of `error`, without its message; causes are followed `depth` deep."""
    frames = tuple(
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_qualname}"
        for frame, line in walk_tb(error.__traceback__)
    )
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    cause = described(behind, depth - 1) if behind is not None and depth else None
    return ErrorKind(type(error).__qualname__, frames, cause)


def _short(file: str) -> str:
    """Return a file's path from its package on: the path before it may contain a user's name."""
    parts = Path(file).parts
    for root in ("site-packages", "palaver_tui", "palaver"):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[at + (root == "site-packages") :])
    return "/".join(parts[-2:])


class ErrorLog:
    """Counts errors by kind. Reports are written to `folder`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._seen: dict[tuple[str, str], tuple[ErrorKind, int]] = {}
        self._more = 0
        self.path: Path | None = None  # the report, once it is on disk

    def __bool__(self) -> bool:
        return bool(self._seen)

    def note(self, error: BaseException) -> ErrorKind | None:
        """Count `error`; return its kind if it is new, else None."""
        new = described(error)
        key = new.type, new.place
        if key in self._seen:
            known, count = self._seen[key]
            self._seen[key] = known, count + 1
            return None
        if len(self._seen) >= MOST_KINDS:
            self._more += 1
            return None
        self._seen[key] = new, 1
        return new

    def report(self) -> str:
        """Return the report as text: versions, terminal, and each kind of error with its count."""
        lines = ["Palaver: errors of the client. No words of any message are in here.", ""]
        lines += [f"{name} {_version(name)}" for name in PACKAGES]
        lines += [f"Python {platform.python_version()} on {platform.system()} {platform.release()}"]
        lines += [f"{name}={self._environment.get(name, '')}" for name in TERMINAL]
        lines += [f"tmux: {'yes' if self._environment.get('TMUX') else 'no'}"]
        for known, count in self._seen.values():
            times = "" if count == 1 else f" ({count} times)"
            first, *rest = known.lines()
            lines += ["", first + times, *rest]
        if self._more:
            lines += ["", f"and {self._more} more"]
        return "\n".join(lines) + "\n"

    def write(self, now: datetime) -> None:
        """Write the report to `path`, which stays None as long as that fails.

        Each run of the client has one file; the newest `MOST_FILES` are kept.
        """
        path = self.path or self._folder / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(self.report(), encoding="utf-8")
            for old in sorted(self._folder.glob("*.txt"))[:-MOST_FILES]:
                old.unlink(missing_ok=True)
        except OSError:
            return
        self.path = path


def _version(name: str) -> str:
    # Not for every start: it imports zipfile, email and csv.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"


def say_ended(path: Path | None) -> None:
    """Write to stderr that the client ended because of an error, and where the report is."""
    where = f" A report is in {path}." if path else ""
    # Not `sys.stderr`: Textual replaces it while it runs.
    stream = sys.__stderr__ or sys.stderr
    stream.write(f"palaver: something went wrong in the client, and it ended.{where}\n")
    stream.flush()
