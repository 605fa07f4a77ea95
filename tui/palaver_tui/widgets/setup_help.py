"""What is missing for a model and what helps, as lines for the screen of an empty chat."""

from __future__ import annotations

from typing import Final

from palaver_tui.state.first_run import FirstRun
from palaver_tui.state.setup_help import Row, Tone, paragraphs
from palaver_tui.text.spans import BLANK, Face, Line, Span
from palaver_tui.text.wrap import wrap

FACES: Final[dict[Tone, Face]] = {
    "title": Face(bold=True),
    "text": Face(),
    "muted": Face("muted"),
    "code": Face("accent"),
    "key": Face("accent", bold=True),
    "warning": Face("warning"),
}
CODE_INDENT: Final = 4


def setup_lines(setup: FirstRun, inner: int, width: int, height: int) -> list[Line]:
    """Lay out the help in `inner` columns, centred in `width`.

    If there is no room for all rows, spare ones are omitted.
    """
    rows = paragraphs(setup)
    laid = [(row, _paragraph(row, inner, width)) for row in rows]
    for spare in sorted({row.spare for row in rows if row.spare}, reverse=True):
        if sum(len(lines) for _, lines in laid) <= height:
            break
        laid = [(row, lines) for row, lines in laid if row.spare != spare]
    return [line for _, lines in laid for line in lines]


def _paragraph(row: Row, inner: int, width: int) -> list[Line]:
    face = FACES[row.tone]
    if not row.text:
        return [BLANK]
    indent = CODE_INDENT if row.tone in ("code", "key") else 0
    wrapped = wrap([Span(row.text, face)], inner - indent)
    return [_left((Span(" " * indent), *spans), inner, width) for spans in wrapped]


def _left(spans: tuple[Span, ...], inner: int, width: int) -> Line:
    return Line((Span(" " * max(0, (width - inner) // 2)), *spans))
