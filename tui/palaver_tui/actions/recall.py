"""Up and down in the composer: taking back waiting messages, and recalling earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final

from palaver_tui.actions.edits import begin_edit
from palaver_tui.actions.slash_commands import move_pick
from palaver_tui.context.context import Context, Run
from palaver_tui.state.reduce import user_text

MAY_HAVE_ARRIVED: Final = (
    "Your message may have arrived, so it cannot be taken back. It is sent again when the"
    " connection is back, and appears once."
)


def _history(context: Context) -> list[str]:
    """Return the user's messages and removed texts of this chat, oldest first.

    Equal texts in a row are returned once.
    """
    session = context.session
    said = [(one.created_at, user_text(one)) for one in session.view.messages if one.role == "user"]
    aside = [(one.at, one.text) for one in context.aside.of(session.current)]
    texts = (text for _, text in sorted([*said, *aside], key=itemgetter(0)))
    return [text for text, _ in groupby(texts) if text]


def _is_recalled(context: Context) -> bool:
    """Return whether the composer has an unchanged message of the history."""
    history, back = _history(context), context.recalled
    return 0 < back <= len(history) and context.screen.composer.text == history[-back]


def recall(context: Context) -> None:
    """Take back a waiting message, or else show the previous message of the history.

    Only if the composer is empty or shows a message of the history: a draft is never replaced.
    Otherwise move the cursor up, or the pick in the list of commands.
    """
    if move_pick(context, -1):
        return
    composer = context.screen.composer
    recalled = _is_recalled(context)
    at_top = not composer.text or (recalled and composer.cursor_location[0] == 0)
    if not at_top or context.editor.message is not None:
        composer.action_cursor_up()
    elif not recalled and _take_back(context):
        context.recalled = 0
    else:
        _show(context, (context.recalled if recalled else 0) + 1)


def go_on(context: Context) -> None:
    """Show the next message if the composer shows one of the history; else move the cursor down.

    If commands are listed, move the pick.
    """
    if move_pick(context, 1):
        return
    composer = context.screen.composer
    last_row = composer.document.line_count - 1
    if _is_recalled(context) and composer.cursor_location[0] == last_row:
        _show(context, context.recalled - 1)
    else:
        composer.action_cursor_down()


def _show(context: Context, back: int) -> None:
    """Put the message that is `back` messages back into the composer; 0 empties it."""
    history = _history(context)
    if back <= len(history):
        context.recalled = back
        context.screen.composer.put(history[-back] if back else "")


def _take_back(context: Context) -> bool:
    """Return an unsent message to the composer, or edit the last queued one; False if none.

    One that may have arrived stays where it is: with a new key it could be said twice.
    """
    session = context.session
    outgoing = session.view.outgoing
    for item in reversed(outgoing):
        if item.can_be_taken_back:
            context.screen.composer.put(session.outbox.take_back(session.current, item.key))
            context.drafts.note()  # the message leaves the disk when the draft is saved
            return True
    if any(item.state == "waiting" for item in outgoing):
        context.notices.say(MAY_HAVE_ARRIVED, "warning")
        return True
    if session.view.queue:
        begin_edit(context, session.view.queue[-1])
        return True
    return False


FUNCTIONS: Final[Mapping[str, Run]] = {
    "composer.recall": recall,
    "composer.newer": go_on,
}
