"""Actions that help if there is no answer: retry, reconnect, set up, choose another model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.actions.chats import unarchive
from palaver_tui.actions.questions import focus as focus_question
from palaver_tui.context.context import Context, Run
from palaver_tui.state.banner import retry_time
from palaver_tui.state.primary_action import Primary
from palaver_tui.widgets.dialogs.models import model_picker


def retry_failed(context: Context) -> None:
    """Retry the failed turn, at the time that the provider named if there is one.

    If that retry is scheduled already, retry now.
    """
    session = context.session
    view = session.view
    at = retry_time(view.error, session.clock.now()) if view.error else None
    session.requests.resume(view, at if view.resume_at is None else None)


def show_detail(context: Context) -> None:
    """Show or hide the error's details from the provider."""
    context.painter.show_detail = not context.painter.show_detail


def choose_model(context: Context) -> None:
    """Open the dialog to choose the model of the current chat."""
    session = context.session
    models = session.models
    if models is None or not models.models:
        context.notices.say("The daemon has not said which models there are.", "warning")
        return

    picker = model_picker(models.models, context.painter.model_name())
    context.dialogs.ask(picker, session.choose_model)


def _promote_first(context: Context) -> None:
    view = context.session.view
    context.session.requests.promote(view, view.queue[0])


PRIMARY: Final[Mapping[Primary, Run]] = {
    "chat.unarchive": unarchive,
    "app.reconnect": lambda context: context.session.start(),
    "question.focus": focus_question,
    "retry.now": lambda context: context.session.requests.skip_backoff(context.session.view),
    "error.retry": retry_failed,
    "queue.release": lambda context: context.session.requests.release(context.session.view),
    "queue.head": _promote_first,
    "setup.restart": lambda context: context.session.setup.restart(),
    "setup.local": lambda context: context.session.setup.write_config(),
}


def do_what_helps(context: Context) -> None:
    """Run the primary action, which the banner offers first; only what the user has seen there."""
    session = context.session
    if (primary := session.primary) is None:
        return
    if context.offered != (session.current, primary):
        context.notices.say("Nothing was done: something else is offered now.", "warning")
        return
    PRIMARY[primary](context)


FUNCTIONS: Final[Mapping[str, Run]] = {
    "banner.primary": do_what_helps,
    "transcript.retry": do_what_helps,
    "model.choose": choose_model,
    "transcript.model": choose_model,
    "retry.now": PRIMARY["retry.now"],
    "error.retry": retry_failed,
    "error.detail": show_detail,
    "setup.restart": PRIMARY["setup.restart"],
    "setup.local": PRIMARY["setup.local"],
    "app.reconnect": PRIMARY["app.reconnect"],
}
