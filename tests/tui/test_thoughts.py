"""Growing reasoning shows the lines of the whole, and only its end is laid out again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver_tui.text.open_block import words as growing_words
from palaver_tui.text.open_block.words import GrowingWords
from palaver_tui.text.spans import Span
from palaver_tui.text.wrap import wrap
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.thoughts import ReasoningBlock
from support.examples import examples

OPEN = Folds(frozenset({"reasoning"}))
KEY = FoldKey("reasoning", "3.1", 0)
PIECES = [
    "word ",
    "longer-than-a-line" * 3,
    " ",
    "\t",
    "\n",
    "\n\n",
    "漢字かな",
    "👨‍👩‍👧",
    "e\u0301",
    "ab",
]
# Repeated, because most generated lists are short, and some rows have to be long enough to be kept.
repeated = st.tuples(st.lists(st.sampled_from(PIECES), max_size=8), st.integers(1, 40))
texts = st.lists(repeated.map(lambda some: "".join(some[0]) * some[1]), max_size=6).map("".join)
widths = st.sampled_from([5, 12, 40])


@examples(150)
@given(st.lists(st.sampled_from(PIECES), max_size=40), widths, st.integers(1, 40))
def test_words_that_grow_break_where_they_would_at_once(
    pieces: list[str], width: int, each: int
) -> None:
    row = GrowingWords(Span("").face, width)
    text = ""
    shown: list[Any] = []
    for piece in pieces * 8:
        text += piece.replace("\n", " ")
        first = row.update(text)
        shown = shown[:first] + row.rows[first:]
        assert shown == row.rows == wrap([Span(text)], width)


def block(growing: bool = True) -> ReasoningBlock:
    made = ReasoningBlock(KEY, growing=growing)
    made.show(OPEN)
    return made


@examples(100)
@given(texts, st.lists(st.integers(0, 3000), max_size=20), widths)
def test_any_split_of_reasoning_shows_the_lines_of_the_whole(
    text: str, cuts: list[int], width: int
) -> None:
    growing, at = block(), 0
    shown: list[Any] = []
    for cut in [*sorted(cuts), len(text)]:
        growing.feed(text[at:cut])
        at = max(at, cut)
        changed = growing.layout(width)
        shown = shown[:changed] + growing.lines[changed:]
        assert shown == growing.lines
    whole = block()
    whole.feed(text)
    whole.layout(width)
    assert growing.lines == whole.lines
    bare = [line.text.rstrip("│ ") for line in growing.unfolded(width)]
    assert [line.text.rstrip("│ ") for line in growing.lines] == bare[: len(growing.lines)]
    assert not any(bare[len(growing.lines) :])


def test_a_word_more_of_a_long_row_sets_only_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def counted(spans: list[Span], width: int) -> list[tuple[Span, ...]]:
        taken.append(sum(len(span.text) for span in spans))
        return wrap(spans, width)

    monkeypatch.setattr(growing_words, "wrap", counted)
    growing = block()
    changed = []
    for _ in range(4000):
        growing.feed("word ")
        changed.append(len(growing.lines) - growing.layout(80))
    assert max(taken) < 1000
    # The head, with the number of words, changes only every ten words if there are many.
    assert sum(lines > 12 for lines in changed[200:]) <= len(changed) / 10
