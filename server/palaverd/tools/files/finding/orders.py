"""What the process is asked, and what it answers."""

from __future__ import annotations

import msgspec


class ListFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="list"):
    """Entries to list; `depth` counts from the directory `path`."""

    path: str = "."
    depth: int | None = None
    pattern: str | None = None
    ignored: bool = False


class SearchFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="search"):
    """Lines to find; see the parameters of `search_files`."""

    pattern: str
    path: str = "."
    glob: str | None = None
    literal: bool = False
    ignore_case: bool = False
    context: int = 0
    names_only: bool = False
    limit: int = 100
    ignored: bool = False


class Order(msgspec.Struct, frozen=True):
    """One look into a workspace.

    `root` is its absolute path, `seconds` the time to take, `ripgrep` the name or path of its
    program, which is used if it is there.
    """

    root: bytes
    asked: ListFiles | SearchFiles
    seconds: float
    ripgrep: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """Text for the model; with `is_error` it says why nothing was looked for."""

    text: str
    is_error: bool = False
