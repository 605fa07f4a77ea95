"""Selection of text, with the mouse or with a cursor that keys move."""

from __future__ import annotations

import re
from collections.abc import Iterator

from palaver_tui.text.spans import FOREVER
from palaver_tui.text.wrap import clusters
from palaver_tui.transcript.marks import Mark
from palaver_tui.transcript.positions import (
    Form,
    Place,
    Point,
    is_text,
    lay_out_between,
    place_of,
    point_at,
    text_between,
)
from palaver_tui.transcript.viewport import Viewport


class Selection:
    """A cursor, and the selection from its start to the cursor.

    With the mouse there is a selection without a cursor, with keys there may be a cursor without
    a selection.
    """

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._fixed: Point | None = None  # the start of the selection
        self._moving: Point | None = None  # the cursor, or the mouse
        self.by_keys = False
        self._dragging = False
        self._pointer = (0, 0)  # cell of the mouse, relative to the first cell of the text
        self._wish: int | None = None  # the column that moving up and down tries to keep
        self._places: tuple[int, Place | None, Place | None] = (-1, None, None)

    @property
    def active(self) -> bool:
        """Whether there is a cursor or a selection."""
        return self.by_keys or self.some

    @property
    def some(self) -> bool:
        """Whether any text is selected."""
        return self._fixed is not None and not self._dragging_nothing

    @property
    def _dragging_nothing(self) -> bool:
        fixed, moving = self.places()
        return fixed is None or moving is None or (fixed == moving and not self.by_keys)

    def clear(self) -> None:
        """Remove the selection and the cursor."""
        self._fixed = self._moving = None
        self.by_keys = self._dragging = False
        self._changed()

    def _changed(self) -> None:
        self._places = (-1, None, None)
        ends = (self._fixed, self._moving)
        self._viewport.pinned = tuple(point for point in ends if point is not None)
        self._viewport.display.show_marks()

    # --- where it is ----------------------------------------------------------------------

    def places(self) -> tuple[Place | None, Place | None]:
        """Return the selection's start and its moving end, in the current layout."""
        if self._places[0] != self._viewport.epoch:
            column = self._viewport.column
            fixed = place_of(column, self._fixed) if self._fixed is not None else None
            moving = place_of(column, self._moving) if self._moving is not None else None
            self._places = (self._viewport.epoch, fixed, moving)
        return self._places[1], self._places[2]

    def span(self) -> tuple[Place, Place] | None:
        """Return the ends of the selection, the upper one first; with keys it has the cursor."""
        fixed, moving = self.places()
        if fixed is None or moving is None or not self.some:
            return None
        low, high = sorted((fixed, moving))
        if self.by_keys:
            high = Place(high.y, high.x + self._width_at(high))
        return low, high

    def text(self, form: Form) -> str:
        """Return the selected text, "" if there is none."""
        if self._fixed is None or self._moving is None:
            return ""
        lay_out_between(self._viewport.column, self._fixed, self._moving)
        self._viewport.settle()
        self._places = (-1, None, None)
        span = self.span()
        return "" if span is None else text_between(self._viewport.column, *span, form)

    def marks(self, y: int) -> Iterator[Mark]:
        """Yield the marks of the selection and of the cursor on line `y`."""
        span = self.span()
        if span is not None and span[0].y <= y <= span[1].y and self._is_text(y):
            text = self._viewport.column.line(y)[2].text
            margin = self._margin(y)
            start = max(margin, span[0].x) if y == span[0].y else margin
            end = span[1].x if y == span[1].y else max(len(text.rstrip()), margin + 1)
            if start < end:
                yield Mark(start, end, "selected")
        if self.by_keys and (cursor := self.places()[1]) is not None and cursor.y == y:
            yield Mark(cursor.x, cursor.x + self._width_at(cursor), "cursor")

    def _is_text(self, y: int) -> bool:
        section, number, _line = self._viewport.column.line(y)
        return section is not None and is_text(section.stack.place(number)[0])

    def _margin(self, y: int) -> int:
        section, number, _line = self._viewport.column.line(y)
        return 0 if section is None else len(section.stack.place(number)[0].margin.text)

    def _width_at(self, place: Place) -> int:
        """Return the length of the grapheme cluster at a place; 1 if there is none."""
        text = self._viewport.column.line(place.y)[2].text[place.x :]
        return next((len(cluster) for cluster, _cells in clusters(text[:32])), 1)

    # --- keys -----------------------------------------------------------------------------

    def begin(self, y: int) -> None:
        """Show the cursor at the beginning of line `y`."""
        self.by_keys = True
        self._fixed = None
        self._set(Place(y, self._margin(y)))

    def toggle(self) -> None:
        """Begin a selection at the cursor, or end it."""
        self._fixed = self._moving if self._fixed is None else None
        self._changed()

    def extend(self) -> None:
        """Begin a selection at the cursor, unless there is one."""
        if self._fixed is None:
            self._fixed = self._moving
            self._changed()

    def _set(self, place: Place) -> None:
        column = self._viewport.column
        y = max(0, min(place.y, column.height - 1))
        y = self._viewport.laid_out(y, self._moving)
        text = column.line(y)[2].text
        x = max(self._margin(y), min(place.x, max(len(text.rstrip()), self._margin(y))))
        self._moving = point_at(column, Place(y, x))
        self._changed()
        self._viewport.bring_into_view(y, edge=True)
        self._changed()

    def move(self, lines: int = 0, characters: int = 0) -> None:
        """Move the cursor by lines, or else by one character."""
        cursor = self.places()[1]
        if cursor is None:
            return
        if lines:
            wish = cursor.x if self._wish is None else self._wish
            self._set(Place(cursor.y + lines, wish))
            self._wish = wish
            return
        self._wish = None
        text = self._viewport.column.line(cursor.y)[2].text.rstrip()
        if characters > 0 and cursor.x >= len(text):
            self._set(Place(cursor.y + 1, 0))
        elif characters < 0 and cursor.x <= self._margin(cursor.y):
            self._set(Place(cursor.y - 1, FOREVER))
        elif characters > 0:
            self._set(Place(cursor.y, cursor.x + self._width_at(cursor)))
        else:
            ends, at = [], 0
            for cluster, _cells in clusters(text[: cursor.x]):
                ends.append(at)
                at += len(cluster)
            self._set(Place(cursor.y, ends[-1] if ends else 0))

    def word(self, steps: int) -> None:
        """Move the cursor to the start of the next word (1), or of this or the one before (-1)."""
        cursor = self.places()[1]
        if cursor is None:
            return
        self._wish = None
        text = self._viewport.column.line(cursor.y)[2].text
        starts = [match.start() for match in re.finditer(r"\S+", text)]
        margin = self._margin(cursor.y)
        beyond = [at for at in starts if (at > cursor.x if steps > 0 else margin <= at < cursor.x)]
        if beyond:
            self._set(Place(cursor.y, beyond[0] if steps > 0 else beyond[-1]))
        else:
            self._set(Place(cursor.y + steps, 0 if steps > 0 else FOREVER))

    def line_end(self, *, last: bool) -> None:
        """Move the cursor to the first or the last character of its line."""
        if (cursor := self.places()[1]) is not None:
            self._wish = None
            self._set(Place(cursor.y, FOREVER if last else 0))

    # --- the mouse ------------------------------------------------------------------------

    def press(self, x: int, y: int) -> None:
        """Begin to drag: the mouse button was pressed in cell `x` of row `y` of the view."""
        self.clear()
        place = self._viewport.place_at(x, y)
        self._fixed = self._moving = point_at(self._viewport.column, place)
        self._dragging = True
        self._pointer = (x, y)
        self._changed()

    def drag(self, x: int, y: int) -> None:
        """Extend the selection to the mouse; while it is `beyond` the view, call `scroll_on`."""
        if self._dragging:
            self._pointer = (x, y)
            self._follow_pointer()

    @property
    def beyond(self) -> int:
        """The number of rows that the mouse is below the view while dragging; negative above it."""
        y = self._pointer[1]
        if not self._dragging:
            return 0
        return y if y < 0 else max(0, y - self._viewport.height + 1)

    def scroll_on(self) -> None:
        """Scroll towards the mouse: the further out, the faster."""
        if self.beyond:
            self._viewport.move(self.beyond)
            self._follow_pointer()

    def _follow_pointer(self) -> None:
        x, y = self._pointer
        place = self._viewport.place_at(x, max(0, min(y, self._viewport.height - 1)))
        self._moving = point_at(self._viewport.column, place) or self._moving
        self._changed()

    def release(self) -> bool:
        """End dragging: the button was released; return whether any text is selected."""
        self._dragging = False
        return self.some
