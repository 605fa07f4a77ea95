"""Composer: the field where messages are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets.text_area import Edit, EditResult

from palaver_tui.keymap.actions import BY_ID
from palaver_tui.keymap.bindings import bindings
from palaver_tui.textual_patches.fields import ShownArea

MAX_ROWS = 8  # more are scrolled: the conversation needs the room
# Keys whose actions read or change the text; they have to run in the order of the keys.
IN_TURN = {
    key: name
    for name in (
        *("composer.send", "composer.interrupt", "composer.steer"),
        *("composer.newline", "composer.complete"),
    )
    for key in (*BY_ID[name].keys, *BY_ID[name].extra)
}


class Composer(ShownArea):
    """A text area that grows to a few rows, sends on Enter, and never loses typed text."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("composer")

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
        self.room = MAX_ROWS  # rows that are left for it in the window
        self.edits = 0  # counts the edits by keys and pastes, not by `put`
        self.act: Callable[[str], None] = lambda _: None  # runs an action by its id

    async def on_key(self, event: events.Key) -> None:
        """Run the actions of keys that the text area must not handle."""
        # Enter, with modifiers or without, runs our actions; the text area would insert a line
        # feed. (Textual calls the handlers of all base classes; `prevent_default` prevents that.)
        if event.key in {"enter", "alt+enter", "shift+enter"}:
            event.prevent_default()
        if event.key in IN_TURN:
            # Not a binding: a binding runs when the key has bubbled to the application, and by
            # then the text has what was typed after the key.
            event.prevent_default()
            event.stop()
            self.act(IN_TURN[event.key])

    def newline(self) -> None:
        """Insert a line feed."""
        self.insert("\n")

    def edit(self, edit: Edit) -> EditResult:
        """Apply the edit of one key or one paste, and count it."""
        self.edits += 1
        return super().edit(edit)

    def put(self, text: str) -> None:
        """Replace the text, with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def take(self) -> str:
        """Return the text and clear it."""
        text = self.text
        self.load_text("")
        return text

    def on_text_area_changed(self) -> None:
        """Fit the height to the text."""
        self.fit()

    def on_resize(self) -> None:
        """Fit the height to the text, wrapped in the new width."""
        self.fit()

    def fit(self) -> None:
        """Set the height to the rows that the text needs, as far as the window has them."""
        rows = max(1, min(MAX_ROWS, self.room, self.wrapped_document.height))
        if rows != self._rows:
            self._rows = rows
            self.styles.height = rows
