"""The filter of the list of chats: by typed words, and archived chats or the others."""

from __future__ import annotations

from palaver_tui.widgets.chat_list import ChatListPane


class ListFilter:
    """The state of the filter. `text` is None while the list is not filtered."""

    def __init__(self, pane: ChatListPane) -> None:
        self._pane = pane
        self.text: str | None = None
        self.archived = False  # True: the list shows archived chats, and only these

    def begin(self) -> None:
        """Start filtering by what is typed."""
        self.text = self._pane.filter_text = ""

    def follow(self) -> None:
        """Copy the text from the list, which handles keys before the next paint."""
        self.text = self._pane.filter_text

    def end(self) -> None:
        """Show all chats again."""
        self.text = self._pane.filter_text = None
