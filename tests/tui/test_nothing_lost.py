"""Every word of a text is displayed, however deeply it is nested."""

import random
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.wrap import width_of
from support.examples import examples
from tui.test_layout import streamed, whole

WIDTHS = (20, 60, 120)
MARKS = {"bullet": "- ", "number": "1. ", "quote": "> "}


class Words:
    """Creates unique words that are short enough for the narrowest place."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self) -> str:
        self.made.append(f"w{len(self.made)}x")
        return self.made[-1]


LEAVES: dict[str, Callable[[Words], list[str]]] = {
    "words": lambda w: [f"{w()} *{w()}* {w()}", f"{w()} `{w()}`"],
    "code": lambda w: ["```py", w(), f" {w()}", "```"],
    "heading": lambda w: [f"## {w()} {w()}"],
    "table": lambda w: [
        f"| {w()} | {w()} | {w()} |",
        "|---|--:|---|",
        f"| {w()} | {w()}<br>{w()} | {w()} | {w()} |",
    ],
    "formula": lambda w: ["$$", f"- {w()} &= {w()}", "$$"],
    "tasks": lambda w: [f"- [ ] {w()}", f"- [x] {w()}"],
}


def set_in(marks: list[str], lines: list[str]) -> list[str]:
    """Return lines nested in containers, the outermost first."""
    for mark in reversed(marks):
        rest = mark if mark == "> " else " " * len(mark)
        lines = [(rest if number else mark) + line for number, line in enumerate(lines)]
    return [line.rstrip() for line in lines]


def level_by_level(marks: list[str], lines: list[str], word: Words) -> list[str]:
    """Return lines nested in containers that each begin with a word of their own."""
    for mark in reversed(marks):
        lines = set_in([mark], [word(), "", *lines])
    return lines


branches = st.lists(
    st.tuples(
        st.lists(st.sampled_from(list(MARKS.values())), max_size=40),
        st.sampled_from(list(LEAVES)),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
TEN = [(["- "] * 10, "words", True), ([], "heading", False), ([], "words", False)]
THIRTY = [([mark] * 30, leaf, True) for mark in MARKS.values() for leaf in ("code", "table")]
QUOTES = [(["> "] * 25, leaf, False) for leaf in LEAVES]
ENDLESS = [(["- ", "> "] * 60, "words", False), (["> "] * 300, "words", False)]


@examples(60)
@given(branches, st.randoms(use_true_random=False))
@example(TEN, random.Random(1))
@example(THIRTY, random.Random(2))
@example(QUOTES, random.Random(3))
@example(ENDLESS, random.Random(4))
def test_every_word_is_on_the_screen_however_deeply_it_is_set_in(
    described: list[tuple[list[str], str, bool]], chance: random.Random
) -> None:
    word = Words()
    lines: list[str] = []
    for marks, leaf, stepwise in described:
        made = LEAVES[leaf](word)
        lines += level_by_level(marks, made, word) if stepwise else set_in(marks, made)
        lines += ["", word(), ""]
    text = "\n".join(lines)
    for width in WIDTHS:
        laid = whole(text, width)
        shown = " ".join(line.text for line in laid).split()
        assert set(word.made) <= {part.strip("$:") for part in shown}, text
        assert all(width_of(line.text) <= width for line in laid), text
    cuts = sorted(chance.randrange(len(text)) for _ in range(6))
    assert streamed(text, cuts, 60) == whole(text, 60)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("levels", [10, 30])
def test_lists_in_lists_and_all_that_follows_them_are_drawn(levels: int, width: int) -> None:
    text = "".join(f"{'  ' * level}- level {level}\n" for level in range(levels))
    lines = [line.text for line in whole(f"{text}- next\n\n# Head\n\nThe end.\n", width)]
    shown = [line.strip() for line in lines]
    # Each has its bullet where there is room.
    expected = [f"{'•◦▪'[level % 3]} level {level}" for level in range(levels)]
    if width > 20:
        assert [line for line in shown if "level" in line] == expected
    else:
        assert "".join(expected).replace(" ", "") in "".join(shown).replace(" ", "")
    assert [line for line in shown if line][-4:-1] == ["• next", "Head", "━━━━"]
    assert shown[-1] == "The end."


@pytest.mark.parametrize("marks", ["- ", "> ", "> - "])
def test_what_nests_too_deep_can_be_written_bit_by_bit(marks: str) -> None:
    text = marks * 150 + "words " * 60
    document = MarkdownDocument()
    for start in range(0, len(text), 31):
        document.feed(text[start : start + 31])
        document.layout(60)
    assert "words" in document.lines[-1].text


def test_text_without_room_to_be_set_in_keeps_the_room_there_is() -> None:
    # Four levels of three cells leave ten of 22; there is no room for the other two.
    assert whole("- - - - - - abcde fghi", 22)[0].text == " •  ◦  ▪  • abcde fghi"


@pytest.mark.parametrize("width", [6, 10])
def test_no_screen_is_too_narrow_for_the_marks(width: int) -> None:
    lines = [line.text for line in whole("- one\n- two\n  - three\n\n> four\n", width)]
    assert lines == [" • one", " • two", " ◦ three", "", "▎ four"]


def test_numbers_and_bars_without_room_stand_in_the_margin_around_them() -> None:
    text = "".join(f"{'   ' * level}1. item\n" for level in range(7)) + "\n> > > > > > > > x"
    assert [line.text for line in whole(text, 20)] == [
        " 1. item",
        "     1. item",
        "         1. item",
        "         1. item",
        "         1. item",
        "         1. item",
        "         1. item",
        "",
        "▎ ▎ ▎ ▎ ▎ ▎ x",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_without_room_for_its_columns_is_a_list_whole_and_while_it_grows(
    width: int,
) -> None:
    heads = [f"h{number}" for number in range(9)]
    rows = [[f"c{row}{number}" for number in range(9)] for row in range(3)]
    text = "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * 9, *rows)) + "\n"
    lines = whole(text, width)
    assert all(width_of(line.text) <= width for line in lines)
    if width == 20:
        assert [line.text for line in lines][3:6] == ["─" * 20, "h0: c00", "h1: c01"]
    document = MarkdownDocument()
    for start in range(0, len(text), 5):
        document.feed(text[start : start + 5])
        document.layout(width)
    words = " ".join(line.text for line in document.lines).split()
    assert {cell for row in rows for cell in row} <= set(words)
    document.finish()
    document.layout(width)
    assert document.lines == lines


def test_no_cell_of_a_row_is_left_out() -> None:
    lines = whole("| a | b |\n|---|---|\n| 1 | x|y | z\\|w |\n| 2 |\n", 60)
    assert "│ 1 │ x|y | z|w │" in [line.text for line in lines]
