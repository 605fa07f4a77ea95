"""Actions that work everywhere."""

from __future__ import annotations

from palaver_tui.actions.history import Rewriting
from palaver_tui.actions.links import Opening
from palaver_tui.actions.navigation import Reading
from palaver_tui.actions.recall import Recalling
from palaver_tui.actions.search import Finding
from palaver_tui.actions.servers import LEAVE_AGAIN, Servers
from palaver_tui.keymap.actions import COPY_OR_LEAVE, key_of
from palaver_tui.screen.painter import scope_of
from palaver_tui.state.escape import escape
from palaver_tui.timing import NOTICE_S
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.help import HelpScreen
from palaver_tui.widgets.palette import Palette
from palaver_tui.widgets.rename import RenameScreen
from palaver_tui.widgets.transcript.widget import Transcript


class General(Reading, Finding, Opening, Recalling, Rewriting, Servers):
    """Closing and stopping, new chats, help, leaving."""

    _asked_to_leave = float("-inf")  # when ^c was pressed with nothing to copy, monotonic

    def do_chat_escape(self) -> None:
        """Close the topmost thing, or stop."""
        match escape(self.open_things(), self.session.now.state):
            case "close_dialog":
                self.close_dialog()
            case "close_search":
                self.end_search()
            case "close_commands":
                self.end_commands()
            case "clear_selection":
                self.main.query_one(Transcript).selecting.clear()
            case "close_edit":
                self.leave_edit()
            case "clear_filter":
                self.end_filter()
            case "close_archived":
                self.end_archived()
            case "close_overlay":
                self.close_overlay()
            case "stop":
                self.session.requests.stop()
            case "say_stopping":
                self.say("Already stopping.")
            case "say_offline":
                self.say("Without a connection nothing can be stopped.", "warning")
            case _:
                self.main.query_one(Composer).focus()

    def do_chat_new(self) -> None:
        """Begin a chat."""
        self.session.new_chat()
        self.close_overlay()
        self.main.query_one(Composer).focus()

    def do_chat_rename(self) -> None:
        """Give the chat another title."""
        self.push_screen(RenameScreen(self.session.view.title), self._renamed)

    def _renamed(self, title: str | None) -> None:
        if title is not None and title != self.session.view.title:
            self.session.requests.rename(title)

    def do_chat_stop(self) -> None:
        """Stop the answer."""
        self.session.requests.stop()

    def do_app_theme(self) -> None:
        """Change to the next theme."""
        names = [palette.name for palette in self.palettes]
        index = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(index + 1) % len(names)]

    def do_app_report(self) -> None:
        """Copy what went wrong in the client itself."""
        self._put(self.errors.report(), "the report")

    def do_app_help(self) -> None:
        """Show all keys."""
        self.push_screen(HelpScreen(scope_of(self.main.focused)))

    def do_app_palette(self) -> None:
        """Find an action by its name."""
        self.push_screen(Palette(self.offers), self._picked)

    def _picked(self, name: str | None) -> None:
        if name is not None:
            # When the palette is gone: an action may open something itself.
            self.call_later(self.perform, name)

    def do_app_quit(self) -> None:
        """Leave. The daemon goes on. Warns once of messages that are not with it yet."""
        if self.leaving_is_said(LEAVE_AGAIN):
            self.exit(0)

    def action_help_quit(self) -> None:
        """Textual's name for ^c. It copies what is selected, and else asks before it leaves."""
        if self.main.query_one(Transcript).selecting.some:
            self.do_transcript_copy()
            return
        now = self.session.clock.monotonic()
        if now - self._asked_to_leave <= NOTICE_S:
            self.do_app_quit()
            return
        self._asked_to_leave = now
        stops = key_of("chat.escape")
        self.say(
            f"Press {COPY_OR_LEAVE} again to leave. The daemon goes on; {stops} stops an answer."
        )
