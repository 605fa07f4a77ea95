"""Choice of the layout for an open block."""

from __future__ import annotations

from collections.abc import Callable

from palaver_tui.text.markdown.formulas import FORMULA, open_formula
from palaver_tui.text.markdown.nesting import Around, item_nest, quote_nest
from palaver_tui.text.markdown.splitter import Splitter, item_number, open_fence
from palaver_tui.text.open_block.code import GrowingCode, GrowingIndented
from palaver_tui.text.open_block.formula import GrowingFormula
from palaver_tui.text.open_block.layout import GrowingBlock, GrowingParagraph, GrowingWhole
from palaver_tui.text.open_block.nest import GrowingNest, Inner
from palaver_tui.text.open_block.table import GrowingTable

# A shorter open block is laid out whole: that costs less than an incremental layout.
WHOLE_UP_TO = 300  # characters


def kind_of(splitter: Splitter, text: str) -> str:
    """Return the kind of the open `text`, for `layout_of`; "" to lay out all of it each time."""
    if open_fence(text) is not None:
        return "fence"
    if open_formula(text) is not None:
        return FORMULA
    shape = splitter.shape
    return shape if shape == "table" or len(text) >= WHOLE_UP_TO else ""


def layout_of(
    kind: str,
    splitter: Splitter,
    width: int,
    around: Around,
    inside: Callable[[Around, bool], Inner],
) -> GrowingBlock:
    """Return the layout for an open block of a kind, in the containers `around` it.

    `inside` creates the document in an item or a quote, from the containers around its text, and
    whether it is the text of an item.
    """
    text, number = splitter.open, splitter.open_number
    fence = open_fence(text)
    if fence is not None:
        return GrowingCode(fence, width)
    match kind:
        case "formula":
            return GrowingFormula(width)
        case "paragraph":
            return GrowingParagraph(width)
        case "code":
            return GrowingIndented(width)
        case "table":
            return GrowingTable(width)
        case "item":
            if number is None:
                number = item_number(text)
            following = None if number is None else number + 1
            inner = inside(around.in_item(), True)
            return GrowingNest(inner, item_nest(number, around), width, following)
        case "quote":
            inner = inside(around.in_quote(), False)
            return GrowingNest(inner, quote_nest(around), width, None)
        case _:
            return GrowingWhole(width, number, around)
