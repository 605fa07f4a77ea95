"""Command palette: all actions by name, generated from the table of actions."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from palaver_tui.keymap.actions import ACTIONS, Action, key_name
from palaver_tui.widgets.dialogs.picker import Choice, Picker


class Palette(Picker):
    """A picker that answers with the id of an action, of those for which `offers` is true."""

    def __init__(self, offers: Callable[[Action], bool]) -> None:
        choices = [
            Choice(action.id, action.title, _shown(action))
            for action in ACTIONS
            if action.command and offers(action)
        ]
        super().__init__("Commands", choices, placeholder="What do you want to do?", verb="run")


def _shown(action: Action) -> Content:
    key = key_name(action.keys[0]) if action.keys else ""
    head = Content.assemble((action.title, "bold"), (f"  {key}" if key else "", "$accent"))
    return Content("\n").join([head, Content.styled(action.help, "$palaver-muted")])
