"""Actions of the text cursor in the conversation, and of its selection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.context.context import Context, Run
from palaver_tui.transcript.selection import Selection


def select(context: Context) -> None:
    """Show the cursor; if it is shown, start or end selecting."""
    transcript = context.screen.transcript
    transcript.focus()
    if not transcript.selection.by_keys:
        line = transcript.target_cursor.line if transcript.target_cursor.in_view() else None
        transcript.selection.begin(transcript.scroll_offset.y if line is None else line)
        transcript.target_cursor.point(None)
    else:
        transcript.selection.toggle()


def _cursor(context: Context, *, extend: bool = False) -> Selection:
    selection = context.screen.transcript.selection
    if not selection.by_keys:
        select(context)
    if extend:
        selection.extend()
    return selection


FUNCTIONS: Final[Mapping[str, Run]] = {
    "transcript.select": select,
    "transcript.left": lambda context: _cursor(context).move(characters=-1),
    "transcript.right": lambda context: _cursor(context).move(characters=1),
    "transcript.word_left": lambda context: _cursor(context).word(-1),
    "transcript.word_right": lambda context: _cursor(context).word(1),
    "transcript.line_start": lambda context: _cursor(context).line_end(last=False),
    "transcript.line_end": lambda context: _cursor(context).line_end(last=True),
    "transcript.select_up": lambda context: _cursor(context, extend=True).move(lines=-1),
    "transcript.select_down": lambda context: _cursor(context, extend=True).move(lines=1),
    "transcript.select_left": lambda context: _cursor(context, extend=True).move(characters=-1),
    "transcript.select_right": lambda context: _cursor(context, extend=True).move(characters=1),
}
