"""Names of files as a model is shown them: valid text, on one line."""

from __future__ import annotations

import os

# C0, DEL and C1, and what ends a line in Unicode: a name with one could pass for another line.
_HIDDEN = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_HIDDEN |= {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}


def shown(path: str) -> str:
    """Return a path without control characters; bytes that are no UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace").translate(_HIDDEN)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 file, 2 files."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
