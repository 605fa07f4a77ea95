"""Actions of the list of chats: moving in it, filtering it, showing archived chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.context.context import Context, Run
from palaver_tui.state.chat_list import rows


def go_to_list(context: Context) -> None:
    """Focus the list; if it has the focus, the composer."""
    screen = context.screen
    if screen.chat_list.has_focus:
        screen.close_list()
        screen.composer.focus()
    else:
        screen.open_list()


def step(context: Context, steps: int) -> None:
    """Show the chat that is `steps` rows below the current one."""
    # The session's current chat may not be on the screen yet: several keys may precede a paint.
    session = context.session
    chat_id = context.screen.chat_list.neighbour(session.view.chat_id, steps)
    if chat_id is not None:
        session.open(chat_id)


def begin_filter(context: Context) -> None:
    """Focus the list, and start filtering it by what is typed."""
    context.screen.open_list()
    context.list_filter.begin()


def open_shown(context: Context) -> None:
    """Focus the composer; open the first match if the filter excludes the current chat."""
    # By the text that was typed, also if it was not painted yet.
    session, screen = context.session, context.screen
    typed = screen.chat_list.filter_text
    archived = context.list_filter.archived
    found = [row.chat.id for row in rows(session.chats, typed or "", archived=archived)]
    if typed and found and session.view.chat_id not in found:
        session.open(found[0])
    context.list_filter.end()
    screen.close_list()
    screen.composer.focus()


def show_archived(context: Context) -> None:
    """Switch the list between archived chats and the others."""
    chosen = context.list_filter
    chosen.archived = not chosen.archived
    chosen.end()
    if chosen.archived:
        context.session.chat_pages.retry_missed()
        context.session.chat_pages.more(archived=True)
    context.screen.open_list()


FUNCTIONS: Final[Mapping[str, Run]] = {
    "chats.toggle": go_to_list,
    "chats.up": lambda context: step(context, -1),
    "chats.down": lambda context: step(context, 1),
    "chats.first": lambda context: step(context, -len(context.screen.chat_list.rows)),
    "chats.last": lambda context: step(context, len(context.screen.chat_list.rows)),
    "chats.filter": begin_filter,
    "chats.open": open_shown,
    "chats.archived": show_archived,
}
