"""The text of an output: what a terminal would show in the end, valid whatever was printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaverd.tools.commands.folding import folded, is_binary, text_of

CASES = [
    ("plain\nlines\n", "plain\nlines\n"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("10%\r50%\r100%\ndone", "100%\ndone"),
    ("10%\r50%\r", "50%"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b]0;title\x07text", "text"),
    ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("bell\x07 back\x08", "bell back"),
    ("tab\tstays", "tab\tstays"),
]


@pytest.mark.parametrize(("printed", "shown"), CASES)
def test_only_what_is_seen_in_the_end_is_shown(printed: str, shown: str) -> None:
    assert folded(printed) == shown


@given(st.binary(max_size=200))
def test_any_bytes_become_text_without_controls(data: bytes) -> None:
    text = text_of(data)
    text.encode()
    assert not [character for character in text if character < " " and character not in "\t\n"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=100))
def test_text_is_not_binary_wherever_it_is_cut(text: str) -> None:
    data = text.encode()
    assert not any(is_binary(data[start:]) for start in range(min(4, len(data) + 1)))
    assert text_of(data) == text


@pytest.mark.parametrize("data", [b"a\0b", bytes(range(128, 256)) * 4])
def test_other_bytes_are_binary(data: bytes) -> None:
    assert is_binary(data)


def test_a_text_in_an_old_encoding_is_shown() -> None:
    data = "naïve café, all in latin-1, which has few such letters".encode("latin-1")
    assert not is_binary(data)
    assert text_of(data).startswith("na\ufffdve caf\ufffd")
