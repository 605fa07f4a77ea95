"""Painting the whole screen."""

from __future__ import annotations

from palaver_tui.actions.closing import closing_words
from palaver_tui.actions.questions import offer
from palaver_tui.actions.search import search_words
from palaver_tui.context.context import Context
from palaver_tui.screen.painter import ListSelection
from palaver_tui.state.questions import question


def paint(context: Context) -> None:
    """Update every part of the screen from the context."""
    session, screen, chosen = context.session, context.screen, context.list_filter
    closes = closing_words(context)
    asked = question(session.view)
    context.answering.show(session.current, asked.call_id if asked is not None else None)
    _let_go(context)
    if chosen.archived and not screen.chat_list.has_focus and not session.is_archived:
        chosen.archived = False
    context.painter.paint(
        closes,
        context.editor.message,
        context.editor.dropped(session.view),
        ListSelection(chosen.text, chosen.archived, context.drafts.stored.chats),
        context.answering.sent,
    )
    context.offered = session.current, session.primary
    context.drafts.is_unseen = False
    offer(context)
    if screen.search_bar.display:
        screen.search_bar.show(search_words(context))


def _let_go(context: Context) -> None:
    """Discard the messages that are far from the view."""
    transcript, pages = context.screen.made_transcript, context.session.message_pages
    if transcript is None or transcript.viewport.name != context.session.current:
        return
    if transcript.viewport.following:
        pages.keep_newest()
    elif (ids := transcript.viewport.ids()) is not None:
        pages.trim(*ids)
