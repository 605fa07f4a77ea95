"""The main screen: list of chats, conversation, composer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from palaver_tui.textual_patches.row_screen import RowScreen
from palaver_tui.transcript.message_stacks import Look
from palaver_tui.widgets.banner import BannerBox
from palaver_tui.widgets.bar import Bar
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.stage import Stage
from palaver_tui.widgets.transcript.widget import Transcript
from palaver_tui.widgets.welcome import Welcome


class MainScreen(RowScreen[object]):
    """The main screen; its widgets are its attributes."""

    AUTO_FOCUS = "#composer"

    def __init__(self) -> None:
        super().__init__(id="main-screen")
        self.header, self.footer = Bar(id="header"), Bar(id="footer")
        self.chat_list = ChatListPane()
        self.stage = Stage(id="stage")
        self.transcript, self.welcome = Transcript(Look()), Welcome()
        self.search_bar = SearchBar()
        self.banner = BannerBox()
        self.queue = QueuePanel()
        self.commands = CommandList()
        self.writing = Horizontal(id="writing")
        self.composer = Composer()

    def compose(self) -> ComposeResult:
        """Yield the widgets."""
        yield self.header
        with Horizontal(id="body"):
            yield self.chat_list
            with Vertical(id="main"):
                with self.stage:
                    yield self.transcript
                    yield self.welcome
                yield self.search_bar
                yield self.banner
                yield self.queue
                yield self.commands
                with self.writing:
                    yield Static("❯", id="prompt", markup=False)
                    yield self.composer
        yield self.footer

    @property
    def is_narrow(self) -> bool:
        """Whether the window is narrow: the list of chats is then an overlay."""
        return self.has_class("-narrow")

    @property
    def list_is_over(self) -> bool:
        """Whether the list of chats is open as an overlay over the conversation."""
        return self.is_narrow and self.has_class("-list")

    def open_list(self) -> None:
        """Focus the list of chats; open it in a narrow window."""
        self.add_class("-list")
        self.chat_list.focus()

    def close_list(self) -> None:
        """Close the overlay of the list; in a narrow window, focus the composer."""
        if self.has_class("-list"):
            self.remove_class("-list")
            if self.is_narrow:
                self.composer.focus()
