"""Unified diffs of changed files, for the model and for people."""

from __future__ import annotations

from collections.abc import Iterable

from palaverd.tools.failures import ToolError
from palaverd.tools.files.changes import Change
from palaverd.tools.files.opened import text_of

CONTEXT_LINES = 3


def diffs_of(changes: Iterable[Change]) -> str:
    """Return the diffs of all changes; of a binary file, how its size changed."""
    return "\n".join(_diff(change) for change in changes)


def _diff(change: Change) -> str:
    before = change.before or b""
    try:
        old, new = (
            text_of(change.path, data)[0].splitlines(keepends=True)
            for data in (before, change.after)
        )
    except ToolError:
        return f"{change.path}: {len(before):,} bytes became {len(change.after):,}"
    # Imported here: a start does not need it.
    import difflib

    lines = difflib.unified_diff(
        old,
        new,
        "/dev/null" if change.before is None else f"a/{change.path}",
        f"b/{change.path}",
        n=CONTEXT_LINES,
    )
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)


_NO_END = "\\ No newline at end of file\n"
