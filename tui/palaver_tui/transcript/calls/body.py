"""Body of an unfolded tool call: its arguments, its diff, its output."""

from __future__ import annotations

from typing import Any, NamedTuple

from palaver_tui.text.code import code_lines
from palaver_tui.text.diff import diff_lines
from palaver_tui.text.half_blocks import Grid
from palaver_tui.text.spans import BLANK, Face, Ink, Line, Span
from palaver_tui.text.visible import expand_tabs, visible, visible_line
from palaver_tui.text.wrap import wrap
from palaver_tui.transcript.calls.cache import edits_of
from palaver_tui.transcript.calls.content import CallContent
from palaver_tui.transcript.calls.output import Output
from palaver_tui.transcript.calls.pairs import named_lines
from palaver_tui.transcript.calls.renderers import RENDERERS

INDENT = Span("  ")
# Lines that are shown before and after the folded middle of a long piece.
HEAD_ROWS, TAIL_ROWS = 8, 12
# Fewer lines than this are not folded.
LEAST_FOLDED = 4
ERROR_ROWS = 2  # of an error under a folded call
MAX_ROWS = 5_000  # lines drawn of one piece, even if it is unfolded: nobody scrolls through more


def _indented(lines: list[Line]) -> list[Line]:
    """Return the lines with an indent, except those of a panel, which has its own colour."""
    return [line if line.fill else Line((INDENT, *line.spans)) for line in lines]


def error_lines(text: str, width: int) -> list[Line]:
    """Return the first words of an error, which are shown below a folded call."""
    first = next((line for line in visible(text).split("\n") if line.strip()), "")
    rows = wrap([Span(first.strip(), Face("error"))], max(8, width - 4))
    head, blank = Span("  └ ", Face("error")), Span("    ")
    return [Line((blank if index else head, *row)) for index, row in enumerate(rows[:ERROR_ROWS])]


def question_lines(values: dict[str, Any], width: int) -> list[Line]:
    """Return a question or a plan with its options, which are shown below a folded call, too."""
    lines: list[Line] = []
    for name in ("question", "plan", "prompt"):
        if isinstance(text := values.get(name), str):
            for row in visible(text).split("\n"):
                lines += [Line((INDENT, *spans)) for spans in wrap([Span(row)], width - 2)]
    options = values.get("options")
    for number, option in enumerate(options if isinstance(options, list) else [], 1):
        label = option.get("label", option) if isinstance(option, dict) else option
        head, blank = Span(f"  {number}. ", Face("accent")), Span("     ")
        rows = wrap([Span(visible_line(str(label)))], width - 5)
        lines += [Line((blank if index else head, *row)) for index, row in enumerate(rows)]
    return lines


class Body(NamedTuple):
    """The lines below a call's head. Those in `rest_at` are heads of a folded middle.

    `picture` is the range of a picture's lines, `wanted` the size to decode it in, None if it need
    not be decoded.
    """

    lines: list[Line]
    rest_at: set[int]
    picture: range
    wanted: Grid | None


def body_lines(content: CallContent, width: int, whole: bool, draws: bool) -> Body:
    """Return a call's body. `whole`: no middle is folded; `draws`: pictures are drawn."""
    inner = max(8, width - 2)
    pieces: list[list[Line]] = []
    diff = _diff(content, inner)
    if diff:
        pieces.append(diff)
    else:
        pieces += RENDERERS.get(content.name, named_lines)(content, inner)
    if not (diff and content.result is not None and not content.result.is_error):
        pieces.append(_outcome(content, inner))
    lines: list[Line] = []
    rest_at: set[int] = set()
    for piece in pieces:
        if not piece:
            continue
        if lines:
            lines.append(Line())
        drawn, at = _middle_folded(piece, whole)
        if at is not None:
            rest_at.add(len(lines) + at)
        lines += _indented(drawn)
    picture, wanted = range(0), None
    if content.picture is not None:
        lines += [Line()] if lines else []
        drawing, wanted = content.picture.draw(inner, draws)
        picture = range(len(lines), len(lines) + len(drawing))
        lines += _indented(drawing)
    lines.append(BLANK)
    return Body(lines, rest_at, picture, wanted)


def _diff(content: CallContent, width: int) -> list[Line]:
    """Draw the call's diff; no lines if it has none."""
    if content.grows:
        return content.kept.edits(edits_of(content.values, begun=True), width)
    key = (content.text, content.result and content.result.text, width)
    return content.kept.once("diff", key, lambda: diff_lines(content.hunks, width))


def _middle_folded(lines: list[Line], whole: bool) -> tuple[list[Line], int | None]:
    """Return the lines with their middle folded if they are many, and the index of its head."""
    hidden = len(lines) - HEAD_ROWS - TAIL_ROWS
    if hidden < LEAST_FOLDED:
        return lines, None
    if whole:
        words = f"▾ {hidden} lines"
        if len(lines) > MAX_ROWS:
            cut = len(lines) - MAX_ROWS
            lines = [*lines[:-cut], _more(f"⋯ {cut} lines are not drawn: copy to read them")]
        return [*lines[:HEAD_ROWS], _more(words), *lines[HEAD_ROWS:]], HEAD_ROWS
    words = f"▸ {hidden} more lines"
    return [*lines[:HEAD_ROWS], _more(words), *lines[-TAIL_ROWS:]], HEAD_ROWS


def _more(words: str) -> Line:
    return Line((Span(f" {words}", Face("accent", paper="code")),), "code")


# --- what came of it ------------------------------------------------------------------------


def _outcome(content: CallContent, width: int) -> list[Line]:
    result = content.result
    if result is None:
        return _live(content.output, width)
    if not result.text.strip():
        if result.picture is not None:
            return []
        return [Line((Span("no output", Face("faint", italic=True)),))]
    return _panel(result.text, width, "error" if result.is_error else "code")


def _live(output: Output, width: int) -> list[Line]:
    head, tail, missing = output.pieces
    lines = _panel(head, width, "code") if head else []
    if missing:
        lines.append(_more(f"⋯ {missing} lines"))
    return lines + (_panel(tail, width, "code") if tail else [])


def _panel(text: str, width: int, ink: Ink) -> list[Line]:
    rows = visible(text).rstrip("\n").split("\n")
    face = Face(ink, paper="code")
    return code_lines([(Span(expand_tabs(row), face),) for row in rows], width)
