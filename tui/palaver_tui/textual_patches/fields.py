"""Fields for untrusted text: they keep it unchanged, but draw it without control characters.

Textual's fields draw every character as it is, and a control has no width. Here each control is
drawn as one character of one cell, so that cursor, mouse and wrapping count the same.

A text area accepts no other class of document, so `_set_document` is overridden; `_lines` and
`_newline` are the document's text. Without this a control in a draft reaches the terminal, and a
form feed in it becomes a line feed. `_undo_batch` and `_redo_batch` are overridden as they raise if
the cursor is behind the end of the remaining text. An input draws and measures its value in
`_value`, `_position_to_cell` and `_cell_offset_to_index`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, overload

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input, TextArea
from textual.widgets.text_area import (
    Document,
    DocumentNavigator,
    Edit,
    EditResult,
    Location,
    Selection,
    WrappedDocument,
)

from palaver_tui.text.visible import encodable, one_for_one
from palaver_tui.text.wrap import clusters


class ShownDocument(Document):
    """A document whose lines are as drawn, and whose text is as entered.

    Only a line feed ends a line. Textual also ends it at a dozen other characters, and would return
    each of them as a line feed. Lone surrogates, which cannot be encoded, are replaced: they could
    be neither sent nor stored.
    """

    def __init__(self, text: str) -> None:
        super().__init__("")
        self._newline = "\n"
        self._lines = encodable(text).split("\n")
        self._shown = [one_for_one(line) for line in self._lines]

    @property
    def lines(self) -> list[str]:
        """The lines as they are drawn."""
        return self._shown

    @overload
    def __getitem__(self, line_index: int) -> str: ...

    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...

    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        """Return a line, or some, as they are drawn."""
        return self._shown[line_index]

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace `start` to `end` by `text`."""
        (top, left), (bottom, right) = sorted((start, end))
        replaced = self.get_text_range(start, end)
        before = "".join(self._lines[top : top + 1])[:left]
        after = "".join(self._lines[bottom : bottom + 1])[right:]
        lines = f"{before}{encodable(text)}{after}".split("\n")
        self._lines[top : bottom + 1] = lines
        self._shown[top : bottom + 1] = [one_for_one(line) for line in lines]
        return EditResult((top + len(lines) - 1, len(lines[-1]) - len(after)), replaced)


class ShownArea(TextArea):
    """A text area for untrusted text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+b", "cursor_word_left", show=False),
        Binding("alt+f", "cursor_word_right", show=False),
        Binding("alt+d", "delete_word_right", show=False),
    ]

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document("", language)
        self.document = ShownDocument(text)
        self.wrapped_document = WrappedDocument(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._rewrap_and_refresh_virtual_size()

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        self._leave_the_end(edits)
        super()._undo_batch(edits)

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        self._leave_the_end(edits)
        super()._redo_batch(edits)

    def _leave_the_end(self, edits: Sequence[Edit]) -> None:
        # Textual shortens the text, then measures the cursor, which may be beyond the end now, and
        # only afterwards restores its position from before the edits.
        if edits:
            self.selection = Selection.cursor((0, 0))

    def on_paste(self, event: events.Paste) -> None:
        """Convert line ends to line feeds: many terminals paste carriage returns."""
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")


class ShownInput(Input):
    """An input of one line for untrusted text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+b", "cursor_left_word", show=False),
        Binding("alt+f", "cursor_right_word", show=False),
        Binding("alt+d", "delete_right_word", show=False),
    ]

    def on_paste(self, event: events.Paste) -> None:
        """Join pasted lines into one; Textual would drop all but the first."""
        event.text = " ".join(event.text.splitlines())

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace `start` to `end` by as much of `text` as fits into `max_length`.

        Textual would take nothing of a text that is too long, and ring the bell.
        """
        if self.max_length:
            first, last = sorted((max(0, start), min(len(self.value), end)))
            text = text[: max(0, self.max_length - len(self.value) + last - first)]
        super().replace(text, start, end)

    @property
    def _value(self) -> Text:
        return Text(_line(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(_line(self.value[:position]))

    def _cell_offset_to_index(self, offset: int) -> int:
        cells = index = 0
        for cluster, width in clusters(_line(self.value)):
            cells += width
            if cells > offset + self.scroll_offset.x:
                return index
            index += len(cluster)
        return index


def _line(text: str) -> str:
    return one_for_one(text).replace("\t", " ")
