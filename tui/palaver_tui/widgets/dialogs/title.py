"""Rename dialog: a field for the title of a chat."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from palaver.wire.chats import TITLE_LIMIT
from palaver_tui.text.visible import visible_line
from palaver_tui.textual_patches.fields import ShownInput
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below


class RenameScreen(Dialog[str]):
    """A dialog with the new title as its answer, or None."""

    def __init__(self, title: str) -> None:
        super().__init__()
        # A control becomes longer when it is made visible.
        self._title = visible_line(title)[:TITLE_LIMIT]

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="rename", classes="box") as box:
            box.border_title = Content("Title of this chat")
            box.border_subtitle = Content(keys_below("rename"))
            yield ShownInput(
                self._title, compact=True, select_on_focus=False, max_length=TITLE_LIMIT
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the title; an empty one is None."""
        self.answer(event.value.strip() or None)
