"""Which actions are possible now: a table with the condition of each need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from palaver_tui.context.context import Context
from palaver_tui.keymap.actions import Action, Need
from palaver_tui.state.first_run import usable
from palaver_tui.state.live import STOPPABLE
from palaver_tui.state.questions import question


def _queues(context: Context) -> bool:
    view = context.session.view
    return bool(view.queue) or any(item.landing == "queue" for item in view.outgoing)


def _present(context: Context) -> bool:
    return not context.session.is_draft and not context.session.is_archived


def _pinned(context: Context) -> bool:
    chat = context.session.chats.chats.get(context.session.view.chat_id or "")
    return chat is not None and chat.pin_order is not None


NEEDS: Mapping[Need, Callable[[Context], bool]] = {
    "always": lambda _: True,
    "stoppable": lambda context: context.session.now.state in STOPPABLE,
    "asked": lambda context: question(context.session.view) is not None,
    "failed": lambda context: context.session.view.error is not None,
    "retrying": lambda context: context.session.now.state == "retrying",
    "queue": _queues,
    "chat": lambda context: not context.session.is_draft,
    "present": _present,
    "pinned": _pinned,
    "archived": lambda context: context.session.is_archived,
    "said": lambda context: bool(context.session.view.messages),
    "models": lambda context: usable(context.session.models),
    "setup.restart": lambda context: context.session.setup.offers("setup.restart"),
    "setup.local": lambda context: context.session.setup.offers("setup.local"),
    "offline": lambda context: context.session.connection.phase == "offline",
    "searching": lambda context: context.screen.is_searching,
    "servers": lambda context: context.servers is not None,
    "error": lambda context: bool(context.errors.log),
}


def offers(context: Context, action: Action) -> bool:
    """Return whether `action` is possible now."""
    return NEEDS[action.need](context)
