"""What each action does: one method per row of the table of actions."""

from __future__ import annotations

from textual.app import App
from textual.command import CommandPalette
from textual.screen import Screen

from palaver_tui.layout.sections import Look
from palaver_tui.layout.visible import visible
from palaver_tui.painting import Painter
from palaver_tui.session import Session, Severity
from palaver_tui.themes import PALETTES
from palaver_tui.timing import NOTICE_S
from palaver_tui.view.escape import Open, escape
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.help import HelpScreen
from palaver_tui.widgets.transcript import Transcript


class Handlers(App[int]):
    """The actions of the application, `do_<id>` each. What they change is painted afterwards."""

    session: Session
    _look: Look
    _painter: Painter | None

    @property
    def main(self) -> Screen[object]:
        """The main screen, whatever lies over it."""
        return self.screen_stack[0]

    def say(self, text: str, severity: Severity = "information") -> None:
        """Show a notice for a moment. Its text is neither markup nor able to drive the terminal."""
        self.notify(visible(text), severity=severity, timeout=NOTICE_S, markup=False)

    def open_things(self) -> frozenset[Open]:
        """Return what Esc could close."""
        opened: set[Open] = set()
        if len(self.screen_stack) > 1:
            opened.add("dialog")
        if self.main.selections:
            opened.add("selection")
        if self.main.has_class("-narrow") and self.main.has_class("-list"):
            opened.add("overlay")
        return frozenset(opened)

    def do_chat_escape(self) -> None:
        """Close the topmost thing, or stop."""
        match escape(self.open_things(), self.session.now.state):
            case "close_dialog":
                self.pop_screen()
            case "clear_selection":
                self.main.clear_selection()
            case "close_overlay":
                self.close_overlay()
            case "stop":
                self.session.stop()
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

    def do_chat_stop(self) -> None:
        """Stop the answer."""
        self.session.stop()

    def do_chats_toggle(self) -> None:
        """Go to the list, or back."""
        pane = self.main.query_one(ChatListPane)
        if pane.has_focus:
            self.close_overlay()
            self.main.query_one(Composer).focus()
            return
        self.main.add_class("-list")
        pane.focus()

    def close_overlay(self) -> None:
        """Close the list where it lies over the conversation."""
        if self.main.has_class("-list"):
            self.main.remove_class("-list")
            if self.main.has_class("-narrow"):
                self.main.query_one(Composer).focus()

    def do_chats_up(self) -> None:
        """Show the chat above."""
        self._step(-1)

    def do_chats_down(self) -> None:
        """Show the chat below."""
        self._step(1)

    def do_chats_first(self) -> None:
        """Show the first chat."""
        self._step(-len(self.main.query_one(ChatListPane).rows))

    def do_chats_last(self) -> None:
        """Show the last chat."""
        self._step(len(self.main.query_one(ChatListPane).rows))

    def _step(self, steps: int) -> None:
        chat_id = self.main.query_one(ChatListPane).neighbour(steps)
        if chat_id is not None:
            self.session.open(chat_id)

    def do_chats_open(self) -> None:
        """Write to the chat that is shown."""
        self.close_overlay()
        self.main.query_one(Composer).focus()

    def do_view_end(self) -> None:
        """Show the newest text and follow it."""
        self.main.query_one(Transcript).follow()

    do_transcript_end = do_view_end

    def do_view_transcript(self) -> None:
        """Move the focus to the conversation."""
        self.main.query_one(Transcript).focus()

    def do_view_reasoning(self) -> None:
        """Show or hide what the model thought."""
        self._look = Look(self._look.zone, not self._look.show_reasoning)
        self.main.query_one(Transcript).set_look(self._look)

    def do_transcript_up(self) -> None:
        """Scroll up by a line."""
        self.main.query_one(Transcript).move(-1)

    def do_transcript_down(self) -> None:
        """Scroll down by a line."""
        self.main.query_one(Transcript).move(1)

    def do_transcript_page_up(self) -> None:
        """Scroll up by a page, two lines of which stay."""
        self._page(-1)

    def do_transcript_page_down(self) -> None:
        """Scroll down by a page."""
        self._page(1)

    def _page(self, pages: int) -> None:
        transcript = self.main.query_one(Transcript)
        transcript.move(pages * max(1, transcript.size.height - 2))

    def do_transcript_home(self) -> None:
        """Go to the oldest message there is."""
        self.main.query_one(Transcript).to_start()

    def do_transcript_copy(self) -> None:
        """Copy what is selected, or the last answer as its author wrote it."""
        text = self.main.get_selected_text() or self.session.last_answer()
        if text:
            self.copy_to_clipboard(text)
            self.say("Copied, if your terminal allows it (OSC 52).")

    def do_error_detail(self) -> None:
        """Show or hide the provider's own words."""
        if self._painter is not None:
            self._painter.show_detail = not self._painter.show_detail

    def do_app_reconnect(self) -> None:
        """Try to reach the daemon again."""
        self.session.start()

    def do_app_theme(self) -> None:
        """Change to the next theme."""
        names = list(PALETTES)
        index = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(index + 1) % len(names)]

    def do_app_help(self) -> None:
        """Show all keys."""
        self.push_screen(HelpScreen())

    def do_app_palette(self) -> None:
        """Find an action by its name."""
        self.push_screen(CommandPalette(placeholder="What do you want to do?"))

    def do_app_quit(self) -> None:
        """Leave. The daemon goes on."""
        self.exit(0)

    def do_composer_send(self) -> None:
        """Send what was written."""
        composer = self.main.query_one(Composer)
        if composer.text.strip():
            self.session.send(composer.take())
            self.main.query_one(Transcript).follow()

    def do_composer_interrupt(self) -> None:
        """Stop the answer and send this instead."""
        composer = self.main.query_one(Composer)
        if composer.text.strip():
            self.session.send(composer.take(), interrupt=True)
            self.main.query_one(Transcript).follow()

    def do_composer_newline(self) -> None:
        """Begin a new line."""
        self.main.query_one(Composer).newline()
