"""Target cursor: the one target in the conversation that keys act on, such as a fold or a link."""

from __future__ import annotations

from collections.abc import Iterator

from palaver.wire.messages import Message
from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.blocks import Spot
from palaver_tui.transcript.marks import Mark
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.targets import Target, neighbour, place_of_target, targets_in
from palaver_tui.transcript.viewport import Viewport


class TargetCursor:
    """The current target; None until `step` or `point` is called."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self.target: Target | None = None

    def point(self, target: Target | None) -> None:
        """Set the target; None for none."""
        self.target = target
        self._viewport.display.show_marks()

    @property
    def line(self) -> int | None:
        """The line of the target; None if there is none, or it is gone."""
        return None if self.target is None else place_of_target(self._viewport.column, self.target)

    def step(self, steps: int) -> bool:
        """Move to the next target below (1) or above (-1); return whether there is one.

        If the current one is not in view, from the edge of the view.
        """
        viewport = self._viewport
        viewport.lay_out_in_view()
        y = self.line
        if self.target is not None and y is not None and viewport.shows(y):
            found = neighbour(viewport.column, y, self.target.start, steps)
        else:
            # The next below the upper edge, or the next above the lower one.
            edge = viewport.top - 1 if steps > 0 else viewport.top + viewport.height
            found = neighbour(viewport.column, edge, -1, steps)
        if found is None:
            return False
        self.point(found)
        viewport.settle()
        y = self.line
        if y is not None:
            viewport.bring_into_view(y)
        return True

    def in_view(self) -> bool:
        """Return whether there is a target, and it is in view."""
        y = self.line
        return y is not None and self._viewport.shows(y)

    def at(self, y: int, x: int) -> Target | None:
        """Return the target at character `x` of line `y`; None if there is none."""
        section, line, drawn = self._viewport.column.line(y)
        if section is None:
            return None
        for target in targets_in(section):
            first = section.stack.line_of(target.spot)
            if first is None or not first <= line < first + target.height:
                continue
            end = len(drawn.text) if target.kind == "picture" else target.end
            if target.kind == "fold" or target.start <= x < end:
                return target
        return None

    def message(self, message: Message) -> None:
        """Set a message as the target, and scroll its first line to the top."""
        column = self._viewport.column
        index = column.index(message.id)
        if index is None:
            return
        self.point(Target("message", message.id, Spot("label", 0), 0, 0))
        self._viewport.to_line(column.start(index))

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield the mark on a line of a section."""
        target = self.target
        if target is None or target.key != section.key:
            return
        if target.kind == "message":
            if line == 0:
                yield Mark(0, FOREVER, "target")
        elif section.stack.line_of(target.spot) == line:
            yield Mark(target.start, target.end, "target")
