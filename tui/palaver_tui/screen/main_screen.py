"""The main screen: list of chats, conversation, composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from palaver.garbage import loading
from palaver_tui.textual_patches.row_screen import RowScreen
from palaver_tui.transcript.look import Look
from palaver_tui.widgets.banner import BannerBox
from palaver_tui.widgets.bar import Bar
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.question import QuestionPanel
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchBar
from palaver_tui.widgets.stage import Stage
from palaver_tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript.widget import Transcript


class MainScreen(RowScreen[object]):
    """The main screen; its widgets are its attributes.

    The transcript is made when it is first used, which is after the first frame: until then it
    would be empty, and what lays out messages takes as long to import as the frame to draw.
    """

    AUTO_FOCUS = "#composer"

    def __init__(self) -> None:
        super().__init__(id="main-screen")
        self.header, self.footer = Bar(id="header"), Bar(id="footer")
        self.chat_list = ChatListPane()
        self.stage = Stage(id="stage")
        self.look = Look()
        self.made_transcript: Transcript | None = None
        self.welcome = Welcome()
        self.search_bar = SearchBar()
        self.banner = BannerBox()
        self.question = QuestionPanel()
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
                    if self.made_transcript is not None:
                        yield self.made_transcript
                    yield self.welcome
                yield self.search_bar
                yield self.banner
                yield self.question
                yield self.queue
                yield self.commands
                with self.writing:
                    yield Static("❯", id="prompt", markup=False)
                    yield self.composer
        yield self.footer

    @property
    def transcript(self) -> Transcript:
        """The conversation, which is made for its first use."""
        made = self.made_transcript
        return self.make_transcript() if made is None else made

    def make_transcript(self) -> Transcript:
        """Make the conversation, unless it is made; return it."""
        if self.made_transcript is None:
            with loading():  # as the modules before the first frame are
                from palaver_tui.widgets.transcript.widget import Transcript

            self.made_transcript = Transcript(self.look)
            if self.welcome.is_attached:
                self.stage.mount(self.made_transcript, before=self.welcome)
        return self.made_transcript

    def set_look(self, look: Look) -> None:
        """Set how messages are shown, before there are any."""
        self.look = look
        if self.made_transcript is not None:
            self.made_transcript.viewport.set_look(look)

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only their captions."""
        self.look = replace(self.look, pictures=draws)
        if self.made_transcript is not None:
            self.made_transcript.viewport.draw_pictures(draws)

    @property
    def is_searching(self) -> bool:
        """Whether words are searched for in the conversation."""
        return self.made_transcript is not None and self.made_transcript.search.active

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
