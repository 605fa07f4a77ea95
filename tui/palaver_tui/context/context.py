"""The context: everything that an action may use, as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path

from textual.app import App

from palaver.interface import Choices
from palaver_tui.context.answering import Answering
from palaver_tui.context.dialogs import Dialogs
from palaver_tui.context.draft_switch import DraftSwitch
from palaver_tui.context.editor import Editor
from palaver_tui.context.enter_key import EnterKey
from palaver_tui.context.exit_state import ExitState
from palaver_tui.context.list_filter import ListFilter
from palaver_tui.context.notices import Notices
from palaver_tui.context.own_errors import OwnErrors
from palaver_tui.context.place import UserPlace
from palaver_tui.context.undo import TextsAside, UndoStack
from palaver_tui.platform.clipboard import Clipboard
from palaver_tui.platform.opener import Opener
from palaver_tui.screen.main_screen import MainScreen
from palaver_tui.screen.painter import Painter
from palaver_tui.session.session import Session
from palaver_tui.state.primary_action import Primary
from palaver_tui.storage.drafts import Drafts
from palaver_tui.themes.palettes import Palette


@dataclass(kw_only=True)
class Context:
    """What an action reads and changes. After an action the screen is painted."""

    app: App[int]  # Textual's application: workers, themes, exit
    session: Session
    screen: MainScreen
    painter: Painter
    changed: Callable[[], None]  # schedules a paint
    paint: Callable[[], None]  # paints immediately
    perform: Callable[[str], None]  # runs an action by its id, if it is possible now

    notices: Notices
    errors: OwnErrors
    clipboard: Clipboard
    opener: Opener
    pictures: Path  # the folder of pictures that were opened in a viewer
    palettes: Sequence[Palette]  # the palettes that this terminal can show
    servers: Choices | None  # returns the servers to choose from; None: no choice is offered
    dialogs: Dialogs
    stored: InitVar[Drafts]  # the drafts of all chats

    editor: Editor = field(init=False)
    drafts: DraftSwitch = field(init=False)
    answering: Answering = field(init=False)
    list_filter: ListFilter = field(init=False)
    undo: UndoStack = field(init=False)
    enter: EnterKey = field(init=False)
    aside: TextsAside = field(default_factory=TextsAside)
    exit_state: ExitState = field(default_factory=ExitState)
    filing: set[str] = field(default_factory=set)  # chats that are being archived or deleted
    doubted: str = ""  # the text that a notice has called no command: the next Enter sends it
    offered: tuple[str, Primary | None] = "", None  # the chat and its primary action, as painted
    recalled: int = 0  # the composer shows the message that is so many back; 0: none

    def __post_init__(self, stored: Drafts) -> None:
        composer = self.screen.composer
        self.editor = Editor(composer)
        self.drafts = DraftSwitch(self.session, composer, self.editor, stored)
        self.list_filter = ListFilter(self.screen.chat_list, self.session.list_search)
        self.undo = UndoStack(composer, self.notices)
        self.enter = EnterKey()
        self.answering = Answering(self.session.clock)

    @property
    def place(self) -> UserPlace:
        """Where the user is now. Take it before a wait, and compare it before changing the view."""
        screen = self.screen
        edits, in_dialog = screen.composer.edits, self.dialogs.is_open
        return UserPlace(self.session.current, screen.focused, edits, in_dialog)


Run = Callable[[Context], object]  # the function of an action; its result is ignored
