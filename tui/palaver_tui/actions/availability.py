"""Which actions make sense now: a table of what each need of an action asks of the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from palaver_tui.keymap.actions import Need
from palaver_tui.session.session import Session
from palaver_tui.state.first_run import usable
from palaver_tui.state.live import STOPPABLE


def _queues(session: Session) -> bool:
    view = session.view
    return bool(view.queue) or any(item.landing == "queue" for item in view.outgoing)


# `searching` and `error` are the application's to know; `always` asks for nothing.
NEEDS: Mapping[Need, Callable[[Session], bool]] = {
    "stoppable": lambda session: session.now.state in STOPPABLE,
    "failed": lambda session: session.view.error is not None,
    "retrying": lambda session: session.now.state == "retrying",
    "queue": _queues,
    "chat": lambda session: not session.is_draft,
    "present": lambda session: not session.is_draft and not session.is_archived,
    "archived": lambda session: session.is_archived,
    "said": lambda session: bool(session.view.messages),
    "models": lambda session: usable(session.models),
    "setup.restart": lambda session: session.setup.offers("setup.restart"),
    "setup.local": lambda session: session.setup.offers("setup.local"),
    "offline": lambda session: session.connection.phase == "offline",
}
