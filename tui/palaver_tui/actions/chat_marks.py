"""Actions on the labels and the pin of the current chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver.wire.protocol import CHAT_MARKS
from palaver_tui.actions.wording import lacks
from palaver_tui.context.context import Context, Run
from palaver_tui.state.chat_list import pin_place
from palaver_tui.widgets.dialogs.labels import LabelsScreen


def _can(context: Context) -> bool:
    """Return whether the daemon can change labels and pins; if not, show a notice."""
    return not lacks(context, CHAT_MARKS, "labels and pins")


def label(context: Context) -> None:
    """Open the dialog for the labels of the current chat."""
    session = context.session
    chat = session.chats.chats.get(session.view.chat_id or "")
    if chat is None or not _can(context):
        return

    def labelled(name: str, changes: dict[str, str | None]) -> None:
        chat_id = session.views[name].chat_id
        if chat_id is not None and changes:
            session.requests.label(chat_id, changes)

    context.dialogs.ask(LabelsScreen(chat.labels), labelled)


def pin(context: Context) -> None:
    """Pin the current chat at the top, or unpin it."""
    session = context.session
    chat = session.chats.chats.get(session.view.chat_id or "")
    if chat is not None and _can(context):
        session.requests.pin(chat.id, 0 if chat.pin_order is None else None)


def move(context: Context, steps: int) -> None:
    """Move the current chat, which is pinned, down by `steps` among the pinned ones."""
    session = context.session
    chat_id = session.view.chat_id or ""
    before = pin_place(session.chats, chat_id, 0)
    place = pin_place(session.chats, chat_id, steps)
    if place is not None and place != before:
        session.requests.pin(chat_id, place)


FUNCTIONS: Final[Mapping[str, Run]] = {
    "chat.label": label,
    "chat.pin": pin,
    "chat.raise": lambda context: move(context, -1),
    "chat.lower": lambda context: move(context, 1),
}
