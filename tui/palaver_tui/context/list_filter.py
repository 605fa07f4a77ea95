"""Which chats the list shows: those that fit what is typed, or those that are archived."""

from __future__ import annotations

from palaver_tui.widgets.chat_list import ChatListPane


class ListFilter:
    """What is filtered by. `text` is None while the list is not filtered."""

    def __init__(self, pane: ChatListPane) -> None:
        self._pane = pane
        self.text: str | None = None
        self.archived = False  # the list shows the chats that are archived

    def begin(self) -> None:
        """Filter by what is typed from now on."""
        self.text = self._pane.filter_text = ""

    def follow(self) -> None:
        """Copy the filter from the list, which takes the keys before a frame is painted."""
        self.text = self._pane.filter_text

    def end(self) -> None:
        """Show all chats again."""
        self.text = self._pane.filter_text = None
