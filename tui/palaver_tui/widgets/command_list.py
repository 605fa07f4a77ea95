"""The commands that fit what is written after a slash, above the composer."""

from __future__ import annotations

from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.keymap.actions import Action, key_of
from palaver_tui.text.spans import Face, Line, Paper, Span
from palaver_tui.widgets.strips import palette_of, row, strip_of

MAX_ROWS = 5  # then it scrolls with the picked one
# Of the window, beside them: header, footer, the composer's three, three of the conversation, one
# of the queue, and their own frame.
OTHERS_ROWS = 11
NAME_CELLS = 16  # the longest name, its slash, and a gap


class CommandList(Widget):
    """Shows commands, one of them picked. It never has the focus: the composer keeps it."""

    def __init__(self) -> None:
        super().__init__(id="commands")
        self._actions: tuple[Action, ...] = ()
        self._picked: int | None = None
        self._first = 0
        self._rows = MAX_ROWS

    @property
    def picked(self) -> Action | None:
        """The one that Enter runs."""
        return None if self._picked is None else self._actions[self._picked]

    @property
    def actions(self) -> tuple[Action, ...]:
        """Those that are shown."""
        return self._actions

    def show(self, actions: tuple[Action, ...], *, pick: bool) -> None:
        """Show these commands, none of which hides the list; with `pick`, the first is picked."""
        if actions == self._actions and (self._picked is not None or not pick):
            return
        self._actions, self._picked = actions, 0 if pick and actions else None
        self._first = 0
        self.display = bool(actions)
        self._rows = max(1, min(MAX_ROWS, self.screen.size.height - OTHERS_ROWS))
        self.styles.height = min(self._rows, len(actions)) + 2
        self._dress()

    def move(self, steps: int) -> None:
        """Pick the one `steps` below."""
        start = -1 if self._picked is None else self._picked
        self._picked = max(0, min(len(self._actions) - 1, start + steps))
        self._first = max(min(self._first, self._picked), self._picked - self._rows + 1)
        self._dress()

    def _dress(self) -> None:
        """Say on the frame how many there are, and what keys do now; draw all of it again."""
        hidden = len(self._actions) > self._rows
        self.border_title = Content(f"Commands · {len(self._actions)}" if hidden else "Commands")
        picks = f"{key_of('composer.recall')} {key_of('composer.newer')} pick"
        runs = f"{key_of('composer.send')} run"  # a slash alone is no command
        completes = f"{key_of('composer.complete')} complete"
        keys = [picks, completes] if self._picked is None else [completes, runs]
        self.border_subtitle = Content("  ".join(keys))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line `y` inside the frame."""
        width, number = self.size.width, self._first + y
        line = self._row(number, width) if number < len(self._actions) else Line()
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)

    def _row(self, number: int, width: int) -> Line:
        action, current = self._actions[number], number == self._picked
        paper: Paper = "selected" if current else ""
        left = [
            Span("▌" if current else " ", Face("accent", paper=paper)),
            Span(f"/{action.command}".ljust(NAME_CELLS), Face("text", paper=paper)),
            Span(action.title, Face("muted", paper=paper)),
        ]
        return row(left, [], width)._replace(fill=paper)
