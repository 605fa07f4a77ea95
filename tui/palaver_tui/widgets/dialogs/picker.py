"""Picker: a dialog with a list to choose from, filtered by typed text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from palaver_tui.text.visible import visible_line
from palaver_tui.textual_patches.fields import ShownInput
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below
from palaver_tui.widgets.dialogs.options import Options


class Choice(msgspec.Struct, frozen=True):
    """A choice, in one or several lines. `words` is matched with typed text, `value` the answer."""

    value: str
    words: str
    shown: Content
    enabled: bool = True


class Choices(Options, can_focus=False):
    """The list. It has no focus: every letter goes to the field above it."""


class Picker(Dialog[str]):
    """A dialog with the value of a choice as its answer, or None.

    The list is filtered at once with each key, so that Enter acts on all that was typed before it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        placeholder: str,
        current: str | None = None,
        verb: str = "choose",
    ) -> None:
        super().__init__()
        self._title, self._choices, self._placeholder = title, choices, placeholder
        self._current, self._verb = current, verb
        self._found: list[Choice] = []

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Vertical(id="picker", classes="box -wide") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(keys_below(self._verb))
            yield ShownInput(compact=True, placeholder=self._placeholder)
            yield Choices(markup=False)
            yield Static("", id="picker-nothing", markup=False)

    def on_mount(self) -> None:
        """Show all choices, with the current one highlighted."""
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the choices that match."""
        event.stop()
        self._show(event.value)

    def _show(self, typed: str) -> None:
        query = typed.strip()
        self._found = found(self._choices, query)
        choices = self.query_one(Choices)
        choices.set_options(
            Option(choice.shown, disabled=not choice.enabled) for choice in self._found
        )
        choices.display = bool(self._found)
        values = [choice.value for choice in self._found]
        first = next((n for n, choice in enumerate(self._found) if choice.enabled), None)
        at_current = not query and self._current in values
        choices.highlighted = values.index(self._current) if at_current else first  # type: ignore[arg-type]
        nothing = self.query_one("#picker-nothing", Static)
        nothing.display = not self._found
        nothing.update(Content(f"Nothing here is called “{visible_line(query)}”."))

    def action_move(self, steps: int) -> None:
        """Move to the choice above or below."""
        choices = self.query_one(Choices)
        (choices.action_cursor_down if steps > 0 else choices.action_cursor_up)()

    def action_page(self, pages: int) -> None:
        """Move a page up or down."""
        choices = self.query_one(Choices)
        if choices.highlighted is not None:
            top = choices.highlighted + pages * max(1, choices.size.height // 2)
            choices.highlighted = max(0, min(len(self._found) - 1, top))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the highlighted choice."""
        event.stop()
        self._give(self.query_one(Choices).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the clicked choice."""
        event.stop()
        self._give(event.option_index)

    def _give(self, index: int | None) -> None:
        if index is not None and index < len(self._found) and self._found[index].enabled:
            self.answer(self._found[index].value)


def found(choices: Sequence[Choice], query: str) -> list[Choice]:
    """Return the choices that match `query`, the best first; all of them for an empty one."""
    if not query:
        return list(choices)
    matcher = Matcher(query)
    scored = [(matcher.match(choice.words), choice) for choice in choices]
    return [choice for score, choice in sorted(scored, key=lambda one: -one[0]) if score > 0]
