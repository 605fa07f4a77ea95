"""Confirmation: a question before an action that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from palaver_tui.keymap.actions import key_name
from palaver_tui.text.visible import visible_line
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below
from palaver_tui.widgets.dialogs.options import Options

YES = "y"


class ConfirmScreen(Dialog[bool]):
    """A dialog with the answer True for yes. No comes first, so that Enter alone does nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
        Binding(YES, "yes", show=False),
        Binding("n", "no", show=False),
    ]

    def __init__(self, title: str, lines: list[str], no: str, yes: str) -> None:
        super().__init__()
        self._title = title
        self._lines = [visible_line(line) for line in lines]
        self._no, self._yes = no, yes

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="confirm", classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(f"{key_name(YES)} yes · {keys_below('choose')}")
            yield Static(Content("\n").join(map(Content, self._lines)), markup=False)
            yield Options(Option(Content(self._no)), Option(Content(self._yes)), markup=False)

    def on_mount(self) -> None:
        """Highlight no, and focus the options."""
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.focus()

    def action_down(self) -> None:
        """Highlight yes."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Highlight no."""
        self.query_one(OptionList).action_cursor_up()

    def action_yes(self) -> None:
        """Answer yes."""
        self.answer(given=True)

    def action_no(self) -> None:
        """Answer no."""
        self.answer(given=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the chosen option."""
        self.answer(event.option_index == 1)
