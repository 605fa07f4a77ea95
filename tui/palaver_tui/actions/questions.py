"""Actions of a question that the model asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver.wire.questions import OpenCall
from palaver_tui.actions.wording import TWICE
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.questions import question

TOO_SOON = "Nothing was answered: the question has only just appeared. Press the key again."
CAME_UP = (
    f"A question came up while you wrote. {key_of('composer.send')} once more answers it with these"
    f" words; {key_of('composer.interrupt')} sends them as a message."
)
IS_GONE = (
    f"The question is not open any more. {key_of('composer.send')} once more sends these words as a"
    " message."
)


def focus(context: Context) -> None:
    """Go to the question, or to the composer if it has no options."""
    screen = context.screen
    (screen.question if screen.question.can_focus else screen.composer).focus()


def offer(context: Context) -> None:
    """Give the keys to a question that may be answered now, if the person does nothing else."""
    screen = context.screen
    if not context.answering.becomes_ready() or context.dialogs.is_open:
        return
    if screen.question.can_focus and screen.composer.has_focus and not screen.composer.text:
        screen.question.focus()


def choose(context: Context) -> None:
    """Answer with the selected option."""
    panel = context.screen.question
    if context.enter.came_twice:
        context.notices.say(TWICE, "warning")
    elif panel.options:
        _choose(context, panel.selected)


def choose_number(context: Context) -> None:
    """Answer with the option of the number that was pressed; other numbers are written."""
    panel = context.screen.question
    if panel.number <= len(panel.options):
        panel.select_number(panel.number)
        _choose(context, panel.number - 1)
    else:
        context.screen.composer.insert(str(panel.number))
        context.screen.composer.focus()


def _choose(context: Context, index: int) -> None:
    session = context.session
    asked = question(session.view)
    if asked is None or not context.answering.shows(session.current, asked.call_id):
        context.notices.say("Nothing was answered: that question is not open any more.", "warning")
    elif not context.answering.ready:
        context.notices.say(TOO_SOON, "warning")
    else:
        _send(context, asked, asked.options[index], keep=False)


def answer_in_words(context: Context) -> bool:
    """Answer the open question with the composer's text; return False if it is a message.

    True also if nothing is sent, as the words were begun for something else: a notice says so.
    """
    session, answering = context.session, context.answering
    asked = question(session.view)
    call_id = asked.call_id if asked is not None else None
    if not answering.are_for(session.current, call_id):
        answering.use_for(session.current, call_id)
        context.notices.say(IS_GONE if asked is None else CAME_UP, "warning")
        return True
    if asked is None:
        return False
    if not answering.ready or not answering.shows(session.current, asked.call_id):
        context.notices.say(TOO_SOON, "warning")
        return True
    if answering.sent == asked.call_id:
        context.notices.say("The answer is on its way.", "warning")
        return True
    text = context.screen.composer.take()
    context.drafts.note()
    _send(context, asked, text, keep=True)
    return True


def _send(context: Context, asked: OpenCall, text: str, *, keep: bool) -> None:
    """Send an answer. With `keep`, words that did not become the answer are kept as a draft."""
    session, answering = context.session, context.answering
    if answering.sent == asked.call_id:
        return  # the first one counts
    name = session.current
    answering.sent = asked.call_id

    def failed() -> None:
        if answering.sent == asked.call_id:
            answering.sent = None
        if keep:
            context.drafts.keep_for(name, text)
        context.changed()

    session.requests.answer(session.view, asked.call_id, text, failed)
    context.screen.composer.focus()
    context.screen.transcript.viewport.follow()


FUNCTIONS: Final[Mapping[str, Run]] = {
    "question.focus": focus,
    "question.up": lambda context: context.screen.question.select(-1),
    "question.down": lambda context: context.screen.question.select(1),
    "question.choose": choose,
    "question.number": choose_number,
}
