"""The action of Esc: close the topmost open part, or stop the turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from palaver_tui.actions.closing import open_things
from palaver_tui.actions.edits import leave_edit
from palaver_tui.actions.search import end_search
from palaver_tui.actions.slash_commands import end_command
from palaver_tui.context.context import Context, Run
from palaver_tui.state.escape import Escape, escape


def _focus_composer(context: Context) -> None:
    context.screen.composer.focus()


def _end_archived(context: Context) -> None:
    context.list_filter.archived = False


DOES: Final[Mapping[Escape, Run]] = {
    "close_dialog": lambda context: context.dialogs.close(),
    "close_commands": end_command,
    "close_search": end_search,
    "clear_selection": lambda context: context.screen.transcript.selection.clear(),
    "clear_filter": lambda context: context.list_filter.end(),
    "close_archived": _end_archived,
    "close_question": _focus_composer,
    "close_queue": _focus_composer,
    "close_edit": leave_edit,
    "close_overlay": lambda context: context.screen.close_list(),
    "stop": lambda context: context.session.requests.stop(context.session.view),
    "say_stopping": lambda context: context.notices.say("Already stopping."),
    "say_offline": lambda context: context.notices.say(
        "Without a connection nothing can be stopped.", "warning"
    ),
    "focus_composer": _focus_composer,
}


def close_or_stop(context: Context) -> None:
    """Close the topmost open part; if nothing is open, stop the turn."""
    DOES[escape(open_things(context), context.session.now.state)](context)


FUNCTIONS: Final[Mapping[str, Run]] = {"chat.escape": close_or_stop}
