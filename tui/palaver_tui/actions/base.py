"""What all actions share: the session, the main screen, and a way to say something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import App
from textual.screen import Screen

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.keymap.actions import Action
from palaver_tui.screen.painter import Painter
from palaver_tui.session.session import Session
from palaver_tui.session.store import Severity
from palaver_tui.state.escape import Open
from palaver_tui.storage.error_reports import ErrorLog
from palaver_tui.text.visible import visible
from palaver_tui.themes.palettes import Palette
from palaver_tui.timing import NOTICE_S
from palaver_tui.transcript.sections import Look
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.dialog import Dialog
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.transcript.widget import Transcript


class Base(App[int]):
    """The application as its actions see it. What they change is painted afterwards."""

    session: Session
    editing: QueuedMessage | Message | None  # what the composer holds instead of a draft
    filter_text: str | None  # what the list is filtered by; None: it is not
    shows_archived = False  # the list shows the chats that are put away
    pictures: Path  # the folder of those that were opened in a viewer
    palettes: Sequence[Palette]  # those that this terminal can show
    errors: ErrorLog
    _look: Look
    _painter: Painter | None

    @property
    def main(self) -> Screen[object]:
        """The main screen, whatever lies over it."""
        return self.screen_stack[0]

    @property
    def on_screen(self) -> bool:
        """Whether there is a screen: not before the start, and not while leaving."""
        return self.is_running and bool(self.screen_stack)

    def _changed(self) -> None:
        """Paint soon what has changed."""
        raise NotImplementedError

    def do_chat_unarchive(self) -> None:
        """Bring the chat that is shown back."""
        raise NotImplementedError

    def paint(self) -> None:
        """Show the session as it is now."""
        raise NotImplementedError

    def offers(self, action: Action) -> bool:
        """Say whether `action` makes sense now."""
        raise NotImplementedError

    def perform(self, name: str) -> None:
        """Run an action by its id, if it makes sense now."""
        raise NotImplementedError

    def close_dialog(self) -> None:
        """Close what lies over everything, without an answer."""
        if isinstance(self.screen, Dialog):
            self.screen.answer(None)

    def say(self, text: str, severity: Severity = "information", seconds: float = NOTICE_S) -> None:
        """Show a notice for a while. Its text is neither markup nor able to drive the terminal."""
        self.notify(visible(text), severity=severity, timeout=seconds, markup=False)

    def unsay(self, text: str) -> None:
        """Take a notice away that is not true any more."""
        for notice in list(self._notifications):
            if notice.message == visible(text):
                self._unnotify(notice)

    def open_things(self) -> frozenset[Open]:
        """Return what Esc could close."""
        opened: set[Open] = set()
        if len(self.screen_stack) > 1:
            opened.add("dialog")
        if self.main.query_one(CommandList).display and self.main.query_one(Composer).has_focus:
            opened.add("commands")
        if self.main.query_one(SearchBar).display:
            opened.add("search")
        if self.main.query_one(Transcript).selecting.active:
            opened.add("selection")
        if self.filter_text is not None:
            opened.add("filter")
        if self.shows_archived and self.main.query_one(ChatListPane).has_focus:
            opened.add("archived")
        if self.main.query_one(QueuePanel).has_focus:
            opened.add("queue")
        if self.editing is not None:
            opened.add("edit")
        if self.main.has_class("-narrow") and self.main.has_class("-list"):
            opened.add("overlay")
        return frozenset(opened)
