r"""TeX formulas in Markdown, shown as written.

Inline: `$…$` and `\(…\)`. Displayed: `$$…$$`, `\[…\]` and `\begin{…}…\end{…}`. `$` is also the
sign of a price and of a shell variable, so it follows pandoc's rule (tex_math_dollars): no blank
after the opening mark, none before the closing one, and no digit after that. Two more rules: code
between the marks makes it no formula, and so does a letter after the closing mark if there are
blanks between the marks, as in `$HOME and $PATH`.

A displayed formula that begins a line is a block: its lines are part of it whatever they look like
(`- c` is no item there) up to the closing mark or a blank line, which TeX does not allow in a
formula. Like a fence it need not be closed, so that an open one already looks like a formula.

The plugins of mdit-py-plugins 0.7 are not used: `dollarmath` finds no formula at the start of a
text that ends in a digit, `texmath` knows `\[…\]` only as a block, reads on over blank lines
and out of quotes, and both show a block as text until it is closed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from palaver_tui.text.markdown.symbols import as_unicode

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

FORMULA = "formula"  # the token's type

_ENVIRONMENTS = r"(?:equation|align|gather|multline|alignat|flalign|eqnarray)\*?"
_IN_LINE = re.compile(
    r"""
      \$(?![\s$]) (?:\\.|[^\\$`])* (?<!\s)\$ (?!\d)  |
      \\\( (?:\\[^)]|[^\\])+ \\\)
    """,
    re.DOTALL | re.VERBOSE,
)
_DISPLAYED = re.compile(
    r"""
      \$\$ (?:\\.|(?!\$\$)[^\\])+ \$\$  |
      \\\[ (?:\\[^\]]|[^\\])+ \\\]      |
      \\begin\{(\w+\*?)\} .*? \\end\{\1\}
    """,
    re.DOTALL | re.VERBOSE,
)
# The first line of a formula of several lines.
_OPENS = re.compile(rf"(\$\$|\\\[)[ \t]*(?:\n|\Z)|\\begin\{{({_ENVIRONMENTS})\}}")
_VARIABLES = re.compile(r"\$[^\s$]*\s.*\$(?=[A-Za-z_({])", re.DOTALL)
_CLOSING = {"$$": "$$", "\\[": "\\]"}
# The closing mark, by the character after the backslash of the opening one.
_ENDS = {"(": "\\)", "[": "\\]", "b": "\\end{"}
_INDENT = re.compile(r" {0,3}")


class OpenFormula(NamedTuple):
    """The displayed formula that a text begins with: its closing mark, the offset of its body."""

    closing: str
    body: int

    def is_closed_by(self, line: str) -> bool:
        """Return whether `line` is the last one of the formula."""
        return line.rstrip().endswith(self.closing)


def open_formula(text: str) -> OpenFormula | None:
    """Return the formula of several lines that `text` begins with; None if there is none."""
    indent = _INDENT.match(text)
    at = indent.end() if indent else 0
    opened = _OPENS.match(text, at)
    if opened is None:
        return None
    closing = _CLOSING.get(opened[1]) or rf"\end{{{opened[2]}}}"
    end = text.find("\n", at) + 1 or len(text)
    formula = OpenFormula(closing, end)
    return None if opened[2] and formula.is_closed_by(text[at:end]) else formula


def formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule of markdown-it: parse a displayed formula as one paragraph."""
    if state.is_code_block(start):
        return False
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].rstrip()
    formula = open_formula(first)
    if formula is None and not _DISPLAYED.fullmatch(first):
        return False
    if silent:
        return True
    after = start + 1
    while formula is not None and after < end:
        # A line indented less is outside of the item or quote.
        if state.isEmpty(after) or state.sCount[after] < state.blkIndent:
            break
        after += 1
        if formula.is_closed_by(state.src[state.bMarks[after - 1] : state.eMarks[after - 1]]):
            break
    state.line = after
    state.push("paragraph_open", "p", 1).map = [start, after]
    content = state.push("inline", "", 0)
    content.map, content.children = [start, after], []
    content.content = state.getLines(start, after, state.blkIndent, False).strip()
    state.push("paragraph_close", "p", -1)
    return True


def formula_inline(state: StateInline, silent: bool) -> bool:
    """Inline rule of markdown-it: parse a formula as one token, with its marks or as a symbol."""
    if state.src[state.pos] not in "$\\":
        return False
    end = _end(state.src, state.pos)
    if end is None or end > state.posMax:
        return False
    if not silent:
        written = state.src[state.pos : end]
        token = state.push(FORMULA, "math", 0)
        token.content = as_unicode(written) or _rows(written)
    state.pos = end
    return True


def _rows(written: str) -> str:
    """Return the text shown for a formula: only a displayed one keeps its line breaks."""
    is_displayed = _DISPLAYED.match(written) or open_formula(written)
    return written if is_displayed else written.replace("\n", " ")


def _end(text: str, at: int) -> int | None:
    """Return the end of the formula that begins at `at`; None if none begins there."""
    closing = "$" if text[at] == "$" else _ENDS.get(text[at + 1 : at + 2])
    if closing is None:
        return None
    # Without this check each of many unclosed marks would be searched to the end of the text.
    has_end = text.find(closing, at + 1) >= 0
    if has_end and (found := _DISPLAYED.match(text, at)):
        return found.end()
    if at == 0 and open_formula(text) is not None:
        return len(text)
    found = _IN_LINE.match(text, at) if has_end else None
    if found is None or (text[at] == "$" and _VARIABLES.match(text, at, found.end() + 1)):
        return None
    return found.end()
