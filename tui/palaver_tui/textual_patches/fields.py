"""Fields whose text may come from anywhere: they hold it as it is, and draw it harmless.

Textual's own draw every character as it is, and take its width from it, which for a control is
none. Here each control is drawn as one character of one cell, so that the cursor, the mouse and
wrapping count the same things.

A text area can be given no document of another kind, so `_set_document` is overridden; `_lines` and
`_newline` are the document's text. Without that a control in a draft reaches the terminal, and a
form feed in it comes back as a line feed. `_undo_batch` and `_redo_batch` are overridden as they
raise for a cursor behind the end of what is left. An input draws and measures its value in
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
    """Lines that are read as they are drawn, and a text that is as it was given.

    Only a line feed ends a line. Textual ends it at a dozen other characters as well, and would
    give each of them back as a line feed. What nothing can encode is replaced: it could be neither
    sent nor kept.
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
        """Put `text` where `start` to `end` is."""
        (top, left), (bottom, right) = sorted((start, end))
        replaced = self.get_text_range(start, end)
        before = "".join(self._lines[top : top + 1])[:left]
        after = "".join(self._lines[bottom : bottom + 1])[right:]
        lines = f"{before}{encodable(text)}{after}".split("\n")
        self._lines[top : bottom + 1] = lines
        self._shown[top : bottom + 1] = [one_for_one(line) for line in lines]
        return EditResult((top + len(lines) - 1, len(lines[-1]) - len(after)), replaced)


class ShownArea(TextArea):
    """A text area for any text."""

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
        # Textual shortens the text, measures where the cursor is, which may be beyond its end by
        # then, and only afterwards puts it where it was before the edits.
        if edits:
            self.selection = Selection.cursor((0, 0))

    def on_paste(self, event: events.Paste) -> None:
        """End each line by a line feed: many terminals paste carriage returns."""
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")


class ShownInput(Input):
    """A line to fill in with any text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+b", "cursor_left_word", show=False),
        Binding("alt+f", "cursor_right_word", show=False),
        Binding("alt+d", "delete_right_word", show=False),
    ]

    def on_paste(self, event: events.Paste) -> None:
        """Paste all of it, in the one line there is; Textual would drop all but the first."""
        event.text = " ".join(event.text.splitlines())

    def replace(self, text: str, start: int, end: int) -> None:
        """Put as much of `text` as there is room for where `start` to `end` is.

        Textual would take none of what is too long, and ring the bell.
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
