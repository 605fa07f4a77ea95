"""A selection is the same text in every layout: its ends are places in the text, not rows."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from palaver.wire.messages import Reasoning, ToolCall, ToolResult
from palaver_tui.transcript.folds import Folds
from palaver_tui.transcript.selection import Selection
from support.examples import examples
from tui.replay import answer
from tui.test_viewport import FIRST, Event, Reader, events, widths

TABLE = """\
| key | what it does |
|---|---|
| j | goes down by a line, or by as many as the number that was typed |
| k | goes up by a line, or by as many as the number that was typed |
"""
HEAD, _RULE, J, K = TABLE.splitlines()
PICTURE = "It is here: ![a map of the town](map.png), in the north."


@pytest.mark.parametrize(
    ("text", "start", "end", "selected"),
    [
        pytest.param(f"{TABLE}\nlast", "├", "╰", f"{J}\n{K}", id="rows from border to border"),
        pytest.param(TABLE, "├", "╰", f"{J}\n{K}", id="to the last line of a message"),
        pytest.param(f"{TABLE}\nlast", "╰", "la", "la", id="from the border below"),
        pytest.param(f"{TABLE}\n{TABLE}", "╰", "├", HEAD, id="from one table into another"),
        pytest.param(f"{TABLE}\n- item", "k ", "•", K, id="to a bullet"),
        pytest.param(PICTURE, "here", "of", PICTURE[6:41], id="into the words for a picture"),
        pytest.param(PICTURE, "town", "in", PICTURE[12:45], id="out of the words for a picture"),
    ],
)
def test_an_end_on_a_border_or_in_a_picture_is_at_the_same_text_in_every_width(
    text: str, start: str, end: str, selected: str
) -> None:
    reader = Reader(1, size=(60, 40))
    reader.show(replace(reader.view, messages=(answer(FIRST + 100, text),)))
    selection = Selection(reader.viewport)
    row, x = where(reader, start)
    selection.press(x, row)
    row, x = where(reader, end, row)
    selection.drag(x + len(end), row)
    selection.release()
    places = selection.places()
    for width in (60, 24, 12, 100, 41, 60):
        reader.viewport.resize(width, 40)
        reader.viewport.settle()
        assert selection.text("source").strip() == selected
    assert selection.places() == places


OUTPUT = "\n".join(f"line{n} {'ab' * 3 * n} and {'cd ef' * n} of it" for n in range(7))
LONG_OUTPUT = "\n".join([*(f"row{n}" for n in range(40)), OUTPUT])


@examples(60)
@given(
    cells=st.tuples(st.integers(0, 59), st.integers(1, 30), st.integers(0, 59), st.integers(1, 30)),
    width=st.integers(40, 80),
)
def test_so_is_an_end_in_reasoning_or_in_the_output_of_a_tool(
    cells: tuple[int, int, int, int], width: int
) -> None:
    reader = Reader(1, size=(60, 40))
    thought = Reasoning("One two three four.\n\n" + "five six seven " * 9)
    call = ToolCall(
        "c1", "own", '{"path": "a.py", "why": "for many words on several lines, as here"}'
    )
    result = answer(FIRST + 101, ToolResult("c1", OUTPUT))
    reader.show(replace(reader.view, messages=(answer(FIRST + 100, thought, call), result)))
    reader.viewport.set_folds(Folds(frozenset({"reasoning", "call"})))
    selection = Selection(reader.viewport)
    selection.press(*cells[:2])
    selection.drag(*cells[2:])
    selection.release()
    places, text = selection.places(), letters(selection)
    reader.viewport.resize(width, 60)
    reader.viewport.settle()
    assert letters(selection) == text
    reader.viewport.resize(60, 40)
    reader.viewport.settle()
    assert selection.places() == places


def test_an_end_below_the_folded_middle_of_an_output_stays_at_its_word() -> None:
    reader = Reader(1, size=(60, 40))
    call = ToolCall("c1", "own", "{}")
    result = answer(FIRST + 101, ToolResult("c1", LONG_OUTPUT))
    reader.show(replace(reader.view, messages=(answer(FIRST + 100, call), result)))
    reader.viewport.set_folds(Folds(frozenset({"call"})))
    selection = Selection(reader.viewport)
    row, x = where(reader, "line5")
    selection.press(x, row)
    row, x = where(reader, "line6")
    selection.drag(x, row)
    selection.release()
    for width in (60, 100, 50, 41):
        reader.viewport.resize(width, 60)
        reader.viewport.settle()
        assert letters(selection) == "".join(OUTPUT.split("\n")[5].split())


def letters(selection: Selection) -> str:
    """Return the selected text without blanks, line feeds and marks of lines that go on."""
    return "".join(selection.text("source").replace("↪", "").split())


def where(reader: Reader, words: str, from_row: int = 0) -> tuple[int, int]:
    """Return the row and the cell of `words`, which have to be in a row from `from_row` on."""
    return next(
        (row, line.index(words))
        for row, line in enumerate(reader.lines())
        if row >= from_row and words in line
    )


@examples(60, shrinks=False)
@given(seed=st.integers(0, 999), size=st.tuples(widths, st.integers(5, 40)), happens=events)
@example(seed=0, size=(30, 5), happens=[])  # begins at a bullet
@example(seed=5, size=(30, 5), happens=[])  # begins between two messages
@example(seed=6, size=(30, 5), happens=[])  # begins left of a wrapped line
@example(seed=271, size=(30, 5), happens=[])  # ends on the border below a table, as the next four
@example(seed=274, size=(30, 5), happens=[])
@example(seed=715, size=(30, 5), happens=[])
@example(seed=821, size=(30, 5), happens=[])
@example(seed=837, size=(30, 5), happens=[])
@example(seed=533, size=(30, 5), happens=[])  # begins on that border, as the next two
@example(seed=664, size=(30, 5), happens=[])  # and ends between the head and the rows of another
@example(seed=882, size=(30, 5), happens=[])
@example(seed=252, size=(41, 5), happens=[])  # ends inside bold text, where a line is broken
def test_what_is_selected_is_the_same_text_whatever_happens(
    seed: int, size: tuple[int, int], happens: list[Event]
) -> None:
    reader = Reader(seed)
    reader.read(0.5)
    selection = Selection(reader.viewport)
    selection.press(4, 2)
    selection.drag(9, 6)
    selection.release()
    text = selection.text("source")
    happens = [event for event in happens if event not in {Reader.fold, Reader.commit}]
    for event in happens:
        event(reader)
    reader.viewport.resize(*size)
    reader.viewport.settle()
    assert selection.text("source").split() == text.split()


def test_drawing_what_is_selected_far_away_lays_out_nothing_in_a_new_width() -> None:
    reader = Reader(4, messages=60)
    reader.read(0.2)
    viewport, selection = reader.viewport, Selection(reader.viewport)
    selection.press(4, 2)
    selection.drag(9, 6)
    viewport.follow()
    viewport.resize(44, 20)
    viewport.settle()
    before = viewport.column.version
    for row in range(viewport.height):
        assert list(selection.marks(viewport.top + row)) == []
    assert viewport.column.version == before
    assert selection.some


def test_beyond_the_view_it_scrolls_the_further_out_the_faster() -> None:
    reader = Reader(4, messages=60)
    reader.read(0.5)
    viewport, selection = reader.viewport, Selection(reader.viewport)
    selection.press(4, 2)
    for y, by in ((-1, -1), (-7, -7), (20, 1), (25, 6), (3, 0)):
        selection.drag(4, y)
        top = viewport.top
        selection.scroll_on()
        assert (selection.beyond, viewport.top - top) == (by, by)
    selection.release()
    selection.drag(4, -5)
    assert selection.beyond == 0
