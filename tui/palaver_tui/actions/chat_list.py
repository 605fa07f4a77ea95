"""Actions of the list of chats: moving in it, filtering it, showing archived chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.actions.found_message import go_to_message
from palaver_tui.context.context import Context, Run
from palaver_tui.state.chat_list import Row, rows
from palaver_tui.state.found_messages import found_rows


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
    row = context.screen.chat_list.row_beside(context.session.view.chat_id, steps)
    if row is not None:
        show_row(context, row)


def show_row(context: Context, row: Row) -> None:
    """Show the chat of a row: at the message that was found, if that is why it is listed."""
    context.session.open(row.chat.id)
    hit = row.hit
    if hit is not None and hit.message_id is not None:
        words = [span.text for span in hit.snippet if span.match]
        go_to_message(context, hit.message_id, words)


def begin_filter(context: Context) -> None:
    """Focus the list, and start filtering it by what is typed."""
    context.screen.open_list()
    context.list_filter.begin()


def open_shown(context: Context) -> None:
    """Focus the composer; open the first match if the filter excludes the current chat.

    What was found in messages is shown there, with the focus in the conversation.
    """
    # By the text that was typed, also if it was not painted yet.
    session, screen = context.session, context.screen
    typed, archived = screen.chat_list.filter_text, context.list_filter.archived
    chosen = None
    if typed:
        context.list_filter.follow()  # an answer to what was typed before is none to this
        titles = rows(session.chats, typed, archived=archived)
        found = [*titles, *found_rows(session.chats, session.list_search.found, titles)]
        if not found and session.list_search.waits:
            session.list_search.hurry()
            return
        here = (row for row in found if row.chat.id == session.view.chat_id)
        chosen = next(here, found[0] if found else None)
    context.list_filter.end()
    if chosen is not None:
        show_row(context, chosen)
    screen.close_list()
    if chosen is None or chosen.hit is None or chosen.hit.message_id is None:
        screen.composer.focus()
    else:
        context.paint()  # an empty chat that was shown has no conversation to focus
        screen.transcript.focus()


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
