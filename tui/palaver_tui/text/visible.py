"""Sanitised text: control characters that would drive a terminal become visible ones.

Every text from a model, a tool, a file or a server passes through here before it is laid out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

TAB_WIDTH = 4  # columns, as in most code
_SEPARATORS = [0x2028, 0x2029]  # of lines and of paragraphs: each ends a line like a line feed
_C0_PICTURES = 0x2400  # U+2400 SYMBOL FOR NULL is followed by the pictures of all C0 controls
_DELETE_PICTURE = "\u2421"
_REPLACEMENT = "\ufffd"


_FLAG_BASE = "\U0001f3f4"
_TAGS = 0xE0000  # tag characters are ASCII plus this offset


def _tags(text: str) -> str:
    return "".join(chr(_TAGS + ord(character)) for character in text)


_REGIONS = "|".join(map(_tags, ("gbeng", "gbsct", "gbwls")))  # those that Unicode recommends
_FLAG = re.compile(f"({_FLAG_BASE}(?:{_REGIONS}){chr(_TAGS + 0x7F)})")


def _hexadecimal(code: int) -> str:
    return f"\u2039U+{code:04X}\u203a"


def _table() -> dict[int, str]:
    table: dict[int, str] = {code: chr(_C0_PICTURES + code) for code in range(0x20)}
    table[0x7F] = _DELETE_PICTURE
    del table[0x0A]  # the line feed is the only control that ends a line
    del table[0x09]  # `expand_tabs` expands tabs, so that code keeps its columns
    table.update({code: _hexadecimal(code) for code in range(0x80, 0xA0)})  # C1, CSI among them
    # Bidirectional controls reorder text on screen ("Trojan Source"), invisible format characters
    # hide text: both are shown by their code. The joiners in emoji stay.
    hidden = [0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF]
    hidden += [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xE0000, 0xE0200)]
    # Invisible fillers and joiners, and controls of annotations, shorthand and musical notation.
    hidden += [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFFF9, 0xFFFC)]
    hidden += [*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)]
    table.update({code: _hexadecimal(code) for code in hidden})
    table.update(dict.fromkeys(_SEPARATORS, "\n"))
    # Lone surrogates cannot be encoded on their way to the terminal.
    table.update(dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT))
    return table


def _ranges(codes: Iterable[int]) -> str:
    """Return the inside of a character class of `codes`, as ranges: they compile much faster."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and runs[-1][-1] == code - 1:
            runs[-1][1:] = [code]
        else:
            runs.append([code])
    return "".join("-".join(re.escape(chr(code)) for code in run) for run in runs)


_TABLE = _table()
_STRANGE = re.compile(f"{_FLAG.pattern}|\r\n|[{_ranges(_TABLE)}]")
# The first half of a line break (\r\n), or the beginning of a flag.
_UNFINISHED = re.compile(f"(?:\r|{_FLAG_BASE}[{_tags('a')}-{_tags('z')}]{{0,5}})\\Z")
# For text in which every line break has been replaced already.
_SINGLE_LINE = _TABLE | {0x09: " "}
_LINE_END = re.compile("\r\n|[\n\u2028\u2029]")
_NEWLINE_PICTURE = "\u2424"
# A control without a picture gets U+FFFD: one cell wide, which `_hexadecimal` is not.
_ONE_FOR_ONE = {
    code: shown if len(shown) == 1 and shown != "\n" else _REPLACEMENT
    for code, shown in _TABLE.items()
} | dict.fromkeys([0x0A, 0x85, *_SEPARATORS], _NEWLINE_PICTURE)


def visible(text: str) -> str:
    """Return `text` with its controls replaced by visible characters; line feeds and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return _translated(text.replace("\r\n", "\n"), _TABLE)


def _translated(text: str, table: dict[int, str]) -> str:
    """Translate all but the flags of England, Scotland and Wales, which consist of tags."""
    if _FLAG_BASE not in text:
        return text.translate(table)
    pieces = _FLAG.split(text)  # every other one is a flag
    pieces[::2] = [piece.translate(table) for piece in pieces[::2]]
    return "".join(pieces)


def visible_line(text: str, *, newline: str = "\u23ce") -> str:
    """Return `text` as one visible line: for titles, names and everything else in one row.

    `newline` replaces a line break.
    """
    if text.isascii() and text.isprintable():
        return text
    return _translated(_LINE_END.sub(newline, text), _SINGLE_LINE)


def one_for_one(text: str) -> str:
    """Return `text` with each control replaced by one character that is one cell wide.

    For text that is edited, where the cursor counts characters. Tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ONE_FOR_ONE)


def encodable(text: str) -> str:
    """Return `text` with lone surrogates, which cannot be encoded, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def expand_tabs(line: str) -> str:
    """Return `line` with each tab replaced by blanks up to the next multiple of `TAB_WIDTH`."""
    return line.expandtabs(TAB_WIDTH) if "\t" in line else line


def tab_places(line: str) -> list[int]:
    """Return, for each character of `expand_tabs(line)`, the index in `line` it comes from."""
    places: list[int] = []
    for place, character in enumerate(line):
        width = TAB_WIDTH - len(places) % TAB_WIDTH if character == "\t" else 1
        places += [place] * width
    return places


class Original:
    """The original characters of a visible text, where they were replaced."""

    def __init__(self) -> None:
        self._starts: list[int] = []  # in the visible text
        self._ends: list[int] = []
        self._written: list[str] = []

    def note(self, written: str, at: int) -> None:
        """Store what `visible` replaces in `written`; it begins at `at` in the visible text."""
        for found in _STRANGE.finditer(written):
            if found[1]:
                continue  # a flag stays
            shown = len(visible(found[0]))
            self._starts.append(at + found.start())
            self._ends.append(at + found.start() + shown)
            self._written.append(found[0])
            at += shown - len(found[0])

    def between(self, text: str, start: int, end: int) -> str:
        """Return the original of `start` to `end` in the visible `text`."""
        pieces = []
        for number in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            pieces += [text[start : self._starts[number]], self._written[number]]
            start = self._ends[number]
        return "".join([*pieces, text[start:end]])


class VisibleStream:
    """`visible` for text in pieces: holds back a piece's end that the next may complete."""

    def __init__(self) -> None:
        self.original = Original()
        self._held = ""
        self._shown = 0  # characters

    def feed(self, text: str) -> str:
        """Take `text`; return the visible text that is complete and was not returned yet."""
        text = self._held + text
        found = _UNFINISHED.search(text)
        self._held = found[0] if found else ""
        return self._show(text[: len(text) - len(self._held)])

    def _show(self, text: str) -> str:
        shown = visible(text)
        if shown != text:
            self.original.note(text, self._shown)
        self._shown += len(shown)
        return shown

    def finish(self) -> str:
        """Return the text that was held back."""
        held, self._held = self._held, ""
        return self._show(held)
