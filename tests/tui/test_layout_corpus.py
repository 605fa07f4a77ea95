"""Any split of any text of the corpus is laid out to the lines of the whole text."""

import random

import pytest

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.wrap import width_of
from support.examples import TIMES
from tui.corpus import ALL, LONG
from tui.test_layout import streamed, whole

WIDTHS = [20, 33, 60, 100, 200]
# Up to this length every position of a cut is tried.
SHORT = 260
# Pieces of a long text: each is laid out anew where it cannot be continued.
PIECES = 400 * TIMES


@pytest.mark.parametrize("name", ALL)
def test_a_text_fed_in_small_pieces_ends_as_it_would_whole(name: str) -> None:
    text = ALL[name]
    small = max(1 if len(text) < 1500 else 7, len(text) // PIECES)
    for width, step in ((60, small), (20, small + 6), (200, small + 10)):
        assert streamed(text, list(range(0, len(text), step)), width) == whole(text, width)


@pytest.mark.parametrize("name", ALL)
def test_a_text_cut_at_random_ends_as_it_would_whole(name: str) -> None:
    text, chance = ALL[name], random.Random(name)
    for width in WIDTHS:
        cuts = sorted(chance.randrange(len(text)) for _ in range(chance.randint(1, 12)))
        assert streamed(text, cuts, width) == whole(text, width), cuts


@pytest.mark.parametrize("name", [name for name, text in ALL.items() if len(text) <= SHORT])
def test_a_short_text_cut_in_two_anywhere_ends_as_it_would_whole(name: str) -> None:
    text = ALL[name]
    expected = whole(text, 40)
    # One of three positions of the longer ones: each is passed in small pieces, above.
    for cut in range(1, len(text), 3 if len(text) > 100 and TIMES == 1 else 1):
        assert streamed(text, [cut], 40) == expected, cut


@pytest.mark.parametrize("seed", range(25))
def test_texts_after_each_other_end_as_they_would_whole(seed: int) -> None:
    chance = random.Random(seed)
    parts = [chance.choice(list(ALL.values())) for _ in range(chance.randint(2, 5))]
    text = chance.choice(["", "\n", "\n\n"]).join(parts)
    cuts = sorted(chance.randrange(len(text)) for _ in range(chance.randint(1, 40)))
    width = chance.choice(WIDTHS)
    assert streamed(text, cuts, width) == whole(text, width)


@pytest.mark.parametrize("name", ALL)
def test_all_of_a_text_can_be_copied_as_it_was_written(name: str) -> None:
    for width in (20, 100):
        document = MarkdownDocument(ALL[name], finished=True)
        document.layout(width)
        assert document.source_between((0, 0), (10**6, 0)) == ALL[name]
        assert document.plain_between((0, 0), (10**6, 0)).strip()


@pytest.mark.parametrize("name", ALL)
def test_no_line_is_wider_than_the_column_or_holds_a_control(name: str) -> None:
    for width in WIDTHS[1:]:  # not in the narrowest: a few cells are kept for deeply nested text
        for line in whole(ALL[name], width):
            assert all(0x20 <= ord(character) != 0x7F for character in line.text)
            if not line.text.lstrip("▎ •◦▪").startswith(("│", "╭", "├", "╰")):
                assert width_of(line.text) <= width, line.text


def test_the_corpus_holds_what_is_laid_out_in_parts() -> None:
    assert all(len(text) > 600 for text in LONG.values())
