"""Layout of Markdown tokens as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from palaver_tui.text.code import code_lines, highlight, tag_line
from palaver_tui.text.markdown.inline import inline_spans
from palaver_tui.text.markdown.metadata import TRACE, WIDTHS, Env
from palaver_tui.text.markdown.nesting import MIN_WIDTH, TOP, Around, item_nest, quote_nest, set_in
from palaver_tui.text.markdown.table import Align, Cell, Table, table_lines
from palaver_tui.text.markdown.tokens import PANELS, tokens_of
from palaver_tui.text.spans import BLANK, Face, Line, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import width_of, wrap

if TYPE_CHECKING:
    from markdown_it.token import Token


def markdown_lines(
    source: str,
    width: int,
    env: Env | None = None,
    number: int | None = None,
    around: Around = TOP,
) -> list[Line]:
    """Lay out `source` in `width` cells.

    `env` has link definitions. `number` overrides the start of an ordered list, for an item that
    is laid out without the items before it. `around`: the lists and quotes that contain it.
    """
    return token_lines(tokens_of(source, env, around.level), width, number, around)


def token_lines(
    tokens: list[Token], width: int, number: int | None = None, around: Around = TOP
) -> list[Line]:
    """Lay out parsed Markdown in `width` cells; `number` and `around` as for `markdown_lines`."""
    return _blocks(_tree(tokens), width, around, number)


class _Node:
    """A block token with the blocks inside it."""

    def __init__(self, token: Token) -> None:
        self.token = token
        self.children: list[_Node] = []

    @property
    def inline(self) -> list[Token]:
        """The inline tokens of a leaf."""
        for child in self.children:
            if child.token.type == "inline":
                return child.token.children or []
        return []


def _tree(tokens: list[Token]) -> list[_Node]:
    root: list[_Node] = []
    stack = [root]
    for token in tokens:
        if token.nesting < 0:
            stack.pop()
            continue
        node = _Node(token)
        stack[-1].append(node)
        if token.nesting > 0:
            stack.append(node.children)
    return root


def _blocks(
    nodes: list[_Node], width: int, around: Around, number: int | None = None
) -> list[Line]:
    lines: list[Line] = []
    for index, node in enumerate(nodes):
        if index and not _tight(nodes[index - 1], node):
            lines.append(BLANK)
        lines += _block(node, max(MIN_WIDTH, width), around, number)
    return lines


def _tight(before: _Node, after: _Node) -> bool:
    """Return whether no gap is between two blocks: in a tight list paragraphs are `hidden`."""
    lists = ("bullet_list_open", "ordered_list_open")
    return before.token.hidden and (after.token.hidden or after.token.type in lists)


def _block(node: _Node, width: int, around: Around, number: int | None) -> list[Line]:
    token = node.token
    match token.type:
        case "heading_open":
            return _heading(node, width)
        case "bullet_list_open" | "ordered_list_open":
            return _list(node, width, around, number)
        case "blockquote_open":
            nest = quote_nest(around)
            body = _blocks(node.children, nest.inner(width), around.in_quote())
            return set_in(body, nest, width)
        case "fence" | "code_block":
            words = token.info.split()
            return _code(token, words[0] if words else "", width)
        case "table_open":
            return table_lines(_table(node), width, token.meta.get(WIDTHS))
        case "hr":
            return [Line((Span("─" * width, Face("rule", trace=token.meta.get(TRACE, 0))),))]
        case _:
            return [Line(spans) for spans in wrap(inline_spans(node.inline), width)]


def _heading(node: _Node, width: int) -> list[Line]:
    level = int(node.token.tag[1:])
    spans = inline_spans(node.inline, "heading", bold=level < 5)
    lines = [Line(line) for line in wrap(spans, width)]
    if level == 1:
        longest = max(width_of(line.text) for line in lines)
        lines.append(Line((Span("━" * longest, Face("rule")),)))
    return lines


def _code(token: Token, language: str, width: int) -> list[Line]:
    """Lay out a code block on its panel. Its tag and each row have their own trace number."""
    tag, rows = tag_line(visible_line(language), width), highlight(token.content, language)
    trace = token.meta.get(TRACE, 0)
    if trace:
        tag = Line((tag.spans[0], *_traced(tag.spans[1:], trace)), tag.fill)
        rows = [_traced(row, trace + number) for number, row in enumerate(rows, 1)]
    return [tag, *code_lines(rows, width)]


def _traced(spans: Sequence[Span], trace: int) -> tuple[Span, ...]:
    return tuple(Span(span.text, span.face._replace(trace=trace)) for span in spans)


def _list(node: _Node, width: int, around: Around, number: int | None) -> list[Line]:
    ordered = node.token.type == "ordered_list_open"
    first = number if number is not None else int(node.token.attrs.get("start", 1))
    lines: list[Line] = []
    for index, item in enumerate(node.children):
        nest = item_nest(first + index if ordered else None, around)
        if index and _set_apart(node.children[index - 1]):
            lines.append(BLANK)
        body = task_box(_blocks(item.children, nest.inner(width), around.in_item())) or [BLANK]
        lines += set_in(body, nest, width)
    return lines


def _set_apart(item: _Node) -> bool:
    """Return whether a gap follows `item`: the list is loose, or a panel ends the item."""
    return _last(item) in PANELS or any(
        child.token.type == "paragraph_open" and not child.token.hidden for child in item.children
    )


def _last(node: _Node) -> str:
    """Return the token type of the last block inside `node`."""
    while node.children and node.token.type not in PANELS:
        node = node.children[-1]
    return node.token.type


def task_box(lines: list[Line]) -> list[Line]:
    """Return an item's lines with `[ ]` or `[x]` at its start replaced by a box."""
    if not lines or not lines[0].spans:
        return lines
    head, *rest = lines[0].spans
    for mark, box in (("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")):
        if head.text.startswith(mark):
            spans = (Span(box, Face("accent")), Span(head.text[len(mark) :], head.face), *rest)
            return [lines[0]._replace(spans=spans), *lines[1:]]
    return lines


def leading_table(source: str) -> Table | None:
    """Return the table that `source` begins with; None if there is none."""
    nodes = _tree(tokens_of(source))
    return _table(nodes[0]) if nodes and nodes[0].token.type == "table_open" else None


def _table(node: _Node) -> Table:
    head: list[Cell] = []
    rows: list[tuple[Cell, ...]] = []
    aligns: list[Align] = []
    for section in node.children:
        for row in section.children:
            cells = tuple(tuple(inline_spans(cell.inline)) for cell in row.children)
            if section.token.type == "thead_open":
                head = list(cells)
                aligns = [_align(cell) for cell in row.children]
            else:
                rows.append(cells)
    return Table(tuple(head), tuple(rows), tuple(aligns))


def _align(cell: _Node) -> Align:
    style = str(cell.token.attrs.get("style", ""))
    if "right" in style:
        return "right"
    return "center" if "center" in style else "left"
