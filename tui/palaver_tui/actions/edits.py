"""Editing a queued message in place, or an earlier message of the history."""

from __future__ import annotations

from functools import partial

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.actions.chats import show_again
from palaver_tui.actions.wording import refused
from palaver_tui.context.context import Context
from palaver_tui.context.editor import text_of
from palaver_tui.context.undo import TextAside
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.dropped_messages import Counted, dropped_by
from palaver_tui.state.reduce import user_text


def begin_edit(context: Context, queued: QueuedMessage) -> None:
    """Open a queued message in the composer."""
    context.editor.open(queued, queued.content)


def begin_rewriting(context: Context, message: Message, text: str | None = None) -> None:
    """Open an earlier message in the composer, with `text` in place of its own if given."""
    editor, view = context.editor, context.session.view
    editor.open(message, user_text(message) if text is None else text)
    editor.counted = None

    def count(counted: Counted) -> None:
        editor.counted = counted
        context.changed()

    if dropped_by(view, message.id).at_least:
        context.session.requests.count_after(message.id, view.messages[-1].id, count)


def save_edit(context: Context, editing: QueuedMessage | Message, text: str) -> None:
    """Save the edited message: a queued one in place, an earlier one as the start of a new turn."""
    if isinstance(editing, Message):
        _rewrite(context, editing, text)
    else:
        _put_back(context, editing, text)


def _rewrite(context: Context, message: Message, text: str) -> None:
    """Send an edit of an earlier message; if that fails, open it in the composer again."""
    session = context.session
    name = session.current
    if refused(context, "edit"):
        return

    def failed() -> None:
        if session.current == name and context.editor.message is None:
            begin_rewriting(context, message, text)
        else:
            context.drafts.keep_for(name, text)

    context.editor.end()
    session.requests.edit_message(message.id, text, failed)
    context.screen.transcript.viewport.follow()


def _put_back(context: Context, queued: QueuedMessage, text: str) -> None:
    composer = context.screen.composer

    def failed() -> None:
        # It was promoted meanwhile, or there is no connection: do not lose the text.
        if not composer.text.strip():
            composer.load_text(text)

    context.editor.end()
    if text != queued.content:
        context.session.requests.edit_queued(queued, text, failed)


def leave_edit(context: Context) -> None:
    """End the edit without saving it; undo continues it."""
    editing, text = context.editor.message, context.screen.composer.text
    context.editor.end()
    if editing is None or not text.strip() or text == text_of(editing):
        return
    name = context.session.current
    aside = TextAside(context.session.clock.now(), text)
    context.aside.add(name, aside)
    words = f"The message is as it was. {key_of('app.undo')} goes on with what you wrote."
    context.undo.offer(partial(_edit_again, context, name, editing, aside), words)


def _edit_again(
    context: Context, name: str, editing: QueuedMessage | Message, aside: TextAside
) -> None:
    """Continue an edit that was left; if the message is gone, add the text to the draft."""
    context.aside.remove(name, aside)
    here = show_again(context, name)
    view = context.session.view
    messages = (*view.queue, *view.messages)
    still = any(type(one) is type(editing) and one.id == editing.id for one in messages)
    if context.editor.message is None and here == name and still:
        context.editor.open(editing, aside.text)
    else:
        context.drafts.keep_for(here, aside.text)
