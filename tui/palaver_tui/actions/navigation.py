"""Actions of the list and of the conversation."""

from __future__ import annotations

from palaver_tui.actions.base import Base
from palaver_tui.state.chat_list import rows
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.transcript.widget import Transcript


class Reading(Base):
    """Moving between chats, and through one."""

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
        # From the chat that is open by now: several keys may come before the next frame.
        pane = self.main.query_one(ChatListPane)
        chat_id = pane.neighbour(self.session.view.chat_id, steps)
        if chat_id is not None:
            self.session.open(chat_id)

    def do_chats_filter(self) -> None:
        """Begin to filter the list by what is typed."""
        self.main.add_class("-list")
        pane = self.main.query_one(ChatListPane)
        pane.focus()
        self.filter_text = pane.filter_text = ""

    def end_filter(self) -> None:
        """Show all chats again."""
        self.filter_text = self.main.query_one(ChatListPane).filter_text = None

    def do_chats_open(self) -> None:
        """Write to the chat that is shown; of a filtered list without it, to the first one."""
        # By what is typed by now, whether that was painted or not.
        typed = self.main.query_one(ChatListPane).filter_text
        found = [
            row.chat.id
            for row in rows(self.session.chats, typed or "", archived=self.shows_archived)
        ]
        if typed and found and self.session.view.chat_id not in found:
            self.session.open(found[0])
        self.end_filter()
        self.close_overlay()
        self.main.query_one(Composer).focus()

    def do_view_end(self) -> None:
        """Show the newest text and follow it."""
        self.session.message_pages.to_end()
        self.main.query_one(Transcript).follow()

    do_transcript_end = do_view_end

    def do_view_transcript(self) -> None:
        """Move the focus to the conversation."""
        self.main.query_one(Transcript).focus()

    def do_view_reasoning(self) -> None:
        """Show or hide what the model thought."""
        transcript = self.main.query_one(Transcript)
        shown = "reasoning" in transcript.folds.open_kinds
        transcript.set_folds(transcript.folds.with_kind("reasoning", not shown))

    def do_transcript_up(self) -> None:
        """Scroll up by a line, or move the cursor."""
        self._move(-1)

    def do_transcript_down(self) -> None:
        """Scroll down by a line, or move the cursor."""
        self._move(1)

    def do_transcript_page_up(self) -> None:
        """Scroll up by a page, two lines of which stay."""
        self._page(-1)

    def do_transcript_page_down(self) -> None:
        """Scroll down by a page."""
        self._page(1)

    do_composer_page_up = do_transcript_page_up
    do_composer_page_down = do_transcript_page_down

    def _page(self, pages: int) -> None:
        self._move(pages * max(1, self.main.query_one(Transcript).size.height - 2))

    def _move(self, lines: int) -> None:
        transcript = self.main.query_one(Transcript)
        if transcript.selecting.by_keys:
            transcript.selecting.move(lines=lines)
        else:
            transcript.move(lines)

    def do_transcript_home(self) -> None:
        """Go to the oldest message there is."""
        self.main.query_one(Transcript).to_start()
