"""Each example of the CommonMark specification, fed in any pieces, has the lines of the whole."""

import random
from functools import cache

import pytest

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.visible import visible
from support.commonmark import Example, examples
from support.require import require
from tui.test_layout import streamed, whole

WIDTHS = (20, 40, 80, 200)
PARTS = 8  # which can run in parallel


@cache
def _all() -> list[Example]:
    return examples()


def part(number: int) -> list[Example]:
    require("commonmark")
    found = _all()
    assert len(found) > 600
    return found[number::PARTS]


@pytest.mark.parametrize("number", range(PARTS))
def test_an_example_ends_as_it_would_whole_however_it_is_cut(number: int) -> None:
    for example in part(number):
        text, chance = example.markdown, random.Random(example.example)
        for width in WIDTHS:
            cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randint(1, 6)))
            assert streamed(text, cuts, width) == whole(text, width), (example, width, cuts)
        every = list(range(1, len(text)))
        assert streamed(text, every, 40) == whole(text, 40), example


@pytest.mark.parametrize("number", range(PARTS))
def test_two_examples_after_each_other_end_as_they_would_whole(number: int) -> None:
    chance = random.Random(number)
    for example in part(number):
        text = example.markdown + chance.choice(["", "\n"]) + chance.choice(_all()).markdown
        cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randint(1, 9)))
        assert streamed(text, cuts, 40) == whole(text, 40), (example, text, cuts)


@pytest.mark.parametrize("number", range(PARTS))
def test_all_of_an_example_can_be_copied_as_it_was_written(number: int) -> None:
    for example in part(number):
        document = MarkdownDocument(example.markdown, finished=True)
        document.layout(40)
        # Without a visible word there is nothing to select.
        if any(character.isalnum() for line in document.lines for character in line.text):
            copied = document.source_between((0, 0), (10**6, 0))
            assert copied.strip() == visible(example.markdown).strip(), example
