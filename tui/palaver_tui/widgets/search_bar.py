"""Search bar: the field for the query of a search in the conversation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from palaver_tui.keymap.bindings import bindings
from palaver_tui.textual_patches.fields import ShownInput


class SearchInput(ShownInput):
    """The field for the query."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("search")


class SearchBar(Horizontal):
    """One line: the query, and the number of matches."""

    class Typed(Message):
        """Posted when the query changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="search")
        self._words = ""

    def compose(self) -> ComposeResult:
        """Lay out the parts."""
        yield Static("/", id="search-mark", markup=False)
        yield SearchInput(id="search-input", compact=True, placeholder="Find in this conversation")
        yield Static("", id="search-count", markup=False)

    @property
    def text(self) -> str:
        """The typed query."""
        return self.query_one(SearchInput).value

    def open(self) -> None:
        """Show the bar, and focus its field."""
        self.display = True
        box = self.query_one(SearchInput)
        box.focus()
        box.select_all()

    def close(self) -> None:
        """Hide the bar, and clear its field."""
        self.display = False
        self.query_one(SearchInput).value = ""

    def show(self, words: str) -> None:
        """Show the number of matches."""
        if words != self._words:
            self._words = words
            self.query_one("#search-count", Static).update(Content(words))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Post `Typed`."""
        event.stop()
        if self.display:
            self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Stop the event: Enter runs one of our actions."""
        event.stop()
