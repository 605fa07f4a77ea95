"""Actions of the client as a whole: help, palette, theme, undo, the report of errors, leaving."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from palaver_tui.actions.availability import offers
from palaver_tui.actions.clipboard import copy, copy_text
from palaver_tui.actions.servers import leaving_is_said
from palaver_tui.context.context import Context, Run
from palaver_tui.keymap.actions import BY_ID, COPY_OR_LEAVE, key_of
from palaver_tui.screen.painter import scope_of
from palaver_tui.timing import NOTICE_S
from palaver_tui.widgets.dialogs.help import HelpScreen
from palaver_tui.widgets.dialogs.palette import Palette

LEAVE_AGAIN = f"Press {key_of('app.quit')} again to leave."


def change_theme(context: Context) -> None:
    """Change to the next theme."""
    names = [palette.name for palette in context.palettes]
    index = names.index(context.app.theme) if context.app.theme in names else -1
    context.app.theme = names[(index + 1) % len(names)]


def copy_report(context: Context) -> None:
    """Copy the report of the client's own errors."""
    copy_text(context, context.errors.log.report(), "the report")


def show_help(context: Context) -> None:
    """Show all keys."""
    context.dialogs.open(HelpScreen(scope_of(context.screen.focused)))


def show_palette(context: Context) -> None:
    """Open the palette, to find an action by its name."""

    def picked(chat: str, name: str) -> None:
        # After the palette is closed: an action may open a dialog itself.
        context.app.call_later(run, chat, name)

    def run(chat: str, name: str) -> None:
        if context.session.current != context.session.called(chat):
            context.notices.say("Nothing was done: another chat is shown by now.", "warning")
        elif not offers(context, BY_ID[name]):
            context.notices.say(f"“{BY_ID[name].title}” does nothing now.", "warning")
        else:
            context.perform(name)

    context.dialogs.ask(Palette(partial(offers, context)), picked)


def leave(context: Context) -> None:
    """Leave the client; the daemon keeps running. Warn once of unsent messages."""
    if leaving_is_said(context, LEAVE_AGAIN):
        context.app.exit(0)


def copy_or_leave(context: Context) -> None:
    """Copy the selection; without one, leave on a second press within `NOTICE_S`."""
    if context.screen.transcript.selection.some:
        copy(context)
        return
    now = context.session.clock.monotonic()
    if now - context.exit_state.asked_at <= NOTICE_S:
        leave(context)
        return
    context.exit_state.asked_at = now
    stops = key_of("chat.escape")
    context.notices.say(
        f"Press {COPY_OR_LEAVE} again to leave. The daemon goes on; {stops} stops an answer."
    )


FUNCTIONS: Final[Mapping[str, Run]] = {
    "app.theme": change_theme,
    "app.report": copy_report,
    "app.help": show_help,
    "app.palette": show_palette,
    "app.quit": leave,
    "app.undo": lambda context: context.undo.take_back(),
}
