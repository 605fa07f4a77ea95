"""Running an action by its id, for key bindings, the palette and slash commands."""

from __future__ import annotations

from palaver_tui.actions.availability import offers
from palaver_tui.actions.table import FUNCTIONS
from palaver_tui.context.context import Context
from palaver_tui.keymap.actions import BY_ID, OVER_DIALOGS
from palaver_tui.widgets.dialogs.help import HelpScreen
from palaver_tui.widgets.dialogs.palette import Palette

# Dialogs that open in place of another one; the same key closes them.
SCREENS: dict[str, type[HelpScreen | Palette]] = {
    "app.help": HelpScreen,
    "app.palette": Palette,
}


def perform(context: Context, name: str) -> None:
    """Run an action by its id, if it is possible now."""
    action = BY_ID[name]
    if context.dialogs.is_open and name not in {"chat.escape", "app.quit"}:
        if name not in OVER_DIALOGS:
            return
        same = context.dialogs.shows(SCREENS[name])
        context.dialogs.close()
        if same:
            return
    if offers(context, action):
        FUNCTIONS[name](context)
        context.changed()
    elif action.need == "models":
        context.notices.say("No model can be used yet. An empty chat says what helps.", "warning")
