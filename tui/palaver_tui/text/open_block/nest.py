"""Incremental layout of an open item or quote, as an indented document.

The marks of the container are removed from each line, and the rest is fed to a document, which lays
out only what is new, however deep containers nest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from palaver_tui.text.markdown.lines import markdown_lines, task_box
from palaver_tui.text.markdown.nesting import Nest, set_in
from palaver_tui.text.markdown.splitter import item_indent
from palaver_tui.text.open_block.layout import UNDECIDED
from palaver_tui.text.spans import BLANK, Line

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])[ \t]")


class Inner(Protocol):
    """The document in the container."""

    @property
    def lines(self) -> list[Line]:
        """The lines as of the last `layout`."""

    def feed(self, text: str) -> None:
        """Append `text`."""

    def layout(self, width: int) -> int:
        """Lay out what is new; return the first line that may have changed."""

    def tables(self) -> Mapping[int, Sequence[int]]:
        """Return the column widths of tables not fitted yet, by the table's source line."""


class GrowingNest:
    """The layout of an open container. `number` is that of an item that follows this one."""

    def __init__(self, inner: Inner, nest: Nest, width: int, number: int | None) -> None:
        self.lines: list[Line] = []
        self._inner = inner
        self._nest = nest
        self._width = width
        self._number = number
        self._indent = -1
        self._at = 0  # characters of the text that were fed to the document
        self._in_line = False  # the marks of the current line were removed
        self._held = 0  # lines that show text that was not fed

    @property
    def widths(self) -> Mapping[int, Sequence[int]]:
        """The column widths of tables in it: a line of the document is one of the container."""
        return self._inner.tables()

    def update(self, text: str) -> int:
        """Feed what is new to the document; return the first line that may have changed."""
        if self._indent < 0:
            self._indent = item_indent(text)
        self._take(text)
        changed = self._inner.layout(self._nest.inner(self._width))
        del self.lines[min(changed, len(self.lines) - self._held) :]
        changed = min(changed, len(self.lines))
        body = self._inner.lines[changed:]
        if self._nest.is_item and not changed:
            body = task_box(body) or [BLANK]
        self.lines += set_in(body, self._nest, self._width, first=not changed)
        after = self._after(text)
        self.lines += after
        self._held = len(after)
        return changed

    def _take(self, text: str) -> None:
        while self._at < len(text):
            end = text.find("\n", self._at) + 1
            line = text[self._at : end or len(text)]
            if not self._in_line:
                marks = self._marks(line, complete=end > 0)
                if marks is None:
                    return
                line = line[marks:]
                self._at += marks
            self._inner.feed(line)
            self._at += len(line)
            self._in_line = not end

    def _marks(self, line: str, *, complete: bool) -> int | None:
        """Return the length of the container's marks at a line's start; None if undecided."""
        if not self._nest.is_item:
            match = _QUOTE.match(line)
            if match is None:
                return 0 if complete else None  # a lazy continuation of the paragraph in the quote
            return None if line[match.end() :] == "" and not complete else match.end()
        if self._at == 0:
            return self._indent
        text = line.lstrip(" ")
        lead = len(line) - len(text)
        if not text.strip():
            return min(lead, self._indent) if complete else None
        if lead >= self._indent:
            return self._indent
        if text.startswith("\t"):
            return lead + 1
        return lead if complete else None

    @property
    def _ends_in_panel(self) -> bool:
        last = self.lines[-1] if self.lines else BLANK
        return last.fill == "code" or last.text.lstrip(" ▎").startswith("╰")

    def _after(self, text: str) -> list[Line]:
        """Lay out the open line if it may be outside of the container."""
        line = text[self._at :]
        if self._in_line or UNDECIDED.match(line):
            return []
        apart = text[: self._at].endswith("\n\n") or self._ends_in_panel
        tight = _ITEM.match(line) is not None and not apart
        lines = markdown_lines(line, self._width, None, self._number, self._nest.outer)
        return lines if tight and self._nest.is_item else [BLANK, *lines]
