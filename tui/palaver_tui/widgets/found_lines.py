"""Lines of the list of chats below those whose titles fit: what the filter found in messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from palaver.wire.search import Hit
from palaver_tui.state.chat_list import Row
from palaver_tui.state.found_messages import FoundMessages
from palaver_tui.text.spans import Face, Line, Paper, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import clusters, width_of, wrap
from palaver_tui.widgets.strips import row

INDENT: Final = 3  # cells before a snippet: it belongs to the chat above
MOST_LINES: Final = 5  # of a sentence; a list is as wide as four or five words


class FoundLine(msgspec.Struct, frozen=True):
    """A line: words, or the chat or the snippet of the hit with index `hit`."""

    words: Line | None = None
    hit: int = 0
    is_snippet: bool = False


def found_lines(
    found: FoundMessages | None, hits: Sequence[Row], width: int, *, titles: bool
) -> list[FoundLine]:
    """Return the lines for an answer; none without a question. `titles`: there are lines above."""
    if found is None:
        return []
    lines = [] if titles else [FoundLine(Line((Span(" no title fits", Face("faint")),)))]
    lines.append(FoundLine(_heading(found, hits, width)))
    for number, item in enumerate(hits):
        lines.append(FoundLine(hit=number))
        if item.hit is not None and item.hit.message_id is not None:
            lines.append(FoundLine(hit=number, is_snippet=True))
    if found.more:
        lines += _sentence("Only the best ones are shown: more words narrow it down.", width)
    if found.indexed < 1:
        lines += _sentence(f"So far {found.indexed:.0%} of the old messages are indexed.", width)
    if found.problem:
        lines += _sentence(found.problem, width)
    return lines


def _heading(found: FoundMessages, hits: Sequence[Row], width: int) -> Line:
    name = [Span(" "), Span("In messages", Face("muted", bold=True, underline=True))]
    if found.answered and hits:
        return row(name, [Span(f" {len(hits)} ", Face("faint"))], width)
    none = ": no other chat" if found.hits else ": none"  # those above may have the words, too
    state = "" if found.problem else none if found.answered else " …"
    return Line((*name, Span(state, Face("faint"))))


def _sentence(text: str, width: int) -> list[FoundLine]:
    """Return the lines of a sentence, which may be one of the daemon's."""
    wrapped = wrap([Span(visible_line(text), Face("faint"))], max(1, width - 1))
    return [FoundLine(Line((Span(" "), *spans))) for spans in wrapped[:MOST_LINES]]


def snippet_line(hit: Hit, width: int, paper: Paper) -> Line:
    """Return a hit's snippet in one line, from a few words before the first that was found."""
    room = width - INDENT - 1
    marked = [span.match for span in hit.snippet]
    first = marked.index(True) if True in marked else len(marked)
    before = "".join(visible_line(span.text) for span in hit.snippet[:first])
    spans = [Span(_end_of(before, room // 3), Face("faint", paper=paper))]
    for span in hit.snippet[first:]:
        face = Face("accent", bold=True, paper=paper) if span.match else Face("faint", paper=paper)
        spans.append(Span(visible_line(span.text), face))
    left = [Span(" " * INDENT, Face(paper=paper)), *(span for span in spans if span.text)]
    return row(left, [Span(" ", Face(paper=paper))], width)._replace(fill=paper)


def _end_of(text: str, width: int) -> str:
    """Return the end of a text in `width` cells, from a word's beginning if one is near."""
    if width_of(text) <= width:
        return text
    kept, used = [], 1  # the ellipsis
    for cluster, cells in reversed(list(clusters(text))):
        if used + cells > width:
            break
        kept.append(cluster)
        used += cells
    end = "".join(reversed(kept))
    _, blank, rest = end.partition(" ")
    return f"…{rest if blank and rest else end}"
