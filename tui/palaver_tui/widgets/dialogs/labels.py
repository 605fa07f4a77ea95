"""Labels dialog: a field for the labels of a chat."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from palaver_tui.state.label_text import changed_labels, label_text
from palaver_tui.text.visible import visible_line
from palaver_tui.textual_patches.fields import ShownInput
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below

HINT = "Words, or words with a value: urgent team=docs"
UNCLOSED = "A quotation mark is not closed."


class LabelsScreen(Dialog[dict[str, str | None]]):
    """A dialog with the changes as its answer; the value None is a label to remove."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__()
        # As they are shown: a value with a line break, for example, is no change of the user's.
        self._shown = {name: visible_line(value) for name, value in labels.items()}

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="labels", classes="box") as box:
            box.border_title = Content("Labels of this chat")
            box.border_subtitle = Content(keys_below("keep"))
            yield ShownInput(
                visible_line(label_text(self._shown)), compact=True, select_on_focus=False
            )
            yield Static(HINT, id="labels-hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the changes."""
        try:
            changes = changed_labels(self._shown, event.value)
        except ValueError:
            self.query_one("#labels-hint", Static).update(Content(UNCLOSED))
        else:
            self.answer(changes)
