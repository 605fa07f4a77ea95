"""Landing: the found words of one message, shown and marked until the next move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.marks import Mark
from palaver_tui.transcript.match_places import unfolded
from palaver_tui.transcript.matches import AnyOf, InOrder
from palaver_tui.transcript.search_index import SearchIndex
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.viewport import Viewport


class Landing:
    """A message in the viewport with words in it; none until `land`."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._message_id: int | None = None
        self._index: SearchIndex | None = None  # None: no word is marked but the message's label
        self._scrolls = 0  # the viewport's, when it had landed

    @property
    def active(self) -> bool:
        """Whether something is marked: until the next move."""
        return self._message_id is not None

    def land(self, message_id: int, words: Sequence[str]) -> bool:
        """Scroll to the first of the words in a message, and mark them; False if it is not shown.

        If none is found, such as words with Markdown's marks in them, scroll to its label.
        """
        viewport, column = self._viewport, self._viewport.column
        section = column.assembly.section(message_id)
        if section is None:
            return False
        y = marked = None
        # The words may be elsewhere in the message, too: first where they are as in the snippet.
        for query in (AnyOf(words), InOrder(words)):
            index = SearchIndex(query, column.assembly.texts, column.measure_section)
            if not query.empty:
                index.finish(section, column.width)
            found = index.matches([section])
            if found and (place := unfolded(viewport, index, found[0])) is not None:
                y, marked = place, marked or index
        if y is None:
            y = self._label(message_id)
        if y is None:
            return False
        viewport.to_middle(y)
        # Now: scrolling to it has ended an earlier landing, and would have ended this one.
        self._message_id, self._index, self._scrolls = message_id, marked, viewport.scrolls
        viewport.display.show_marks()
        return True

    def _label(self, message_id: int) -> int | None:
        """Return the first line of a message."""
        viewport = self._viewport
        run = viewport.column.assembly.moved.get(message_id)
        viewport.unfold([run] if isinstance(run, FoldKey) else [])
        index = viewport.column.index(message_id)
        return None if index is None else viewport.column.start(index)

    def leave(self) -> None:
        """Mark nothing any more."""
        if self._message_id is not None:
            self._message_id = self._index = None
            self._viewport.display.show_marks()

    def moved(self) -> None:
        """Mark nothing any more if the user has scrolled since."""
        if self._viewport.scrolls != self._scrolls:
            self.leave()

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield the marks on a line of a section."""
        if section.key != self._message_id:
            return
        if self._index is None:
            if line == 0:
                yield Mark(0, FOREVER, "target")
            return
        for start, end, _match in self._index.on_line(section, line):
            yield Mark(start, end, "here")
