"""Cursor positions around characters whose width terminals disagree about.

A family, a flag, a skin tone, a heart with its selector, a keycap: terminals count different cells
for these, and so does tmux from the terminal around it. Each is written over as many blanks as its
width here, and the text after it begins with a cursor position. Without this the rest of such a row
is off by a cell or more. Pure.
"""

from __future__ import annotations

import re

from palaver_tui.text.wrap import clusters

# Joiners, variation selectors, combining characters, emoji, regional indicators and tags.
_UNSURE = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u10ff\u1ab0-\u1cff\u200d\u20d0-\u20ff\ufe00-\ufe0f"
    "\U0001f000-\U0001ffff\U000e0000-\U000e0fff]"
)
# A cursor position; any other escape sequence; the end of a row.
_SEQUENCE = re.compile(
    r"\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
    r"|[\r\n]"
)


def placed(data: str) -> str:
    """Return `data` for the terminal, with cursor positions around characters of unsure width."""
    if not _UNSURE.search(data):
        return data
    pieces: list[str] = []
    row = column = 0  # the cursor; the row is 0 if the position is unknown
    at = 0
    for found in _SEQUENCE.finditer(data):
        text, sequence = data[at : found.start()], found[0]
        piece, column = _text(text, row, column)
        pieces += [piece, sequence]
        if found["row"]:
            row, column = int(found["row"]), int(found["column"])
        elif sequence in "\r\n" or sequence[-1] != "m":
            row = 0
        at = found.end()
    return "".join([*pieces, _text(data[at:], row, column)[0]])


def _text(text: str, row: int, column: int) -> tuple[str, int]:
    """Return a text that begins at a position, with positions in it, and the column after it."""
    if not row or not text:
        return text, column
    pieces = []
    for cluster, width in clusters(text):
        if _UNSURE.search(cluster):
            here, after = f"\x1b[{row};{column}H", f"\x1b[{row};{column + width}H"
            pieces.append(f"{here}{' ' * width}{here}{cluster}{after}")
        else:
            pieces.append(cluster)
        column += width
    return "".join(pieces), column
