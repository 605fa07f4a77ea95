"""The filter of the list of chats: by typed words, and archived chats or the others."""

from __future__ import annotations

from palaver_tui.session.list_search import ListSearch
from palaver_tui.widgets.chat_list import ChatListPane


class ListFilter:
    """The state of the filter. `text` is None while the list is not filtered.

    Messages are searched for what is typed.
    """

    def __init__(self, pane: ChatListPane, search: ListSearch) -> None:
        self._pane = pane
        self._search = search
        self._archived = False
        self.text: str | None = None

    @property
    def archived(self) -> bool:
        """Whether the list shows archived chats, and only these."""
        return self._archived

    @archived.setter
    def archived(self, archived: bool) -> None:
        self._archived = archived
        self._look()

    def begin(self) -> None:
        """Start filtering by what is typed."""
        self.text = self._pane.filter_text = ""
        self._look()

    def follow(self) -> None:
        """Copy the text from the list, which handles keys before the next paint."""
        self.text = self._pane.filter_text
        self._look()

    def end(self) -> None:
        """Show all chats again."""
        self.text = self._pane.filter_text = None
        self._look()

    def _look(self) -> None:
        self._search.want(self.text, archived=self._archived)
