"""Actions of the composer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver.wire.protocol import STEERING
from palaver_tui.actions.edits import save_edit
from palaver_tui.actions.questions import answer_in_words
from palaver_tui.actions.recovery import do_what_helps
from palaver_tui.actions.slash_commands import run_command
from palaver_tui.actions.wording import TWICE, lacks, refused
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import key_of


def send(context: Context, *, interrupt: bool = False, steer: bool = False) -> None:
    """Send the composer's message, save the edit or run the command; if empty, do what is offered.

    With `interrupt`, the current turn is interrupted for the message, or for the queued one that is
    edited. With `steer`, the model of the current turn gets the message.
    """
    if context.enter.came_twice:
        _say_twice(context)  # the composer has not changed, or has a draft that was not looked at
        return
    composer, editing = context.screen.composer, context.editor.message
    if context.drafts.is_unseen:  # the key was for the chat that is deleted
        context.notices.say("Nothing was sent: the chat that you wrote to was deleted.", "warning")
        return
    if steer and editing is not None:
        words = (
            f"{key_of('composer.send')} puts the message back, {key_of('chat.escape')} leaves it."
        )
        context.notices.say(f"Nothing was sent: a message is being edited. {words}", "warning")
        return
    if editing is not None:
        save_edit(context, editing, composer.text, send_now=interrupt)
        return
    if not composer.text.strip():
        if interrupt or steer:
            context.notices.say("There is nothing to send: nothing is written.")
        elif not composer.text:
            do_what_helps(context)
        return
    if run_command(context):
        return
    if steer and lacks(context, STEERING, "messages that steer"):
        return
    if refused(context, "send", context.session.view):
        return
    if not (interrupt or steer) and answer_in_words(context):
        return
    text = composer.take()
    context.drafts.note()  # the message has the words from now on
    context.session.send(text, interrupt=interrupt, steer=steer)
    context.screen.transcript.viewport.follow()


def _say_twice(context: Context) -> None:
    """Say why a second Enter did nothing, if there was something for it to do."""
    if context.screen.composer.text.strip() or context.session.primary is not None:
        context.notices.withdraw(TWICE)  # one is enough while the key is held down
        context.notices.say(TWICE, "warning")


FUNCTIONS: Final[Mapping[str, Run]] = {
    "composer.send": send,
    "composer.interrupt": lambda context: send(context, interrupt=True),
    "composer.steer": lambda context: send(context, steer=True),
    "composer.newline": lambda context: context.screen.composer.newline(),
}
