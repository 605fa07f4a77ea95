"""Actions on a chat as a whole: put it away, bring it back, delete it; and those put away."""

from __future__ import annotations

from palaver.wire.chats import Chat
from palaver_tui.actions.undo import Undoing
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.permissions import Act, refusal
from palaver_tui.text.wrap import clip
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.confirm import ConfirmScreen

TITLE_CELLS = 40  # of a title in a notice


def quoted(title: str) -> str:
    """Return a title in a sentence."""
    words = " ".join(title.split())
    return f"“{clip(words, TITLE_CELLS)}”" if words else "the chat"


class Filing(Undoing):
    """Archives, with a way back; deletes, after a question."""

    _filing: set[str]  # chats that are being put away, brought back or deleted

    @property
    def _pane(self) -> ChatListPane:
        return self.main.query_one(ChatListPane)

    def refused(self, act: Act) -> bool:
        """Say why the chat that is shown does not allow `act`, if it does not."""
        words = refusal(act, self.session.view, archived=self.session.is_archived)
        if words is not None:
            self.say(words, "warning")
        return words is not None

    # --- putting away ---------------------------------------------------------------------

    def do_chat_archive(self) -> None:
        """Put the chat that is shown away."""
        if not self.refused("archive"):
            self._put_away(self.session.view.chat_id, archived=True)

    def do_chat_unarchive(self) -> None:
        """Bring the chat that is shown back."""
        self._put_away(self.session.view.chat_id, archived=False)

    def _put_away(self, chat_id: str | None, *, archived: bool) -> None:
        if chat_id is None or chat_id in self._filing:
            return
        self._filing.add(chat_id)
        beside = self._pane.beside(chat_id)

        def done(chat: Chat) -> None:
            self._filing.discard(chat_id)
            if archived or self._pane.has_focus:
                self._leave_chat(chat_id, beside)
            self._say_put_away(chat, archived=archived)

        def failed() -> None:
            self._filing.discard(chat_id)

        self.session.requests.put_away(chat_id, archived, done, failed)

    def _say_put_away(self, chat: Chat, *, archived: bool) -> None:
        words = f"Archived {quoted(chat.title)}." if archived else f"{quoted(chat.title)} is back."
        back = "brings it back" if archived else "archives it again"
        words += f" {key_of('app.undo')} {back}."
        self.offer_undo(lambda: self._reverse(chat.id, archived=archived), words)

    def _reverse(self, chat_id: str, *, archived: bool) -> None:
        """Undo having put a chat away, or brought it back."""

        def done(chat: Chat) -> None:
            if archived:
                self.shows_archived = False
                self.session.open(chat_id)
                self.say(f"{quoted(chat.title)} is back.")
            else:
                self._say_put_away(chat, archived=True)

        self.session.requests.put_away(chat_id, not archived, done, lambda: None)

    def _leave_chat(self, chat_id: str, beside: str | None) -> None:
        """Show another chat, if this one is shown: in the list the next, else a new one."""
        if self.session.view.chat_id != chat_id:
            return
        if self._pane.has_focus and beside is not None:
            self.session.open(beside)
        else:
            self.session.new_chat()

    # --- the list of those that are put away ----------------------------------------------

    def do_chats_archived(self) -> None:
        """Let the list show the chats that are put away, or the others again."""
        self.shows_archived = not self.shows_archived
        self.end_filter()
        if self.shows_archived:
            self.session.chat_pages.again()
            self.session.chat_pages.more(archived=True)
        self.main.add_class("-list")
        self._pane.focus()

    def end_archived(self) -> None:
        """Let the list show the other chats again."""
        self.shows_archived = False

    def end_filter(self) -> None:
        """Show all chats of the list again."""
        raise NotImplementedError

    # --- deleting -------------------------------------------------------------------------

    def do_chat_delete(self) -> None:
        """Delete the chat that is shown, after a question."""
        view = self.session.view
        chat_id = view.chat_id
        if chat_id is None or self.refused("delete"):
            return
        goes = "All its messages go for good"
        if view.queue:
            goes += f", the {len(view.queue)} in its queue too"
        known = self.session.chats.chats.values()
        under = sum(chat.parent_id == chat_id for chat in known)
        if under:
            goes += f", and the {'chat' if under == 1 else f'{under} chats'} under it"
        lines = [quoted(view.title), f"{goes}."]
        if self.main.query_one(Composer).text.strip():
            lines.append("What you are writing is kept: it moves to a new chat.")

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(chat_id, view.title)

        screen = ConfirmScreen("Delete this chat?", lines, "Keep it", "Delete it for good")
        self.push_screen(screen, answered)

    def _delete(self, chat_id: str, title: str) -> None:
        if chat_id in self._filing:
            return
        self._filing.add(chat_id)

        def done() -> None:
            self.say(f"Deleted {quoted(title)}.")
            self.session.drop(chat_id, title)
            self._filing.discard(chat_id)

        def failed() -> None:
            self._filing.discard(chat_id)

        self.session.requests.delete(chat_id, done, failed)
