"""What Esc would close: a table of the parts that can be open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from palaver_tui.context.context import Context
from palaver_tui.state.escape import LAYERS, Open


def _selects(context: Context) -> bool:
    transcript = context.screen.made_transcript
    return transcript is not None and transcript.selection.active


# For each part that Esc closes: whether it is open, and the footer's label for closing it.
OPEN: Final[Mapping[Open, tuple[Callable[[Context], bool], str]]] = {
    "dialog": (lambda context: context.dialogs.is_open, "close"),
    "commands": (
        lambda context: context.screen.commands.display and context.screen.composer.has_focus,
        "clear",
    ),
    "search": (lambda context: context.screen.search_bar.display, "end search"),
    "selection": (_selects, "unselect"),
    "filter": (lambda context: context.list_filter.text is not None, "clear filter"),
    "archived": (
        lambda context: context.list_filter.archived and context.screen.chat_list.has_focus,
        "other chats",
    ),
    "question": (lambda context: context.screen.question.has_focus, "leave the question"),
    "queue": (lambda context: context.screen.queue.has_focus, "leave the queue"),
    "edit": (lambda context: context.editor.message is not None, "leave it as it was"),
    "overlay": (lambda context: context.screen.list_is_over, "close list"),
}


def open_things(context: Context) -> frozenset[Open]:
    """Return the open parts that Esc could close."""
    return frozenset(thing for thing, (is_open, _) in OPEN.items() if is_open(context))


def closing_words(context: Context) -> str | None:
    """Return the footer's label for Esc; None if nothing is open."""
    return next((OPEN[thing][1] for thing in LAYERS if OPEN[thing][0](context)), None)
