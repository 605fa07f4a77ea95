"""Plain text, laid out with its line breaks and indents as they were typed."""

from __future__ import annotations

from collections.abc import Iterator

from palaver_tui.text.source.inline_origins import Run
from palaver_tui.text.source.origins import Leaf, Origins
from palaver_tui.text.source.source_map import Block, Place, Sourced, SourceMap
from palaver_tui.text.spans import PLAIN, Face, Line, Span
from palaver_tui.text.visible import Original, expand_tabs, tab_places, visible
from palaver_tui.text.wrap import wrap


class PlainDocument(Sourced):
    """A user's text: it has no markup and does not grow."""

    def __init__(self, text: str, face: Face = PLAIN) -> None:
        self.lines: list[Line] = []
        self.source = visible(text)
        self._original = Original()
        self._original.note(text, 0)
        self._face = face
        self._width = 0
        self._firsts: list[int] = []  # the first line of each row of the source

    def layout(self, width: int) -> int:
        """Lay out in `width` cells; return the first line that may have changed."""
        if width == self._width:
            return len(self.lines)
        self._width = width
        self.lines, self._firsts = [], []
        for row in self.source.split("\n"):
            self._firsts.append(len(self.lines))
            self.lines += self._row(row, self._face)
        return 0

    def _row(self, source: str, face: Face) -> Iterator[Line]:
        row = expand_tabs(source.rstrip())
        indent = min(len(row) - len(row.lstrip()), max(0, self._width // 2))
        head = (Span(" " * indent, self._face),) if indent else ()
        for piece in wrap([Span(row.lstrip(), face)], self._width - indent):
            yield Line((*head, *piece))

    def source_map(self) -> SourceMap:
        """Return the source map of the last `layout`; valid until the next one."""
        blocks, start = [], 0
        for line, row in zip(self._firsts, self.source.split("\n"), strict=True):
            blocks.append(Block(line, start, row))
            start += len(row) + 1
        return SourceMap(self.source, blocks, self.lines, self._trace, self._original)

    def plain_between(self, start: Place, end: Place) -> str:
        """Return the same as `source_between`: the source is plain text."""
        return self.source_between(start, end)

    def _trace(self, block: Block) -> Origins:
        row = expand_tabs(block.source.rstrip())
        indent = len(row) - len(row.lstrip())
        places = tab_places(block.source)[indent : len(row)]
        ends = [place + 1 for place in places]
        run = Run(row.lstrip(), places, ends, 0, places)
        trace = Origins(block.source, [], leaves=[Leaf(block.source)])
        trace.runs.append(run)
        trace.read(list(self._row(block.source, self._face._replace(trace=1))))
        return trace
