"""Replacing a passage: what is found, what is refused, and what stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaverd.tools.files.replacement import NotReplaced, replaced

CODE = "def f():\n    if a:\n        b()\n    return c\n"


def test_a_passage_is_replaced_as_it_is() -> None:
    assert replaced(CODE, "b()", "d()") == CODE.replace("b()", "d()")


def test_blanks_at_the_ends_of_lines_do_not_matter() -> None:
    text = "one  \ntwo\t\nthree\n"
    assert replaced(text, "one\ntwo\n", "1\n2\n") == "1\n2\nthree\n"
    assert replaced("one\ntwo\n", "one \ntwo  \n", "1\n") == "1\n"


def test_indentation_is_taken_from_the_file() -> None:
    old, new = "if a:\n    b()", "if a:\n    if d:\n        b()\n    e()"
    assert replaced(CODE, old, new) == (
        "def f():\n    if a:\n        if d:\n            b()\n        e()\n    return c\n"
    )


def test_tabs_in_the_file_stay_tabs() -> None:
    text = "def f():\n\tif a:\n\t\tb()\n"
    assert replaced(text, "if a:\n    b()", "if a:\n    d()\n    b()") == (
        "def f():\n\tif a:\n\t\td()\n\t\tb()\n"
    )


def test_other_shapes_of_indentation_are_another_text() -> None:
    with pytest.raises(NotReplaced):
        replaced("if a:\nb()\n", "if a:\n    b()", "x")


def test_the_endings_of_the_file_are_kept() -> None:
    assert replaced("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n") == "x\r\ny\r\nc\r\n"
    assert replaced("a\nb\n", "a\r\nb", "x\r\ny") == "x\ny\n"
    assert replaced("a\r\nb\nc\r\nd\r\n", "b\nc", "x") == "a\r\nx\r\nd\r\n"


def test_a_passage_that_is_there_more_than_once_is_refused_with_its_lines() -> None:
    text = "x = 1\ny\nx = 1\n"
    with pytest.raises(NotReplaced, match="2 times, in lines 1, 3"):
        replaced(text, "x = 1", "x = 2")
    assert replaced(text, "x = 1", "x = 2", every=True) == "x = 2\ny\nx = 2\n"
    with pytest.raises(NotReplaced, match="2 times, in lines 1, 3"):
        replaced("  x = 1\ny\n  x = 1\n", "x = 1 \n", "x = 2\n")


def test_what_is_most_like_it_is_shown() -> None:
    with pytest.raises(NotReplaced, match="most like it are lines 2 to 3") as refused:
        replaced(CODE, "    if a:\n        bb()\n", "x\n")
    assert str(refused.value).endswith("    if a:\n        b()")


@pytest.mark.parametrize("old", ["", "c", "return"])
def test_what_would_change_nothing_is_refused(old: str) -> None:
    with pytest.raises(NotReplaced):
        replaced(CODE, old, old)


LINES = st.lists(st.sampled_from(["a", " a", "  b", "\tb", "", "c ", "a\tb"]), max_size=12)


@given(LINES, st.data(), st.sampled_from(["\n", "\r\n"]))
def test_only_the_passage_changes(lines: list[str], data: st.DataObject, ending: str) -> None:
    """Whatever a passage of the text, unique in it, is replaced by, the rest is as it was."""
    start = data.draw(st.integers(0, len(lines)))
    end = data.draw(st.integers(start, len(lines)))
    text = ending.join(lines)
    old = ending.join(lines[start:end])
    if not old or text.count(old) != 1:
        return
    new = "\n".join(data.draw(LINES))
    if old.replace("\r\n", "\n") == new:
        return
    at = text.index(old)
    wanted = text[:at] + new.replace("\n", ending) + text[at + len(old) :]
    mixed = "\n" in text and "\r\n" in text
    if mixed or ending == "\n" or "\n" in text:
        assert replaced(text, old, new) == wanted


@given(st.text(max_size=60), st.text(max_size=12), st.text(max_size=12))
def test_whatever_it_is_given_it_replaces_or_says_why(text: str, old: str, new: str) -> None:
    try:
        after = replaced(text, old, new)
    except NotReplaced:
        return
    assert new.replace("\r\n", "\n").strip() in after.replace("\r\n", "\n") or "\n" in new
