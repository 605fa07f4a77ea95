"""Command list: the slash commands that match the typed text, above the composer."""

from __future__ import annotations

from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.keymap.actions import Action, key_of
from palaver_tui.text.spans import Face, Line, Paper, Span
from palaver_tui.widgets.strips import palette_of, row, strip_of

MAX_ROWS = 5  # more are scrolled with the picked one
# Rows of everything else in the window: header, footer, three of the composer, three of the
# conversation, one of the queue, and two of the list's frame.
OTHERS_ROWS = 11
NAME_CELLS = 16  # the longest name, its slash, and a gap


class CommandList(Widget):
    """A list of commands, one of them picked. It never has the focus: the composer keeps it."""

    def __init__(self) -> None:
        super().__init__(id="commands")
        self._actions: tuple[Action, ...] = ()
        self._picked: int | None = None
        self._first = 0
        self._rows = MAX_ROWS

    @property
    def picked(self) -> Action | None:
        """The command that Enter runs; None if none is picked."""
        return None if self._picked is None else self._actions[self._picked]

    @property
    def actions(self) -> tuple[Action, ...]:
        """The commands that are shown."""
        return self._actions

    def show(self, actions: tuple[Action, ...], *, pick: bool) -> None:
        """Show these commands, or hide the list if there are none; with `pick`, pick the first."""
        if actions == self._actions and (self._picked is not None or not pick):
            return
        self._actions, self._picked = actions, 0 if pick and actions else None
        self._first = 0
        self.display = bool(actions)
        self._rows = max(1, min(MAX_ROWS, self.screen.size.height - OTHERS_ROWS))
        self.styles.height = min(self._rows, len(actions)) + 2
        self._dress()

    def move(self, steps: int) -> None:
        """Pick the command `steps` below."""
        start = -1 if self._picked is None else self._picked
        self._picked = max(0, min(len(self._actions) - 1, start + steps))
        self._first = max(min(self._first, self._picked), self._picked - self._rows + 1)
        self._dress()

    def _dress(self) -> None:
        """Set the title and the keys on the frame; draw the list again."""
        hidden = len(self._actions) > self._rows
        self.border_title = Content(f"Commands · {len(self._actions)}" if hidden else "Commands")
        picks = f"{key_of('composer.recall')} {key_of('composer.newer')} pick"
        runs = f"{key_of('composer.send')} run"  # a slash alone is no command
        completes = f"{key_of('composer.complete')} complete"
        keys = [picks, completes] if self._picked is None else [completes, runs]
        self.border_subtitle = Content("  ".join(keys))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` inside the frame."""
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
