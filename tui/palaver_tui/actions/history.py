"""Actions on the history: edit a message, fork from one, clear the model's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver.wire.chats import Chat
from palaver_tui.actions.current_message import meant_message, own_message
from palaver_tui.actions.edits import begin_rewriting, leave_edit
from palaver_tui.actions.wording import quoted, refused
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import key_of
from palaver_tui.widgets.dialogs.confirmation import ConfirmScreen


def edit(context: Context) -> None:
    """Open the user's message at the current position in the composer."""
    if refused(context, "edit", context.session.view):
        return
    message = own_message(context)
    if message is None:
        keys = f"{key_of('transcript.previous_own')} and {key_of('transcript.next_own')}"
        words = f"There is no message of yours here. {keys} go to those that you wrote."
        context.notices.say(words)
        return
    begin_rewriting(context, message)


def fork(context: Context) -> None:
    """Create a chat with the history up to the meant message, and show it.

    If the user has gone on to something else by then, a notice says where it is.
    """
    message = meant_message(context)
    if message is None:
        context.notices.say("There is nothing to fork yet.")
        return

    place = context.place

    def done(chat: Chat) -> None:
        if context.place != place:
            list_key = key_of("chats.toggle")
            context.notices.say(f"{quoted(chat.title)} is made. {list_key} goes to the chats.")
            return
        leave_edit(context)
        context.session.open(chat.id)
        context.screen.composer.focus()
        context.notices.say(f"You are in {quoted(chat.title)} now. The other chat is as it was.")

    context.session.requests.fork(context.session.view, message.id, done)


def clear(context: Context) -> None:
    """Clear the model's context, after a confirmation."""
    session = context.session
    if not session.view.messages:
        context.notices.say("Nothing was said yet.")
        return
    if refused(context, "clear", session.view):
        return

    def answered(name: str, yes: bool) -> None:
        view = session.views[name]
        if yes and not refused(context, "clear", view):
            session.requests.clear(view)

    lines = [
        quoted(session.view.title),
        "The model will see nothing of what was said so far.",
        "You still do.",
    ]
    screen = ConfirmScreen("Let the model forget?", lines, "Keep it", "Let it forget")
    context.dialogs.ask(screen, answered)


FUNCTIONS: Final[Mapping[str, Run]] = {
    "transcript.edit": edit,
    "transcript.fork": fork,
    "chat.clear": clear,
}
