"""Places of matches in a viewport: the line that a match is on, and unfolding what hides it."""

from __future__ import annotations

from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.search_index import Match, SearchIndex, folds_over
from palaver_tui.transcript.viewport import Viewport


def place_of_match(viewport: Viewport, found: SearchIndex, match: Match) -> int | None:
    """Return the line where a match begins; None if it is folded, or gone."""
    column = viewport.column
    index = column.index(match.key)
    if index is None or column.sections[index].key != match.key:
        return None
    column.measure_one(index)
    line = found.line_of(column.sections[index], match)
    return None if line is None else column.start(index) + line


def unfolded(viewport: Viewport, found: SearchIndex, match: Match) -> int | None:
    """Unfold the folds around a match, and return its line; None if it is gone."""
    run = viewport.column.assembly.moved.get(match.key)
    wanted = [run] if isinstance(run, FoldKey) else []
    section = viewport.column.assembly.section(match.key)
    if section is not None and place_of_match(viewport, found, match) is None:
        wanted += folds_over(section, match)
    viewport.unfold(wanted)
    return place_of_match(viewport, found, match)
