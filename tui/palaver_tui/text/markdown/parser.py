"""The Markdown parser: CommonMark with tables, strikethrough, formulas and CJK emphasis.

HTML is off: tags are shown as written, except `<br>` in a table's cell, where Markdown has no other
line break. `linkify` is off, too: it needs another package and rarely finds what the author meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt, rules_block
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from palaver_tui.text.markdown.emphasis import Inlines
from palaver_tui.text.markdown.formulas import formula_block, formula_inline
from palaver_tui.text.markdown.metadata import LEVEL
from palaver_tui.text.markdown.table_rows import keeping_cells

# Lists and quotes nested deeper are text, with their marks. Parsing and laying out takes up to ten
# nested calls a level, and Python allows a thousand; nobody writes fifty lists (two levels each).
DEEPEST = 100
_IN_CELL = "in_cell"  # in `env`
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_INTERRUPTING = ["paragraph", "reference", "blockquote", "list"]  # blocks a formula may interrupt
_BlockRule = Callable[[StateBlock, int, int, bool], bool]
# The inline rules that CommonMark does not have.
OWN_INLINE: dict[str, Callable[[StateInline, bool], bool]]


def _bounded(rule: _BlockRule) -> _BlockRule:
    """Return a rule for containers that applies only up to `DEEPEST` levels."""

    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        level = state.level + state.env.get(LEVEL, 0)
        return level < DEEPEST and rule(state, start, end, silent)

    return bounded


def _line_break(state: StateInline, silent: bool) -> bool:
    """Inline rule of markdown-it: parse `<br>` in a table's cell as a hard break."""
    if state.src[state.pos] != "<" or not state.env.get(_IN_CELL):
        return False
    found = _BREAK.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


OWN_INLINE = {"formula": formula_inline, "line_break": _line_break}


def build() -> MarkdownIt:
    """Return a new parser."""
    # Beyond `maxNesting` markdown-it omits blocks; `_bounded` ensures that none nests so deep.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 2 * DEEPEST})
    parser.enable("table")
    parser.block.ruler.at("table", keeping_cells(rules_block.table), {"alt": _INTERRUPTING[:2]})
    parser.block.ruler.at("list", _bounded(rules_block.list_block), {"alt": _INTERRUPTING[:3]})
    parser.block.ruler.at("blockquote", _bounded(rules_block.blockquote), {"alt": _INTERRUPTING})
    parser.block.ruler.before("fence", "formula", formula_block, {"alt": _INTERRUPTING})
    # Inline nesting keeps markdown-it's lower limit, as pairing nested brackets takes long; deeper
    # ones are text.
    shallow = MarkdownIt()
    shallow.inline = Inlines()
    shallow.configure("commonmark", {"html": False}).enable("strikethrough")
    shallow.inline.ruler.before("escape", "formula", OWN_INLINE["formula"])
    shallow.inline.ruler.before("autolink", "line_break", OWN_INLINE["line_break"])

    def inlines(state: StateCore) -> None:
        for token in state.tokens:
            if token.type in ("th_open", "td_open"):
                state.env[_IN_CELL] = True
            elif token.type in ("th_close", "td_close"):
                del state.env[_IN_CELL]
            elif token.type == "inline":
                token.children = shallow.inline.parse(token.content, shallow, state.env, [])

    parser.inline = shallow.inline
    parser.core.ruler.at("inline", inlines)
    return parser
