r"""Formulas: what stands between the marks of TeX is shown as it was written.

In a line `$…$` and `\(…\)`, displayed `$$…$$`, `\[…\]` and `\begin{…}…\end{…}`. Of these marks
`$` is also a price and a variable of a shell, so it counts by pandoc's rule (tex_math_dollars): no
blank after the first, none before the second, and no digit after that. Two things more keep it off
what is no formula: code between the marks, and a letter after the second where there are blanks
between, as in `$HOME and $PATH`.

A displayed formula that begins a line is a block: its lines keep together whatever they look like
(`- c` is no item there) up to the second mark or a blank line, which TeX allows in none. Like a
fence it need not be closed, so that one that is still being written looks as it will.

The plugins of mdit-py-plugins 0.7 do otherwise: `dollarmath` takes no formula at the start of a
text that ends in a digit, `texmath` knows `\[…\]` only as a block, reads on over blank lines
and out of quotes, and both show a block as text until its end has come.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from palaver_tui.text.markdown.symbols import as_unicode

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

FORMULA = "formula"  # the type of the token

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
# The first line of a block that goes on.
_OPENS = re.compile(rf"(\$\$|\\\[)[ \t]*(?:\n|\Z)|\\begin\{{({_ENVIRONMENTS})\}}")
_VARIABLES = re.compile(r"\$[^\s$]*\s.*\$(?=[A-Za-z_({])", re.DOTALL)
_CLOSING = {"$$": "$$", "\\[": "\\]"}
# What ends a formula, by the character behind the backslash that begins it.
_ENDS = {"(": "\\)", "[": "\\]", "b": "\\end{"}
_INDENT = re.compile(r" {0,3}")


class OpenFormula(NamedTuple):
    """The displayed formula that a text begins with: what ends it, and where its body starts."""

    closing: str
    body: int

    def is_closed_by(self, line: str) -> bool:
        """Say whether a line is the last one."""
        return line.rstrip().endswith(self.closing)


def open_formula(text: str) -> OpenFormula | None:
    """Return the formula of several lines whose first line `text` begins with, if it does."""
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
    """Keep the lines of a displayed formula together, as a paragraph of its own."""
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
        # A line further out is not in the item or quote any more.
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
    """Take a formula as one token, with its marks, or the symbol that it is."""
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
    """Return a formula as it is shown: a displayed one keeps its lines."""
    is_displayed = _DISPLAYED.match(written) or open_formula(written)
    return written if is_displayed else written.replace("\n", " ")


def _end(text: str, at: int) -> int | None:
    """Return where the formula ends that begins at a place; None if none does."""
    closing = "$" if text[at] == "$" else _ENDS.get(text[at + 1 : at + 2])
    if closing is None:
        return None
    # Of many marks that nothing closes, each would be searched to the end of the text.
    has_end = text.find(closing, at + 1) >= 0
    if has_end and (found := _DISPLAYED.match(text, at)):
        return found.end()
    if at == 0 and open_formula(text) is not None:
        return len(text)
    found = _IN_LINE.match(text, at) if has_end else None
    if found is None or (text[at] == "$" and _VARIABLES.match(text, at, found.end() + 1)):
        return None
    return found.end()
