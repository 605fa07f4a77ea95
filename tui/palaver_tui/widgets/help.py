"""The screen of all keys, made from the table of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from palaver_tui.actions import ACTIONS, Scope, key_name
from palaver_tui.layout.faces import Span
from palaver_tui.layout.wrap import wrap

TITLES: dict[Scope, str] = {
    "app": "Everywhere",
    "composer": "Writing",
    "transcript": "In the conversation",
    "chats": "In the list of chats",
    "queue": "In the queue",
    "banner": "On a banner",
}
KEY_COLUMN = 20  # the longest keys of an action, and a gap
MAX_WIDTH = 72
FRAME = 8  # cells that border, padding and scroll bar take


def help_content(width: int) -> Content:
    """Return all actions with their keys in `width` cells, by where the keys work."""
    parts: list[Content] = []
    indent = " " * KEY_COLUMN
    for scope, title in TITLES.items():
        actions = [action for action in ACTIONS if action.scope == scope and action.keys]
        if not actions:
            continue
        parts.append(Content.styled(f"{title}\n", "bold $accent"))
        for action in actions:
            keys = "  ".join(key_name(key) for key in action.keys)
            parts.append(Content.styled(f"{keys:<{KEY_COLUMN}}", "bold"))
            parts.append(Content.styled(f"{action.title}\n", "$foreground"))
            for row in wrap([Span(action.help)], max(12, width - KEY_COLUMN)):
                text = "".join(span.text for span in row)
                parts.append(Content.styled(f"{indent}{text}\n", "$palaver-muted"))
        parts.append(Content("\n"))
    return Content("").join(parts)


class HelpScreen(ModalScreen[None]):
    """All keys, over what was there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "dismiss", "Close", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with VerticalScroll(id="help") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("Esc closes")
            width = min(MAX_WIDTH, self.app.size.width - FRAME)
            yield Static(help_content(width), markup=False)
