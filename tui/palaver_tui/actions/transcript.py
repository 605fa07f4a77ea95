"""Actions that scroll the conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.context.context import Context, Run


def go_to_end(context: Context) -> None:
    """Show the newest text and follow it."""
    context.session.message_pages.keep_newest()
    context.screen.transcript.viewport.follow()


def focus(context: Context) -> None:
    """Focus the conversation."""
    context.screen.transcript.focus()


def show_reasoning(context: Context) -> None:
    """Show or hide the model's reasoning."""
    transcript = context.screen.transcript
    shown = "reasoning" in transcript.viewport.folds.open_kinds
    transcript.viewport.set_folds(transcript.viewport.folds.with_kind("reasoning", not shown))


def move(context: Context, lines: int) -> None:
    """Scroll by `lines`; with a text cursor, move it instead."""
    transcript = context.screen.transcript
    if transcript.selection.by_keys:
        transcript.selection.move(lines=lines)
    else:
        transcript.viewport.move(lines)


def page(context: Context, pages: int) -> None:
    """Scroll by `pages`, or move the text cursor; two lines of the last page stay visible."""
    move(context, pages * max(1, context.screen.transcript.size.height - 2))


FUNCTIONS: Final[Mapping[str, Run]] = {
    "view.end": go_to_end,
    "transcript.end": go_to_end,
    "view.transcript": focus,
    "view.reasoning": show_reasoning,
    "transcript.up": lambda context: move(context, -1),
    "transcript.down": lambda context: move(context, 1),
    "transcript.page_up": lambda context: page(context, -1),
    "transcript.page_down": lambda context: page(context, 1),
    "composer.page_up": lambda context: page(context, -1),
    "composer.page_down": lambda context: page(context, 1),
    "transcript.home": lambda context: context.screen.transcript.viewport.to_start(),
}
