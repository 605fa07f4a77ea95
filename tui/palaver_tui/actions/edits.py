"""Editing a queued message in place, or an earlier message of the history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.actions.chats import show_again
from palaver_tui.actions.wording import quoted, refused
from palaver_tui.context.context import Context
from palaver_tui.context.place import UserPlace
from palaver_tui.context.undo import Failed, TextAside
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.dropped_messages import Counted, dropped_by
from palaver_tui.state.edited_message import is_gone, is_same, text_of
from palaver_tui.state.reduce import user_text


def begin_edit(context: Context, queued: QueuedMessage) -> None:
    """Open a queued message in the composer."""
    if _turn_to(context, queued):
        context.editor.open(queued, queued.content)


def begin_rewriting(context: Context, message: Message) -> None:
    """Open an earlier message in the composer."""
    if _turn_to(context, message):
        _open(context, message, user_text(message))


def _turn_to(context: Context, message: QueuedMessage | Message) -> bool:
    """Leave the edit of another message; if this one is edited already, return False."""
    if is_same(context.editor.message, message):
        context.screen.composer.focus()
        return False
    leave_edit(context)
    return True


def _open(context: Context, message: QueuedMessage | Message, text: str) -> None:
    """Open a message in the composer with `text`, and count what its edit drops."""
    editor, view = context.editor, context.session.view
    editor.open(message, text)

    def count(counted: Counted) -> None:
        if editor.message is message:
            editor.counted = counted
            context.changed()

    if isinstance(message, Message) and view.messages and dropped_by(view, message.id).at_least:
        context.session.requests.count_after(view, message.id, view.messages[-1].id, count)


def save_edit(
    context: Context, editing: QueuedMessage | Message, text: str, *, send_now: bool = False
) -> None:
    """Save the edited message: a queued one in place, an earlier one as the start of a new turn.

    With `send_now`, a queued message is then answered next, and the turn is interrupted for it.
    If it cannot be saved, the text is not lost: it is edited again, or kept with the chat's draft.
    """
    view = context.session.view
    if not text.strip():
        context.notices.say(f"An empty message cannot be {_emptied(editing)}", "warning")
    elif is_gone(view, editing):
        context.editor.end()
        words = "The message that you edited is gone. Nothing was sent"
        if text != text_of(editing):
            context.drafts.keep_for(context.session.current, text)
            words += ": your text is in the composer"
        context.notices.say(f"{words}.", "warning")
    elif isinstance(editing, QueuedMessage):
        _put_back(context, editing, text, send_now=send_now)
    elif not refused(context, "edit", view):
        done, failed = _begin_saving(context, editing, text)
        context.session.requests.edit_message(view, editing.id, text, done, failed)
        context.screen.transcript.viewport.follow()


def _put_back(context: Context, queued: QueuedMessage, text: str, *, send_now: bool) -> None:
    view, requests = context.session.view, context.session.requests
    now = next((one for one in view.queue if one.id == queued.id), queued)

    def saved() -> None:
        if send_now:
            requests.promote(view, now)

    if text in {queued.content, now.content}:
        context.editor.end()
        saved()
        return
    done, failed = _begin_saving(context, queued, text, saved)
    requests.edit_queued(view, now, text, done, failed)


def _begin_saving(
    context: Context,
    editing: QueuedMessage | Message,
    text: str,
    then: Callable[[], None] = lambda: None,
) -> tuple[Callable[[], None], Callable[[], None]]:
    """End the edit. Return the functions to call when it was saved, and when that has failed."""
    name, drafts = context.session.current, context.drafts
    context.editor.end()
    drafts.begin_saving(name, text)
    place = context.place

    def done() -> None:
        drafts.end_saving(name, text)
        then()

    def failed() -> None:
        _not_saved(context, name, editing, text, place)
        drafts.end_saving(name, text)

    return done, failed


def _emptied(editing: QueuedMessage | Message) -> str:
    leaves = f"{key_of('chat.escape')} leaves it as it was"
    if isinstance(editing, Message):
        return f"sent. {leaves}."
    in_queue = f"{key_of('queue.focus')} {key_of('queue.remove')}"
    return f"put back. {leaves}; {in_queue} removes it from the queue."


def _not_saved(
    context: Context, name: str, editing: QueuedMessage | Message, text: str, place: UserPlace
) -> None:
    """Go on with an edit that was not saved, or keep its text if that would disturb the user.

    `place` is where the user was when it was sent. Once they have gone on, to another part or with
    other words, the next keys are not meant for the edit.
    """
    session = context.session
    here = session.current == name
    undisturbed = context.editor.message is None and context.place == place
    if undisturbed and not is_gone(session.view, editing):
        _open(context, editing, text)
        return
    context.drafts.keep_for(name, text)
    view = session.views.get(name)
    title = "" if view is None else view.title
    where = "kept with your draft" if here else f"kept in the draft of {quoted(title)}"
    context.notices.say(f"The edit was not saved. What you wrote is {where}.", "warning")
    session.chat_pages.find_lost()  # if the chat is deleted, its draft moves to a new one


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
    if is_gone(context.session.view, editing):
        words = f"{key_of('app.undo')} brings back what you wrote."
    context.undo.offer(partial(_edit_again, context, name, editing, aside), words)


def _edit_again(
    context: Context,
    name: str,
    editing: QueuedMessage | Message,
    aside: TextAside,
    _failed: Failed,
) -> None:
    """Continue an edit that was left; if the message is gone, add the text to the draft."""
    context.aside.remove(name, aside)
    here = show_again(context, name)
    if here == name and not is_gone(context.session.view, editing):
        leave_edit(context)
        _open(context, editing, aside.text)
    else:
        context.drafts.keep_for(here, aside.text)
