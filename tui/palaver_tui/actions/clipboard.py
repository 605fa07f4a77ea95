"""Actions that copy text to the clipboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.actions.current_message import message_here
from palaver_tui.context.context import Context, Run
from palaver_tui.state.reduce import user_text
from palaver_tui.transcript.positions import Form
from palaver_tui.transcript.targets import Target, copied


def copy(context: Context) -> None:
    """Copy the selection with its Markdown; without one, the current target or the last answer."""
    _copy(context, "source")


def copy_plain(context: Context) -> None:
    """Copy the selection as it is displayed, without Markdown; without one, like `copy`."""
    _copy(context, "plain")


def _copy(context: Context, form: Form) -> None:
    transcript = context.screen.transcript
    selection, cursor = transcript.selection, transcript.target_cursor
    if selection.some:
        copy_text(context, selection.text(form), "the selection")
        selection.clear()
    elif cursor.target is not None and cursor.in_view():
        copy_target(context, cursor.target)
    elif answer := context.session.last_answer():
        copy_text(context, answer, "the last answer")
    else:
        context.notices.say("There is nothing to copy yet.")


def copy_target(context: Context, target: Target) -> None:
    """Copy a target: code, an address, the folded content, or a message."""
    if target.kind == "message":
        copy_message(context)
        return
    words = {"link": "the address", "code": "the code"}.get(target.kind, "what is folded here")
    copy_text(context, copied(context.screen.transcript.viewport.column, target), words)


def copy_message(context: Context) -> None:
    """Copy the whole message at the target, or else the first one in view, with its Markdown."""
    message = message_here(context)
    if message is not None and (text := user_text(message)):
        copy_text(context, text, "the message")
    else:
        context.notices.say("There is no text in this message.")


def copy_text(context: Context, text: str, what: str) -> None:
    """Copy a text, and show a notice of what was copied, `what`, and how."""
    if not text:
        context.notices.say("There is no text to copy here.")
        return
    lines = text.count("\n") + 1
    if lines > 1:
        what += f" ({lines} lines)"
    context.app.run_worker(_copied(context, text, what))


async def _copied(context: Context, text: str, what: str) -> None:
    try:
        done = await context.clipboard.copy(text)
    except OSError as error:
        context.notices.say(f"Could not copy {what}: {error}.", "error")
        return
    context.notices.say(done.words(what))


FUNCTIONS: Final[Mapping[str, Run]] = {
    "transcript.copy": copy,
    "transcript.copy_plain": copy_plain,
    "transcript.copy_message": copy_message,
}
