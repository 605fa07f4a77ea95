"""Cache of the drawn arguments of a call, which may be long.

While arguments arrive only what is new is laid out. Complete ones are drawn once, however often the
call is laid out again for its output.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from palaver_tui.text.code import code_lines, highlight
from palaver_tui.text.diff import Hunk, Sign, diff_lines, hunk_between, row_lines
from palaver_tui.text.open_block.code import CodeRows
from palaver_tui.text.spans import Line
from palaver_tui.text.visible import VisibleStream, visible

# Longer code is highlighted in chunks, even when complete: all at once would stall the screen.
PARTS_FROM = 4_000  # characters


class Edit(NamedTuple):
    """An edit in a call's arguments; a text that has not arrived is empty."""

    file: str
    old: str
    new: str


def edits_of(values: dict[str, Any], *, begun: bool = False) -> list[Edit]:
    """Return the edits in arguments; with `begun`, also those whose new text has not arrived."""
    edits = values.get("edits")
    found = []
    for edit in edits if isinstance(edits, list) else [values]:
        if not isinstance(edit, dict):
            continue
        old = edit.get("old_text", edit.get("old_string", edit.get("old")))
        new = edit.get("new_text", edit.get("new_string", edit.get("new")))
        if isinstance(old, str) and (isinstance(new, str) or (begun and new is None)):
            path = edit.get("path", values.get("path"))
            found.append(Edit(path if isinstance(path, str) else "", old, new or ""))
    return found


class CallCache:
    """The drawings of one call."""

    def __init__(self) -> None:
        self._code: dict[str, _Code] = {}
        self._edits = _Edits((0, False))
        self._once: dict[str, tuple[Hashable, list[Line]]] = {}

    def once(self, name: str, key: Hashable, draw: Callable[[], list[Line]]) -> list[Line]:
        """Return the lines of `draw`, which is called again only for another `key`."""
        known = self._once.get(name)
        if known is None or known[0] != key:
            known = self._once[name] = (key, draw())
        return known[1]

    def code(self, name: str, text: str, language: str, width: int, *, grows: bool) -> list[Line]:
        """Return the lines of an argument that is code, on a panel."""
        if not text or not (grows or len(text) >= PARTS_FROM):
            key = (text, language, width)
            return self.once(
                f"code {name}", key, lambda: code_lines(highlight(visible(text), language), width)
            )
        known = self._code.get(name)
        if known is None or not known.goes_on(text, language, width):
            known = self._code[name] = _Code(language, width)
        return known.update(text)

    def edits(self, edits: Sequence[Edit], width: int) -> list[Line]:
        """Return the lines of edits that are being written."""
        how = (width, len({edit.file for edit in edits if edit.file}) > 1)
        if self._edits.how != how or len(edits) <= self._edits.whole:
            self._edits = _Edits(how)
        return self._edits.update(edits)


class _Code:
    """The layout of growing code."""

    def __init__(self, language: str, width: int) -> None:
        self._how = (language, width)
        self._rows = CodeRows(language, width)
        self._stream = VisibleStream()
        self._text = self._shown = ""

    def goes_on(self, text: str, language: str, width: int) -> bool:
        return self._how == (language, width) and text.startswith(self._text)

    def update(self, text: str) -> list[Line]:
        if text != self._text:
            self._shown += self._stream.feed(text[len(self._text) :])
            self._text = text
            self._rows.update(self._shown)
        return self._rows.lines


class _Edits:
    """The layout of edits that are being written: complete ones as a diff.

    Of the last one the difference is not known yet: its old text is drawn as removed, and what has
    arrived of the new text as added.
    """

    def __init__(self, how: tuple[int, bool]) -> None:
        self.how = how
        self.whole = 0  # complete edits
        self._lines: list[Line] = []  # of the complete edits
        self._sides = (_Side("-", how[0]), _Side("+", how[0]))

    def update(self, edits: Sequence[Edit]) -> list[Line]:
        while self.whole < len(edits) - 1:
            edit = edits[self.whole]
            self._lines += self._headed(hunk_between(*edit))
            self.whole += 1
        if not edits:
            return []
        last, lines = edits[-1], list(self._lines)
        lines += self._headed(Hunk(last.file, ()))
        for side, text in zip(self._sides, (last.old, last.new), strict=True):
            lines += side.update(text)
        return lines

    def _headed(self, hunk: Hunk) -> list[Line]:
        width, named = self.how
        return diff_lines([hunk], width, named=named, follows=self.whole > 0)


class _Side:
    """The layout of the old or the new text of an edit."""

    def __init__(self, sign: Sign, width: int) -> None:
        self._sign: Sign = sign
        self._width = width
        self._text = ""
        self._lines: list[Line] = []
        self._at = 0  # offset of the first row that may grow
        self._solid = 0  # lines up to there

    def update(self, text: str) -> list[Line]:
        if not text.startswith(self._text):
            self._at = self._solid = 0
        self._text = text
        del self._lines[self._solid :]
        *rows, last = text[self._at :].split("\n")
        for row in rows:
            self._lines += row_lines(self._sign, row, self._width)
        self._solid, self._at = len(self._lines), len(text) - len(last)
        if last:
            self._lines += row_lines(self._sign, last, self._width)
        return self._lines
