"""Where messages are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets.text_area import Edit, EditResult

from palaver_tui.keymap.actions import BY_ID
from palaver_tui.keymap.bindings import bindings
from palaver_tui.textual_patches.fields import ShownArea

MAX_ROWS = 8  # then it scrolls: the conversation keeps the screen
# Keys whose actions take or change the text as it is when their turn comes.
IN_TURN = {
    key: name
    for name in ("composer.send", "composer.interrupt", "composer.newline", "composer.complete")
    for key in (*BY_ID[name].keys, *BY_ID[name].extra)
}


class Composer(ShownArea):
    """A text area that grows to a few rows, sends on Enter, and never loses what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("composer")

    class Grew(Message):
        """The number of rows changed."""

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            show_line_numbers=False,
            tab_behavior="focus",
            placeholder="Write a message",
        )
        self._rows = 1
        self.room = MAX_ROWS  # rows that the window has for it
        self.edits = 0  # how often it was written in; not what was put in whole
        self.act: Callable[[str], None] = lambda _: None  # runs an action by its id

    async def on_key(self, event: events.Key) -> None:
        """Run the actions of keys that the text area must not have."""
        # Enter and its relatives are actions of ours; the text area would insert a line feed.
        # (Textual calls the handlers of all base classes; this keeps it from doing so.)
        if event.key in {"enter", "alt+enter", "shift+enter"}:
            event.prevent_default()
        if event.key in IN_TURN:
            # Here, and not as a binding: that one runs when the key has risen to the application,
            # and what was typed after it has got into the text by then.
            event.prevent_default()
            event.stop()
            self.act(IN_TURN[event.key])

    def newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def edit(self, edit: Edit) -> EditResult:
        """Change the text, by one key or one paste."""
        self.edits += 1
        return super().edit(edit)

    def put(self, text: str) -> None:
        """Replace the text by another one, the cursor behind it."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def take(self) -> str:
        """Return the text and begin anew."""
        text = self.text
        self.load_text("")
        return text

    def on_text_area_changed(self) -> None:
        """Grow or shrink with the text."""
        self.fit()

    def on_resize(self) -> None:
        """Wrapping changed with the width."""
        self.fit()

    def fit(self) -> None:
        """Take as many rows as the text needs and the window has."""
        rows = max(1, min(MAX_ROWS, self.room, self.wrapped_document.height))
        if rows != self._rows:
            self._rows = rows
            self.styles.height = rows
            self.post_message(self.Grew())
