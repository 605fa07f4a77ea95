"""Actions on what was said: say a message anew, fork from one, let the model forget."""

from __future__ import annotations

from palaver.wire.chats import Chat
from palaver.wire.messages import Message
from palaver_tui.actions.chats import Filing, quoted
from palaver_tui.actions.composer import Writing
from palaver_tui.actions.targets import Pointing
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.dropped_messages import Counted, Dropped, dropped_by, is_read
from palaver_tui.state.reduce import user_text
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.confirm import ConfirmScreen
from palaver_tui.widgets.transcript.widget import Transcript


class Rewriting(Writing, Filing, Pointing):
    """Changes what was said, and shows before what goes for it."""

    _counted: Counted | None = None  # messages that an edit drops and that are not here

    # --- saying a message anew --------------------------------------------------------------

    def do_transcript_edit(self) -> None:
        """Take the message that is meant, or the one that was answered there, to the composer."""
        if self.refused("edit"):
            return
        message = self._own_here()
        if message is None:
            keys = f"{key_of('transcript.previous_own')} and {key_of('transcript.next_own')}"
            self.say(f"There is no message of yours here. {keys} go to those that you wrote.")
            return
        self.begin_rewriting(message)

    def _own_here(self) -> Message | None:
        """Return the person's message that is meant, or else the one above what is meant."""
        here = self._meant()
        own = [one for one in self.session.view.messages if one.role == "user"]
        before = [one for one in own if here is not None and one.id <= here.id]
        return before[-1] if before else None

    def _meant(self) -> Message | None:
        """Return what is pointed at; else the last message, or when scrolled the first in view."""
        text = self.main.query_one(Transcript)
        pointed = text.pointing.thing is not None and text.pointing.in_view()
        read = [one for one in self.session.view.messages if is_read(one)]
        return read[-1] if read and text.following and not pointed else self.message_here()

    def begin_rewriting(self, message: Message, content: str | None = None) -> None:
        """Open an earlier message in the composer, with other words if there are any."""
        self.open_in_composer(message, user_text(message) if content is None else content)
        view = self.session.view
        self._counted = None
        if dropped_by(view, message.id).at_least:
            self.session.requests.count_after(message.id, view.messages[-1].id, self._count)

    def _count(self, counted: Counted) -> None:
        self._counted = counted
        self._changed()

    def dropped(self) -> Dropped | None:
        """Return what goes when the message in the composer is sent; None if it is none."""
        if not isinstance(self.editing, Message):
            return None
        return dropped_by(self.session.view, self.editing.id, self._counted)

    def rewrite(self, message: Message, content: str) -> None:
        """Say a message anew; if that fails, it is in the composer again."""
        name = self.session.current
        if self.refused("edit"):
            return

        def failed() -> None:
            if self.session.current == name and self.editing is None:
                self.begin_rewriting(message, content)
            else:
                self.keep_for(name, content)

        self.end_edit()
        self.session.requests.say_anew(message.id, content, failed)
        self.main.query_one(Transcript).follow()

    def keep_for(self, name: str, content: str) -> None:
        """Keep what could not be said with the draft of its chat."""
        raise NotImplementedError

    # --- forks and the model's memory -------------------------------------------------------

    def do_transcript_fork(self) -> None:
        """Go on in a new chat from the message that is meant."""
        message = self._meant()
        if message is None:
            self.say("There is nothing to fork yet.")
            return

        def done(chat: Chat) -> None:
            self.leave_edit()
            self.session.open(chat.id)
            self.main.query_one(Composer).focus()
            self.say(f"You are in {quoted(chat.title)} now. The other chat is as it was.")

        self.session.requests.fork(message.id, done)

    def do_chat_clear(self) -> None:
        """Let the model forget what was said, after a question."""
        if not self.session.view.messages:
            self.say("Nothing was said yet.")
            return
        if self.refused("clear"):
            return
        lines = [
            quoted(self.session.view.title),
            "The model will see nothing of what was said so far.",
            "You still do.",
        ]
        screen = ConfirmScreen("Let the model forget?", lines, "Keep it", "Let it forget")
        self.push_screen(screen, self._forget)

    def _forget(self, yes: bool | None) -> None:
        if yes and not self.refused("clear"):
            self.session.requests.clear()
