"""File dialog: a field for the path of a file to write or to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from palaver_tui.text.visible import visible_line
from palaver_tui.textual_patches.fields import ShownInput
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below


class FileScreen(Dialog[Path]):
    """A dialog with an absolute path as its answer.

    `suggested` is in the field at first; a relative path begins at `folder`. `verb` says what Enter
    does. `wrong` returns why a path cannot be used, as a sentence, None if it can.
    """

    def __init__(
        self,
        title: str,
        hint: str,
        verb: str,
        folder: Path,
        suggested: str,
        wrong: Callable[[Path], str | None],
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = f"{hint} In {folder}"
        self._verb = verb
        self._folder = folder
        self._suggested = suggested
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="file", classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(keys_below(self._verb))
            yield ShownInput(visible_line(self._suggested), compact=True, select_on_focus=False)
            yield Static(visible_line(self._hint), id="file-hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the path; one that cannot be used is explained."""
        if not event.value.strip():
            self.answer(None)
            return
        try:
            path = self._folder / Path(event.value.strip()).expanduser()
            said = self._wrong(path)
        except OSError as error:
            said = f"This name cannot be used: {error.strerror}."
        except RuntimeError:  # of pathlib
            said = "There is no such home directory."
        if said is None:
            self.answer(path)
        else:
            self.query_one("#file-hint", Static).update(Content(visible_line(said)))
