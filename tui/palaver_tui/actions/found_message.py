"""Going to a message that was found by the filter of the list."""

from __future__ import annotations

from collections.abc import Sequence

from palaver_tui.context.context import Context
from palaver_tui.session.visit import Outcome

GONE = "The message that was found is gone: the chat was changed since."
NOT_SHOWN = "The message that was found is not shown in the conversation."


def go_to_message(context: Context, message_id: int, words: Sequence[str]) -> None:
    """Show a message of the current chat, with `words` of it marked until the next move.

    Nothing moves if the user has scrolled when it arrives, or shows another chat.
    """
    session, transcript = context.session, context.screen.transcript
    viewport = transcript.viewport
    scrolls = viewport.scrolls

    def told(outcome: Outcome) -> None:
        if outcome == "gone":
            context.notices.say(GONE, "warning")
            return
        if viewport.scrolls != scrolls:
            return
        if viewport.name == session.current:
            viewport.stay()  # else what was fetched would be discarded
        context.paint()  # turns to the chat, to its end
        viewport.stay()
        if not transcript.landing.land(message_id, words):
            context.notices.say(NOT_SHOWN, "warning")
        if session.view.gap is not None:
            viewport.stay()  # also where all fits into the view: what is before the gap would go
        context.changed()

    session.visits.begin(message_id, told)
