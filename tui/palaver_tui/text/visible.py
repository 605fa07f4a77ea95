"""Untrusted text made harmless: what would drive a terminal is shown as characters.

Every text from a model, a tool, a file or a server passes through here before it is laid out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

TAB_WIDTH = 4  # columns; what most code is written for
_SEPARATORS = [0x2028, 0x2029]  # of lines and of paragraphs: each ends a line, as a line feed does
_C0_PICTURES = 0x2400  # U+2400 SYMBOL FOR NULL is followed by the pictures of all C0 controls
_DELETE_PICTURE = "\u2421"
_REPLACEMENT = "\ufffd"


_FLAG_BASE = "\U0001f3f4"
_TAGS = 0xE0000  # tags are ASCII, moved here


def _tags(text: str) -> str:
    return "".join(chr(_TAGS + ord(character)) for character in text)


_REGIONS = "|".join(map(_tags, ("gbeng", "gbsct", "gbwls")))  # those that Unicode recommends
_FLAG = re.compile(f"({_FLAG_BASE}(?:{_REGIONS}){chr(_TAGS + 0x7F)})")


def _hexadecimal(code: int) -> str:
    return f"\u2039U+{code:04X}\u203a"


def _table() -> dict[int, str]:
    table: dict[int, str] = {code: chr(_C0_PICTURES + code) for code in range(0x20)}
    table[0x7F] = _DELETE_PICTURE
    del table[0x0A]  # a line feed is the only control that means a new line here
    del table[0x09]  # tabs are expanded below, so that code keeps its columns
    table.update({code: _hexadecimal(code) for code in range(0x80, 0xA0)})  # C1, CSI among them
    # Bidirectional controls reorder what is on screen ("Trojan Source"); invisible format
    # characters hide text; both are named. Joiners that emoji are made of stay.
    hidden = [0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF]
    hidden += [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xE0000, 0xE0200)]
    # Fillers and joiners without ink, and marks that annotate, or steer shorthand and music.
    hidden += [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFFF9, 0xFFFC)]
    hidden += [*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)]
    table.update({code: _hexadecimal(code) for code in hidden})
    table.update(dict.fromkeys(_SEPARATORS, "\n"))
    # Lone surrogates cannot be encoded on their way to the terminal.
    table.update(dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT))
    return table


_TABLE = _table()
_STRANGE = re.compile(f"{_FLAG.pattern}|\r\n|[{re.escape(''.join(map(chr, _TABLE)))}]")
# The first half of a line's end, or the beginning of a flag.
_UNFINISHED = re.compile(f"(?:\r|{_FLAG_BASE}[{_tags('a')}-{_tags('z')}]{{0,5}})\\Z")
# Where everything that ends a line has become a line feed, and that something else.
_SINGLE_LINE = _TABLE | {0x09: " "}
_LINE_END = re.compile("\r\n|[\n\u2028\u2029]")
_NEWLINE_PICTURE = "\u2424"
# What has no picture of its own gets this one: one cell wide, as `_hexadecimal` is not.
_ONE_FOR_ONE = {
    code: shown if len(shown) == 1 and shown != "\n" else _REPLACEMENT
    for code, shown in _TABLE.items()
} | dict.fromkeys([0x0A, 0x85, *_SEPARATORS], _NEWLINE_PICTURE)


def visible(text: str) -> str:
    """Return `text` with line feeds and tabs, and every other control shown as characters."""
    if text.isascii() and text.isprintable():
        return text
    return _translated(text.replace("\r\n", "\n"), _TABLE)


def _translated(text: str, table: dict[int, str]) -> str:
    """Translate, but leave the flags of England, Scotland and Wales: they are spelled in tags."""
    if _FLAG_BASE not in text:
        return text.translate(table)
    pieces = _FLAG.split(text)  # every other one is a flag
    pieces[::2] = [piece.translate(table) for piece in pieces[::2]]
    return "".join(pieces)


def visible_line(text: str, *, newline: str = "\u23ce") -> str:
    """Return `text` as one line: for titles, names and everything else that has one row.

    `newline` stands where a line ended.
    """
    if text.isascii() and text.isprintable():
        return text
    return _translated(_LINE_END.sub(newline, text), _SINGLE_LINE)


def one_for_one(text: str) -> str:
    """Return `text` with each control replaced by one character that is one cell wide.

    For text that is edited: the cursor counts its characters. Tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ONE_FOR_ONE)


def encodable(text: str) -> str:
    """Return `text` with lone surrogates, which nothing can encode, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def expand_tabs(line: str) -> str:
    """Return `line` with its tabs turned into blanks up to the next multiple of `TAB_WIDTH`."""
    return line.expandtabs(TAB_WIDTH) if "\t" in line else line


def tab_places(line: str) -> list[int]:
    """Return, for each character of `expand_tabs(line)`, which one of `line` it comes from."""
    places: list[int] = []
    for place, character in enumerate(line):
        width = TAB_WIDTH - len(places) % TAB_WIDTH if character == "\t" else 1
        places += [place] * width
    return places


class Original:
    """What some characters of a text that was made visible stood for."""

    def __init__(self) -> None:
        self._starts: list[int] = []  # in the visible text
        self._ends: list[int] = []
        self._written: list[str] = []

    def note(self, written: str, at: int) -> None:
        """Remember what becomes something else of `written`, which begins at `at` when visible."""
        for found in _STRANGE.finditer(written):
            if found[1]:
                continue  # a flag stays
            shown = len(visible(found[0]))
            self._starts.append(at + found.start())
            self._ends.append(at + found.start() + shown)
            self._written.append(found[0])
            at += shown - len(found[0])

    def between(self, text: str, start: int, end: int) -> str:
        """Return what was written where the visible `text` has `start` to `end`."""
        pieces = []
        for number in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            pieces += [text[start : self._starts[number]], self._written[number]]
            start = self._ends[number]
        return "".join([*pieces, text[start:end]])


class VisibleStream:
    """`visible` for text that arrives in pieces: what may be the beginning of one thing waits."""

    def __init__(self) -> None:
        self.original = Original()
        self._held = ""
        self._shown = 0  # characters

    def feed(self, text: str) -> str:
        """Return what can be shown of the text so far and was not returned yet."""
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
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._show(held)
