"""Help: the screen of all keys, generated from the table of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from palaver_tui.keymap.actions import ACTIONS, Scope, key_name
from palaver_tui.text.spans import Span
from palaver_tui.text.wrap import wrap
from palaver_tui.widgets.dialogs.dialog import Dialog, keys_below

TITLES: dict[Scope, str] = {
    "app": "Everywhere",
    "composer": "Writing",
    "question": "At a question",
    "transcript": "In the conversation",
    "search": "While searching",
    "chats": "In the list of chats",
    "queue": "In the queue",
}
SIGNS = (
    (key_name("ctrl+n"), "Ctrl and n together; a capital letter is typed with Shift."),
    ("ctx ▂ 23%", "how much of what the model can take in at once this conversation fills."),
    ("$0.41", "what this chat has cost so far, where the price of its model is known."),
)
KEY_COLUMN = 20  # the longest keys of an action, and a gap
MAX_WIDTH = 71
SHARE = 0.96  # of the window's width, as in the style sheet
FRAME = 8  # cells of border, padding and scroll bar
# Below this width a help text is under its keys, not in a column beside them.
NARROW = 60


def help_content(width: int, focus: Scope | None = None) -> Content:
    """Return all actions with their keys in `width` cells, grouped by scope.

    The scope that has the `focus` comes first.
    """
    parts: list[Content] = []
    column = KEY_COLUMN if width >= NARROW else 4
    indent = " " * column
    for scope, title in sorted(TITLES.items(), key=lambda one: one[0] != focus):
        actions = [action for action in ACTIONS if action.scope == scope and action.keys]
        parts.append(Content.styled(f"{title}\n", "bold $accent"))
        for action in actions:
            keys = "  ".join(key_name(key) for key in action.keys)
            keys = f"{keys:<{column - 2}}  " if width >= NARROW else f"{keys}  "
            parts.append(Content.styled(keys, "bold"))
            parts.append(Content.styled(f"{action.title}\n", "$foreground"))
            words = action.help
            if action.extra:
                extra = ", ".join(key_name(key) for key in action.extra)
                words += f" {extra} too, in a terminal that can tell it from {key_name('enter')}."
            for row in wrap([Span(words)], max(12, width - column)):
                text = "".join(span.text for span in row)
                parts.append(Content.styled(f"{indent}{text}\n", "$palaver-muted"))
        parts.append(Content("\n"))
    parts.append(Content.styled("What is shown\n", "bold $accent"))
    for sign, words in SIGNS:
        for row in wrap([Span(f"{sign}  {words}")], max(12, width)):
            text = "".join(span.text for span in row)
            parts.append(Content.styled(f"{text}\n", "$palaver-muted"))
    return Content("").join(parts)


class HelpScreen(Dialog[None]):
    """The dialog with all keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "close", "Close", show=False)]

    def __init__(self, focus: Scope | None = None) -> None:
        super().__init__()
        self._focus = focus

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with VerticalScroll(id="help", classes="box -wide") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content(keys_below())
            width = min(MAX_WIDTH, int(self.app.size.width * SHARE) - FRAME)
            yield Static(help_content(width, self._focus), markup=False)

    def action_close(self) -> None:
        """Close."""
        self.answer(None)
