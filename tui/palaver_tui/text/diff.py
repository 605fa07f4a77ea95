"""Unified diffs: parsing and drawing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal, NamedTuple

from palaver_tui.text.code import CONTINUATION
from palaver_tui.text.spans import BLANK, Face, Ink, Line, Paper, Span
from palaver_tui.text.visible import TAB_WIDTH, visible_line
from palaver_tui.text.wrap import clip, hard_wrap, width_of

Sign = Literal["+", "-", " "]
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_FILE = re.compile(r"\+\+\+ (?:b/)?([^\t\n]+)")
_INKS: dict[Sign, Ink] = {"+": "success", "-": "error", " ": "code"}
_PAPERS: dict[Sign, Paper] = {"+": "added", "-": "removed", " ": "code"}
# With more rows than this, difflib ignores frequent ones (`autojunk`): it takes quadratic time.
EXACT_UP_TO = 2_000


class Row(NamedTuple):
    """A line of a hunk. `number` is the line in the new file, for `-` in the old one."""

    number: int
    sign: Sign
    text: str


class Hunk(NamedTuple):
    """Neighbouring lines of one file; `file` is empty if it is that of the hunk before."""

    file: str
    rows: tuple[Row, ...]


def hunks_of(text: str) -> list[Hunk]:
    """Return the hunks of all unified diffs in `text`; [] if there is none.

    A hunk ends after the number of lines in its head: text that follows is not part of it.
    """
    found: list[Hunk] = []
    file = ""
    lines = _lines(text.replace("\r\n", "\n"))
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("--- ") and at < len(lines) and (named := _FILE.match(lines[at])):
            file = named[1] if named[1] != "/dev/null" else line[4:].removeprefix("a/")
            at += 1
        elif head := _HUNK.match(line):
            rows, at = _rows(lines, at, head)
            if rows:
                found.append(Hunk(file, tuple(rows)))
                file = ""
    return found


def _rows(lines: list[str], at: int, head: re.Match[str]) -> tuple[list[Row], int]:
    old, new = int(head[1]), int(head[3])
    old_left, new_left = int(head[2] or 1), int(head[4] or 1)
    rows: list[Row] = []
    while at < len(lines) and (old_left > 0 or new_left > 0):
        line = lines[at]
        sign, text = line[:1] or " ", line[1:]
        if sign == "\\":  # "No newline at end of file"
            at += 1
            continue
        if sign == "+":
            rows.append(Row(new, "+", text))
            new, new_left = new + 1, new_left - 1
        elif sign == "-":
            rows.append(Row(old, "-", text))
            old, old_left = old + 1, old_left - 1
        elif sign == " ":
            rows.append(Row(new, " ", text))
            old, new = old + 1, new + 1
            old_left, new_left = old_left - 1, new_left - 1
        else:
            break  # cut off, or no diff after all
        at += 1
    return rows, at


@lru_cache(maxsize=128)  # a call is laid out several times while it is at work
def hunk_between(file: str, old: str, new: str) -> Hunk:
    """Return an edit as a hunk without line numbers: its place in the file is not known yet."""
    before, after = _lines(old), _lines(new)
    rows: list[Row] = []
    rough = len(before) + len(after) > EXACT_UP_TO
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=rough).get_opcodes():
        if tag == "equal":
            rows += [Row(0, " ", text) for text in after[c:d]]
        else:
            rows += [Row(0, "-", text) for text in before[a:b]]
            rows += [Row(0, "+", text) for text in after[c:d]]
    return Hunk(file, tuple(rows))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else lines


def changes(hunks: Iterable[Hunk]) -> tuple[int, int]:
    """Return the numbers of added and removed lines."""
    signs = [row.sign for hunk in hunks for row in hunk.rows]
    return signs.count("+"), signs.count("-")


def diff_lines(
    hunks: Sequence[Hunk], width: int, *, named: bool | None = None, follows: bool = False
) -> list[Line]:
    """Draw hunks with line numbers and signs; files are named if there are several.

    If other hunks are drawn elsewhere: `named` is whether there are several files, `follows`
    whether these hunks come after others.
    """
    if named is None:
        named = len({hunk.file for hunk in hunks if hunk.file}) > 1
    digits = len(str(max((row.number for hunk in hunks for row in hunk.rows), default=0)))
    lines: list[Line] = []
    for index, hunk in enumerate(hunks):
        if named and hunk.file:
            lines += [BLANK] if index or follows else []
            lines.append(Line((Span(clip(visible_line(hunk.file), width), Face("muted")),)))
        elif index or follows:
            gap = f" {'⋮':>{digits}}"
            lines.append(Line((Span(gap, Face("code_comment", paper="code")),), "code"))
        for row in hunk.rows:
            lines += _row_lines(row, digits, width)
    return lines


def row_lines(sign: Sign, text: str, width: int) -> list[Line]:
    """Draw a row without a line number."""
    return _row_lines(Row(0, sign, text), 1, width)


def _row_lines(row: Row, digits: int, width: int) -> list[Line]:
    paper = _PAPERS[row.sign]
    face = Face(_INKS[row.sign], paper=paper)
    number = f" {row.number or '':>{digits}} "
    head = (
        Span(number, Face("code_comment", paper=paper)),
        Span(f"{row.sign} ", face._replace(bold=row.sign != " ")),
    )
    used = width_of(number) + 2
    text = Span(visible_line(row.text.replace("\t", " " * TAB_WIDTH)), face)
    room = max(4, width - used - 1)
    if width_of(text.text) <= room:
        return [Line((*head, text), paper)]
    mark = Span(" " * used + CONTINUATION, Face("code_comment", paper=paper))
    first, *rest = hard_wrap([text], room - len(CONTINUATION))
    return [Line((*head, *first), paper), *(Line((mark, *piece), paper) for piece in rest)]
