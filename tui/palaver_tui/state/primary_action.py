"""The primary action, which Enter in an empty composer does: the one that helps now. Pure."""

from __future__ import annotations

from typing import Literal

from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection
from palaver_tui.state.first_run import FirstRun, Help
from palaver_tui.state.questions import question

Primary = (
    Literal[
        "app.reconnect",
        "chat.unarchive",
        "question.focus",
        "retry.now",
        "error.retry",
        "queue.release",
        "queue.head",
    ]
    | Help
)
# Failures that a retry alone repeats; the banner says what to change.
HOPELESS = frozenset({"context_overflow", "content_filter"})

LABELS: dict[Primary, str] = {
    "app.reconnect": "try again",
    "chat.unarchive": "bring it back",
    "question.focus": "choose an answer",
    "retry.now": "now",
    "error.retry": "try again",
    "queue.release": "release the queue",
    "queue.head": "stop, and send the next one",
    "setup.restart": "start the daemon anew with the key",
    "setup.local": "use this machine's model server",
}


def primary(
    view: ChatView,
    connection: Connection,
    setup: FirstRun | None = None,
    *,
    archived: bool = False,
) -> Primary | None:
    """Return the first action offered by the banner, the queue, or an empty chat without a model.

    Args:
        setup: what is missing to use a model, None if one can be used.
    """
    if connection.phase == "offline":
        return "app.reconnect"
    if archived:
        return "chat.unarchive"
    if (asked := question(view)) is not None:
        return "question.focus" if asked.options else None
    if view.status == "running" and view.retry is not None:
        return "retry.now"
    if view.status == "error" and view.error is not None:
        if setup is not None and setup.help is not None:
            return setup.help  # until that is done, a retry would fail again
        return None if view.error.kind in HOPELESS else "error.retry"
    if view.queue:
        return "queue.release" if view.held or view.status == "paused" else "queue.head"
    if setup is not None and view.chat_id is None and not view.outgoing:
        return setup.help
    return None
