"""The one thing in the conversation that keys act on: a fold, a link, code, a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from palaver.wire.messages import Message
from palaver_tui.transcript.blocks import Spot
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.targets import Thing, neighbour, place_of_thing, things_in
from palaver_tui.widgets.transcript.marks import Mark

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript.widget import Transcript


class Pointing:
    """Points at nothing until it is asked for the next thing."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.thing: Thing | None = None

    def point(self, thing: Thing | None) -> None:
        """Point at `thing`."""
        self.thing = thing
        self._transcript.refresh()

    @property
    def line(self) -> int | None:
        """The line of what is pointed at; None if that is nothing, or gone."""
        return None if self.thing is None else place_of_thing(self._transcript.column, self.thing)

    def step(self, steps: int) -> bool:
        """Point at the next thing below (1) or above (-1), from what is in view."""
        transcript = self._transcript
        transcript.lay_out_in_view()
        top = transcript.scroll_offset.y
        height = transcript.scrollable_content_region.height
        y = self.line
        if self.thing is not None and y is not None and top <= y < top + height:
            found = neighbour(transcript.column, y, self.thing.start, steps)
        else:
            # The next below the upper edge, or the next above the lower one.
            edge = top - 1 if steps > 0 else top + height
            found = neighbour(transcript.column, edge, -1, steps)
        if found is None:
            return False
        self.point(found)
        y = self.line
        transcript.settle()
        y = self.line
        if y is not None:
            transcript.bring_into_view(y)
        return True

    def in_view(self) -> bool:
        """Say whether what is pointed at is on the screen."""
        top = self._transcript.scroll_offset.y
        y = self.line
        return y is not None and top <= y < top + self._transcript.scrollable_content_region.height

    def at(self, y: int, x: int) -> Thing | None:
        """Return what is at character `x` of line `y`."""
        section, line, drawn = self._transcript.column.line(y)
        if section is None:
            return None
        for thing in things_in(section):
            first = section.stack.line_of(thing.spot)
            if first is None or not first <= line < first + thing.height:
                continue
            end = len(drawn.text) if thing.kind == "picture" else thing.end
            if thing.kind == "fold" or thing.start <= x < end:
                return thing
        return None

    def message(self, message: Message) -> None:
        """Point at a message, and put its first line at the top."""
        column = self._transcript.column
        index = column.index(message.id)
        if index is None:
            return
        self.point(Thing("message", message.id, Spot("label", 0), 0, 0))
        self._transcript.to_line(column.start(index))

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield the mark on a line of a section."""
        thing = self.thing
        if thing is None or thing.key != section.key:
            return
        if thing.kind == "message":
            if line == 0:
                yield Mark(0, 1 << 20, "thing")
        elif section.stack.line_of(thing.spot) == line:
            yield Mark(thing.start, thing.end, "thing")
