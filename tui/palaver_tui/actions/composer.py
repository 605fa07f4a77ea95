"""Actions of the composer, the queue, and of an answer that failed or waits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.actions.chats import quoted
from palaver_tui.actions.slash_commands import Commanding
from palaver_tui.actions.undo import Aside, Undoing
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.banner import retry_time
from palaver_tui.state.outgoing import landing
from palaver_tui.state.permissions import ARCHIVED
from palaver_tui.state.reduce import user_text
from palaver_tui.timing import SAME_STROKE_S
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.models import model_picker
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.transcript.widget import Transcript


class Writing(Undoing, Commanding):
    """Sending, queueing, trying again."""

    _stashed = ""  # the draft that gave way to a queued message
    # When Enter came as the last key and as the one before it, wherever it went, monotonic.
    _entered = _entered_before = float("-inf")

    # --- the composer ---------------------------------------------------------------------

    def do_composer_send(self) -> None:
        """Send what was written; with nothing written, do what is offered."""
        self._send(interrupt=False)

    def do_composer_interrupt(self) -> None:
        """Stop the answer and send this instead."""
        self._send(interrupt=True)

    def _send(self, *, interrupt: bool) -> None:
        composer = self.main.query_one(Composer)
        if not composer.text.strip():
            if not composer.text and not self._same_stroke():
                self.do_banner_primary()
            return
        if self.editing is not None:
            self._save_edit(self.editing, composer.text)
            return
        if self.run_command():
            return
        if self.session.is_archived:
            self.say(ARCHIVED, "warning")
            return
        self.session.send(composer.take(), interrupt=interrupt)
        self.main.query_one(Transcript).follow()

    def _same_stroke(self) -> bool:
        """Say whether Enter came twice: the second is no answer to what the first has changed."""
        return self.session.clock.monotonic() - self._entered_before <= SAME_STROKE_S

    def do_composer_newline(self) -> None:
        """Begin a new line."""
        self.main.query_one(Composer).newline()

    # --- the queue ------------------------------------------------------------------------

    @property
    def _panel(self) -> QueuePanel:
        return self.main.query_one(QueuePanel)

    def _aimed_at(self) -> QueuedMessage | None:
        """Return what is selected, if it waits in this chat; else say that nothing is done."""
        selected = self._panel.selected
        if selected is not None and selected.id in self._panel.leaving:
            return None
        # The panel is as old as a frame.
        if selected is None or all(one.id != selected.id for one in self.session.view.queue):
            self.say(
                "Nothing was done: that message has left the queue."
                f" {key_of('queue.up')} {key_of('queue.down')} select another.",
                "warning",
            )
            return None
        return selected

    def do_queue_focus(self) -> None:
        """Go to the queue, or back."""
        (self.main.query_one(Composer) if self._panel.has_focus else self._panel).focus()

    def do_queue_up(self) -> None:
        """Select the message above."""
        self._panel.select(-1)

    def do_queue_down(self) -> None:
        """Select the message below."""
        self._panel.select(1)

    def do_queue_send(self) -> None:
        """Answer the selected message next; what runs is stopped for it."""
        if (queued := self._aimed_at()) is not None:
            self.session.requests.promote(queued)

    def do_queue_remove(self) -> None:
        """Take the selected message out of the queue."""
        if (queued := self._aimed_at()) is None:
            return
        ids = [other.id for other in self.session.view.queue]
        before = set(ids[: ids.index(queued.id)])
        leaving = self._panel.leaving
        leaving.add(queued.id)

        def done(chat_id: str) -> None:
            aside = Aside(queued.created_at, queued.content)
            self.put_aside(chat_id, aside)
            words = f"Removed {quoted(queued.content)}. {key_of('app.undo')} puts it back."
            undo = partial(self._put_in_queue, chat_id, queued, before, aside)
            self.offer_undo(undo, words)

        def failed() -> None:
            leaving.discard(queued.id)

        self.session.requests.remove(queued, done, failed)

    def _put_in_queue(
        self, chat_id: str, queued: QueuedMessage, before: set[int], aside: Aside
    ) -> None:
        """Undo a removal: at its old place while the chat is busy, else in its composer.

        `before` are the ids of those that stood before it. A chat at rest would answer at once,
        also one whose queue is held.
        """
        session = self.session
        self.take_up(chat_id, aside)
        name = self._go_back_to(chat_id)

        def keep() -> None:
            self.keep_for(name, queued.content)

        if landing(session.view) == "queue":
            place = sum(other.id in before for other in session.view.queue)
            if session.view.caught_up is None:
                place = len(before)  # it was just opened, and what waits in it is not here yet
            session.requests.put_back(name, queued, place, keep)
        else:
            keep()
            words = "No answer runs, and in the queue it would be sent at once"
            self.say(f"{words}: {quoted(queued.content)} is in the composer.")

    def _go_back_to(self, chat_id: str) -> str:
        """Show the chat that something comes back to, and return it; one that is gone has none."""
        session = self.session
        known = session.chats.chats.get(chat_id)
        if known is None and not session.knows(chat_id):
            self.say("Its chat is deleted: what comes back is here.", "warning")
            return session.current
        if chat_id != session.current:
            session.open(chat_id)
            if known is not None:  # what is kept of the chat may be older than the list
                session.views[chat_id] = replace(session.view, status=known.status)
        return chat_id

    def keep_for(self, name: str, content: str) -> None:
        """Keep a text with the draft of its chat."""
        raise NotImplementedError

    def do_queue_raise(self) -> None:
        """Move the selected message up."""
        if (queued := self._aimed_at()) is not None:
            self.session.requests.move(queued, -1)

    def do_queue_lower(self) -> None:
        """Move the selected message down."""
        if (queued := self._aimed_at()) is not None:
            self.session.requests.move(queued, 1)

    def do_queue_hold(self) -> None:
        """Hold the queue, or release it."""
        view = self.session.view
        held = view.held or view.status == "paused"
        (self.session.requests.release if held else self.session.requests.hold)()

    def do_queue_edit(self) -> None:
        """Open the selected message in the composer."""
        if (queued := self._aimed_at()) is not None:
            self.begin_edit(queued)

    def begin_edit(self, queued: QueuedMessage) -> None:
        """Open a queued message in the composer."""
        self.open_in_composer(queued, queued.content)

    def open_in_composer(
        self, message: QueuedMessage | Message, content: str, *, focus: bool = True
    ) -> None:
        """Let the composer hold a message that is somewhere else, instead of the draft."""
        composer = self.main.query_one(Composer)
        if self.editing is None:
            self._stashed = composer.text
        self.editing = message
        composer.load_text(content)
        composer.move_cursor(composer.document.end)
        if focus:
            composer.focus()

    def rewrite(self, message: Message, content: str) -> None:
        """Say an earlier message anew."""
        raise NotImplementedError

    def _save_edit(self, editing: QueuedMessage | Message, content: str) -> None:
        if isinstance(editing, Message):
            self.rewrite(editing, content)
        else:
            self._put_back(editing, content)

    def _put_back(self, queued: QueuedMessage, content: str) -> None:
        def failed() -> None:
            # It was promoted meanwhile, or there is no connection: what was typed stays.
            composer = self.main.query_one(Composer)
            if not composer.text.strip():
                composer.load_text(content)

        self.end_edit()
        if content != queued.content:
            self.session.requests.edit(queued, content, failed)

    def leave_edit(self) -> None:
        """End an edit: the message stays as it is, and what was written can be had back."""
        editing, text = self.editing, self.main.query_one(Composer).text
        self.end_edit()
        if editing is None or not text.strip() or text == _content(editing):
            return
        name, aside = self.session.current, Aside(self.session.clock.now(), text)
        self.put_aside(name, aside)
        words = f"The message is as it was. {key_of('app.undo')} goes on with what you wrote."
        self.offer_undo(partial(self._edit_again, name, editing, aside), words)

    def _edit_again(self, name: str, editing: QueuedMessage | Message, aside: Aside) -> None:
        """Undo having left an edit; where that message is gone, the text goes to the draft."""
        self.take_up(name, aside)
        here = self._go_back_to(name)
        view = self.session.view
        messages = (*view.queue, *view.messages)
        still = any(type(one) is type(editing) and one.id == editing.id for one in messages)
        if self.editing is None and here == name and still:
            self.open_in_composer(editing, aside.text)
        else:
            self.keep_for(here, aside.text)

    def end_edit(self) -> None:
        """Give the composer back to the draft; the message that it held stays as it is."""
        if self.editing is not None:
            self.editing = None
            composer = self.main.query_one(Composer)
            composer.load_text(self._stashed)
            composer.move_cursor(composer.document.end)
            self._stashed = ""

    # --- an answer that failed or waits ---------------------------------------------------

    def do_banner_primary(self) -> None:
        """Do the one thing that helps now."""
        match self.session.primary:
            case "chat.unarchive":
                self.do_chat_unarchive()
            case "app.reconnect":
                self.do_app_reconnect()
            case "retry.now":
                self.do_retry_now()
            case "error.retry":
                self.do_error_retry()
            case "queue.release":
                self.session.requests.release()
            case "queue.head":
                self.session.requests.promote(self.session.view.queue[0])
            case "setup.restart":
                self.do_setup_restart()
            case "setup.local":
                self.do_setup_local()
            case None:
                pass

    do_transcript_retry = do_banner_primary

    def do_transcript_model(self) -> None:
        """Choose who answers."""
        self.do_model_choose()

    def do_retry_now(self) -> None:
        """Do not wait for the retry's time."""
        self.session.requests.skip_backoff()

    def do_error_retry(self) -> None:
        """Run the failed turn again, at the time that the provider named if it named one."""
        view = self.session.view
        at = retry_time(view.error, self.session.clock.now()) if view.error else None
        self.session.requests.resume(at if view.resume_at is None else None)

    def do_error_detail(self) -> None:
        """Show or hide the provider's own words."""
        if self._painter is not None:
            self._painter.show_detail = not self._painter.show_detail

    def do_setup_restart(self) -> None:
        """Start the daemon anew, with the keys of this shell."""
        self.session.setup.restart()

    def do_setup_local(self) -> None:
        """Use the model server of this machine."""
        self.session.setup.take_over()

    def do_app_reconnect(self) -> None:
        """Try to reach the daemon again."""
        self.session.start()

    def do_model_choose(self) -> None:
        """Choose who answers."""
        models = self.session.models
        if models is None or not models.models:
            self.say("The daemon has not said which models there are.", "warning")
            return
        current = self._painter.model_name() if self._painter else None
        self.push_screen(model_picker(models.models, current), self._chosen)

    def _chosen(self, name: str | None) -> None:
        if name is not None:
            self.session.choose_model(name)


def _content(message: QueuedMessage | Message) -> str:
    return message.content if isinstance(message, QueuedMessage) else user_text(message)
