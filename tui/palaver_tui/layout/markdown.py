"""Markdown as tokens, and tokens as lines.

HTML is switched off: tags are text, shown as written. `linkify` is off too; it would need a
package of its own and rarely agrees with what the author meant.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from palaver_tui.layout.code import code_lines, highlight, tag_line
from palaver_tui.layout.faces import BLANK, PLAIN, Face, Line, Span
from palaver_tui.layout.inline import TRACE, inline_spans
from palaver_tui.layout.table import Align, Cell, Table, table_lines
from palaver_tui.layout.visible import visible_line
from palaver_tui.layout.wrap import width_of, wrap

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Env = MutableMapping[str, Any]
MIN_WIDTH = 8  # columns left for text however deep lists and quotes nest
BULLETS = "•◦▪"


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    # Here, so that the first paint does not wait for it; there is no text in it yet.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser if inline else parser.disable(["inline", "text_join"])


def block_tokens(source: str) -> list[Token]:
    """Return the block structure of `source`, with line maps and unparsed inline content."""
    return _parser(inline=False).parse(source, {})


def references(source: str) -> dict[str, Any]:
    """Return the link definitions in `source`."""
    env: dict[str, Any] = {}
    _parser(inline=False).parse(source, env)
    found = env.get("references", {})
    return dict(found) if isinstance(found, dict) else {}


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


def markdown_lines(
    source: str, width: int, env: Env | None = None, number: int | None = None
) -> list[Line]:
    """Lay out `source` in `width` cells.

    `env` carries link definitions. `number` overrides what an ordered list starts with, for an
    item that is laid out without the items before it.
    """
    return token_lines(
        _parser(inline=True).parse(source, {} if env is None else env), width, number
    )


def token_lines(tokens: list[Token], width: int, number: int | None = None) -> list[Line]:
    """Lay out parsed Markdown in `width` cells; `number` as for `markdown_lines`."""
    return _blocks(_tree(tokens), width, number=number)


def _blocks(
    nodes: list[_Node], width: int, depth: int = 0, number: int | None = None
) -> list[Line]:
    lines: list[Line] = []
    for index, node in enumerate(nodes):
        if index and not _tight(nodes[index - 1], node):
            lines.append(BLANK)
        lines += _block(node, max(MIN_WIDTH, width), depth, number)
    return lines


def _tight(before: _Node, after: _Node) -> bool:
    """In a tight list, a paragraph is `hidden`, and what follows it comes without a gap."""
    lists = ("bullet_list_open", "ordered_list_open")
    return before.token.hidden and (after.token.hidden or after.token.type in lists)


def _block(node: _Node, width: int, depth: int, number: int | None) -> list[Line]:
    token = node.token
    match token.type:
        case "heading_open":
            return _heading(node, width)
        case "bullet_list_open" | "ordered_list_open":
            return _list(node, width, depth, number)
        case "blockquote_open":
            return _prefixed(_blocks(node.children, width - 2, depth), "▎ ", Face("rule"))
        case "fence" | "code_block":
            words = token.info.split()
            return _code(token, words[0] if words else "", width)
        case "table_open":
            return table_lines(_table(node), width)
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
    """Lay out a whole code block on its panel. Its tag and each of its rows is traced."""
    tag, rows = tag_line(visible_line(language), width), highlight(token.content, language)
    trace = token.meta.get(TRACE, 0)
    if trace:
        tag = Line((tag.spans[0], *_traced(tag.spans[1:], trace)), tag.fill)
        rows = [_traced(row, trace + number) for number, row in enumerate(rows, 1)]
    return [tag, *code_lines(rows, width)]


def _traced(spans: Sequence[Span], trace: int) -> tuple[Span, ...]:
    return tuple(Span(span.text, span.face._replace(trace=trace)) for span in spans)


def _list(node: _Node, width: int, depth: int, number: int | None) -> list[Line]:
    ordered = node.token.type == "ordered_list_open"
    first = number if number is not None else int(node.token.attrs.get("start", 1))
    lines: list[Line] = []
    for index, item in enumerate(node.children):
        # Two columns for a number keep the text of items 1 to 99 in one column.
        mark = f"{first + index:>2}. " if ordered else f" {BULLETS[depth % len(BULLETS)]} "
        if index and _loose(node.children[index - 1]):
            lines.append(BLANK)
        body = _task(_blocks(item.children, width - len(mark), depth + 1)) or [BLANK]
        lines += _prefixed(body, " " * len(mark), Face(), mark, Face("accent"))
    return lines


def _loose(item: _Node) -> bool:
    return any(
        child.token.type == "paragraph_open" and not child.token.hidden for child in item.children
    )


def _task(lines: list[Line]) -> list[Line]:
    """Turn the `[ ]` and `[x]` that open an item into boxes."""
    if not lines or not lines[0].spans:
        return lines
    head, *rest = lines[0].spans
    for mark, box in (("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")):
        if head.text.startswith(mark):
            spans = (Span(box, Face("accent")), Span(head.text[len(mark) :], head.face), *rest)
            return [Line(spans), *lines[1:]]
    return lines


def _prefixed(
    lines: list[Line], prefix: str, face: Face, first: str | None = None, first_face: Face = PLAIN
) -> list[Line]:
    """Set `lines` in, with `first` before the first one and `prefix` before the others."""
    result = []
    for index, line in enumerate(lines):
        head = Span(first, first_face) if first is not None and not index else Span(prefix, face)
        result.append(Line((head, *line.spans), line.fill))
    return result


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
