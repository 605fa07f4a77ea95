"""Question panel: what the model asks, with options to choose from, and other calls that wait."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver.wire.questions import OpenCall
from palaver_tui.keymap.actions import key_of
from palaver_tui.keymap.bindings import bindings
from palaver_tui.state.chat import ChatView
from palaver_tui.state.questions import other_calls, question
from palaver_tui.text.spans import Face, Line, Paper, Span
from palaver_tui.text.visible import visible, visible_line
from palaver_tui.text.wrap import wrap
from palaver_tui.widgets.strips import palette_of, row, strip_of

# Rows of everything else: header and footer, three of the composer, three of the conversation, one
# of the queue, and two of the panel's frame.
OTHERS_ROWS = 11
# Rows of a question: the conversation has all of it.
MAX_TEXT_ROWS = 6
MAX_OTHERS = 3  # other calls that are named


class QuestionPanel(Widget, can_focus=True):
    """A question with its options; keys choose one. Hidden if the chat waits for nothing.

    It takes the focus only if there are options: other answers are written in the composer.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("question")

    def __init__(self) -> None:
        super().__init__(id="question")
        self._asked: OpenCall | None = None
        self._others: tuple[OpenCall, ...] = ()
        self._sending = False
        self._zone: tzinfo | None = None
        self._text: list[Line] = []
        self._room = 1  # rows inside the frame
        self._first = 0  # the first option in view
        self._shown: tuple[object, ...] = ()
        self.selected = 0  # index of the selected option
        self.number = 0  # the digit that was pressed last

    @property
    def options(self) -> list[str]:
        """The options of the question; none without a question."""
        return self._asked.options if self._asked is not None else []

    @property
    def rows(self) -> int:
        """The number of its rows, including the frame; 0 if hidden."""
        return self._inside + 2 if self.display else 0

    def on_key(self, event: events.Key) -> None:
        """Remember a digit, for the action that its binding runs."""
        if event.key.isdecimal():
            self.number = int(event.key)

    async def on_click(self, event: events.Click) -> None:
        """Select the option that is clicked; at a double click, answer with it."""
        at = event.get_content_offset(self)
        index = self._first + at.y - len(self._text) if at is not None else -1
        if not 0 <= index < len(self.options) or index < self._first:
            return
        self.select(index - self.selected)
        if event.chain > 1:
            await self.run_action("app.perform('question.choose')")

    def select(self, steps: int) -> None:
        """Select the option `steps` below."""
        if self.options:
            self.selected = max(0, min(len(self.options) - 1, self.selected + steps))
            self.refresh()

    def select_number(self, number: int) -> None:
        """Select an option by its number, from 1."""
        self.select(number - 1 - self.selected)

    def show(
        self, view: ChatView, sending: str | None, rows: int, zone: tzinfo | None = None
    ) -> None:
        """Show what `view` waits for.

        Args:
            sending: the id of the call whose answer is on its way.
            rows: those of the window that other parts do not need.
            zone: that of times, None for the machine's.
        """
        asked = question(view)
        if asked is None or self._asked is None or asked.call_id != self._asked.call_id:
            self.selected = self._first = 0
        self._asked, self._others, self._zone = asked, other_calls(view), zone
        self._sending = asked is not None and asked.call_id == sending
        self.can_focus = bool(self.options)
        if self.has_focus and not self.can_focus:
            self.screen.query_one("#composer").focus()
        self.display = asked is not None or bool(self._others)
        if not self.display:
            return
        self._room = max(1, rows - OTHERS_ROWS)
        self._lay_out()

    def on_resize(self) -> None:
        """Lay out again if the width changed, which is known only after the panel appeared."""
        if self.display:
            self._lay_out()

    def _lay_out(self) -> None:
        width = self._width
        shown = (
            *(self._asked, self._others, self._sending),
            *(self._room, width, self.has_focus),
        )
        if shown == self._shown:
            return  # comparing costs less than drawing
        self._shown = shown
        self._text = self._question_rows(width)
        self._dress()

    @property
    def _width(self) -> int:
        """The cells inside the frame."""
        outer = self.parent.size if isinstance(self.parent, Widget) else self.size
        return max(10, outer.width - 4)

    def _question_rows(self, width: int) -> list[Line]:
        """Return the rows of the question that there is room for beside its options."""
        if self._asked is None or self._asked.question is None:
            return []
        text = visible(self._asked.question).strip()
        rows = [spans for row in text.split("\n") for spans in wrap([Span(row)], width - 1)]
        lines = [Line((Span(" "), *spans)) for spans in rows]
        if self._room == 1 and self.has_focus:
            return []  # the one row is for the selected option
        most = max(1, min(MAX_TEXT_ROWS, self._room - len(self.options)))
        if len(lines) > most:
            last = lines[most - 1].spans
            lines = [*lines[: most - 1], row(last, [Span(" …", Face("faint"))], width)]
        return lines

    @property
    def _inside(self) -> int:
        """The number of rows inside the frame."""
        listed = (
            len(self.options) if self._asked is not None else min(MAX_OTHERS, len(self._others))
        )
        return max(1, min(self._room, len(self._text) + listed))

    def _dress(self) -> None:
        """Set the frame's title, the keys and the height; draw the panel again."""
        more = len(self._others)
        if self._asked is None:
            self.border_title = Content(
                f"Waits for {'a program' if more == 1 else f'{more} programs'}"
            )
            self.border_subtitle = Content("")
        else:
            also = f" · {more} more {'call waits' if more == 1 else 'calls wait'}" if more else ""
            self.border_title = Content(f"? The model asks{also}")
            self.border_subtitle = Content(self._keys())
        height = self._inside + 2
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.refresh()

    def _keys(self) -> str:
        if self._sending:
            return "sending …"
        if not self.options:
            return "write the answer"
        if not self.has_focus:
            return f"{key_of('composer.send')} choose · or write"
        numbers = "1" if len(self.options) == 1 else f"1–{len(self.options)}"
        moves = f"{key_of('question.up')} {key_of('question.down')}"
        return f"{numbers} or {moves} {key_of('question.choose')} · or write"

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` inside the frame."""
        width = self.size.width
        line = self._line(y, width)
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)

    def _line(self, y: int, width: int) -> Line:
        if self._asked is None:
            return self._other(y, width)
        if y < len(self._text):
            return self._text[y]
        room = self._inside - len(self._text)
        self._first = max(min(self._first, self.selected), self.selected - room + 1)
        index = self._first + y - len(self._text)
        if index >= len(self.options):
            return Line()
        return self._option(index, width, is_last=y == self._inside - 1)

    def _option(self, index: int, width: int, *, is_last: bool) -> Line:
        current = self.has_focus and index == self.selected
        paper: Paper = "selected" if current else ""
        below = len(self.options) - 1 - index
        left = [
            Span("▌" if current else " ", Face("accent", paper=paper)),
            Span(f"{index + 1}  ", Face("accent", paper=paper)),
            Span(visible_line(self.options[index]), Face("text", paper=paper)),
        ]
        right = [Span(f" {below} more", Face("faint", paper=paper))] if is_last and below else []
        return row(left, right, width)._replace(fill=paper)

    def _other(self, y: int, width: int) -> Line:
        if y >= len(self._others):
            return Line()
        call = self._others[y]
        left = [Span(visible_line(call.tool), Face("text"))]
        left.append(Span(f"  {visible_line(call.arguments)}", Face("muted")))
        right = []
        if call.deadline is not None:
            right.append(
                Span(f" until {call.deadline.astimezone(self._zone):%H:%M:%S}", Face("faint"))
            )
        return row(left, right, width)
