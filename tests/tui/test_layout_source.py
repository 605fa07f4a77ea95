"""Displayed text can be traced to its source: a copy of it is the Markdown that was written."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver_tui.text.document import MarkdownDocument, PlainDocument
from palaver_tui.text.source import trace_cache as traces
from palaver_tui.text.source.origins import Origins
from palaver_tui.text.visible import visible
from support.examples import examples
from tui.test_layout import ALL, PIECES
from tui.test_visible import FLAGS

END = (10**9, 0)


def laid(text: str, width: int = 60, *, finished: bool = True) -> MarkdownDocument:
    document = MarkdownDocument(text, finished=finished)
    document.layout(width)
    return document


def find(
    document: MarkdownDocument | PlainDocument, words: str
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the positions, as line and column, of the start and the end of `words`."""
    for number, line in enumerate(document.lines):
        column = line.text.find(words)
        if column >= 0:
            return (number, column), (number, column + len(words))
    raise AssertionError(f"{words!r} is not shown")


def source_of(text: str, words: str, width: int = 60) -> str:
    document = laid(text, width)
    return document.source_between(*find(document, words))


texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
widths = st.sampled_from([12, 40, 80])


@examples(150)
@given(texts, widths, st.booleans())
def test_all_that_is_shown_is_the_whole_source(text: str, width: int, finished: bool) -> None:
    document = laid(text, width, finished=finished)
    shown = any(line.text.strip() for line in document.lines)
    everything = document.source_between((0, 0), END)
    if shown and not finished:  # the last character may depend on the next one
        assert text.startswith(everything)
        assert visible(everything) == document.source
    else:
        assert everything == (text if shown else "")
    if finished:
        assert document.source == visible(text)


@examples(100)
@given(texts, widths, st.data())
def test_a_selection_is_a_part_of_the_source_but_for_marks_it_lacks(
    text: str, width: int, data: st.DataObject
) -> None:
    document = laid(text, width)
    lines = document.lines
    first = data.draw(st.integers(0, max(0, len(lines) - 1)))
    last = data.draw(st.integers(first, max(0, len(lines) - 1)))
    start = (first, data.draw(st.integers(0, width)))
    end = (last, data.draw(st.integers(start[1] if first == last else 0, width)))
    found = document.source_between(start, end)
    trace = document.source_map()
    marks = {
        block.source[low:high]
        for block in trace._blocks
        for mark in document._trace(block).marks
        for low, high in ((mark.opens, mark.opened), (mark.closes, mark.closed))
    }
    assert any(bare in text for bare in _without(found, marks))


def _without(found: str, marks: set[str]) -> set[str]:
    """Return `found` without up to three marks at each end, in all variants."""
    fronts = {found}
    for _ in range(3):
        fronts |= {text.removeprefix(mark) for text in fronts for mark in marks}
    for _ in range(3):
        fronts |= {text.removesuffix(mark) for text in fronts for mark in marks}
    return fronts


@examples(100)
@given(texts, widths)
def test_every_character_shown_stands_for_the_source_it_shows(text: str, width: int) -> None:
    document = laid(text, width)
    for block in document.source_map()._blocks:
        trace = document._trace(block)
        for number, shown in enumerate(trace.lines):
            line = document.lines[block.line + number].text
            for column, run, index, length in shown:
                assert line[column : column + length] == trace.runs[run].text[index:][:length]
                if trace.leaves[trace.runs[run].leaf].kind == "frame":
                    continue
                for place in range(index, index + length):
                    low, high = trace.runs[run].starts[place], trace.runs[run].ends[place]
                    character, source = trace.runs[run].text[place], block.source[low:high]
                    assert source == character or source in ("\n", "\t")


@examples(60)
@given(texts, widths)
def test_a_place_survives_the_way_to_the_source_and_back(text: str, width: int) -> None:
    document = laid(text, width)
    places = document.source_map()
    for block in places._blocks:
        for number, shown in enumerate(document._trace(block).lines):
            for column, _run, _index, _length in shown:
                offset = places.offset_at((block.line + number, column))
                assert offset is not None
                back = places.place_at(offset)
                assert back is not None
                assert places.offset_at(back) == offset


def test_a_place_in_the_source_is_found_again_at_another_width() -> None:
    text = "one two three **four five** six seven\n\n| a | b |\n|---|---|\n| eight nine ten | x |\n"
    narrow, wide = laid(text, 14), laid(text, 80)
    for word in ("three", "five", "ten", "x"):
        offset = narrow.source_map().offset_at(find(narrow, word)[0])
        assert offset is not None
        assert offset == text.index(word)
        assert wide.source_map().place_at(offset) == find(wide, word)[0]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("a **bold text** b", "text", "text"),
        ("a **bold text** b", "text b", "**text** b"),
        ("a **bold text** b", "a bold", "a **bold**"),
        ("a **bold text** b", "a bold text b", "a **bold text** b"),
        ("a ***both* b** c", "both", "both"),
        ("a ***both* b** c", "oth b c", "***oth* b** c"),
        ("a ~~gone~~ b", "a go", "a ~~go~~"),
        ("a **bold text** b", "a bold ", "a **bold** "),
        ("a **bold text** b", " text b", " **text** b"),
        ("a `` co`de `` b", "de b", "`` de `` b"),
        ("a `co de` b", "a co ", "a `co `"),
        ("see [the link](https://a.b 'x') now", "link now", "[link](https://a.b 'x') now"),
        ("see <https://a.b> now", "see https", "see <https>"),
        ("x \\*y\\* &amp; z", "*y* &", "\\*y\\* &amp;"),
        ("a ![alt](b.png) c", "[picture: alt] c", "![alt](b.png) c"),
        ("a [x](y)y", "y", "y"),
        ("# Title #\n", "Title", "# Title #"),
        ("- one\n- two **three**\n", "two three", "- two **three**"),
        ("> quoted\n> more", "quoted more", "> quoted\n> more"),
        ("| a | b |\n|---|---|\n| 1 | c\\|d |\n", "c|d", "c\\|d |"),
        ("```py\na = 1\n\tb = 2\n```\n", "b = 2", "b = 2"),
        ("***\n", "─" * 60, "***"),
    ],
)
def test_part_of_a_block_is_copied_as_it_was_written(text: str, words: str, expected: str) -> None:
    # With text after it, so that the selection is not everything.
    assert source_of(f"{text}\n\nend", words) == expected


def test_code_selected_with_its_head_keeps_its_fence_and_without_it_is_code_alone() -> None:
    document = laid("```py\nfirst\n\nlast\n```\n\nafter\n")
    assert document.source_between((0, 0), (4, 0)) == "```py\nfirst\n\nlast\n```"
    assert document.source_between((1, 0), (3, 60)) == "first\n\nlast"
    assert document.source_between((3, 0), END) == "```py\nlast\n```\n\nafter"
    assert document.source_between((0, 0), (1, 60)) == "```py\nfirst\n```"


def test_blocks_between_are_copied_with_the_blank_lines_between_them() -> None:
    document = laid("one\n\n\n\n- a\n- b\n\n***\n\nlast **word**")
    start, _ = find(document, "one")
    _, end = find(document, "last w")
    assert document.source_between(start, end) == "one\n\n\n\n- a\n- b\n\n***\n\nlast **w**"


def test_the_code_under_a_line_is_found_with_its_tabs() -> None:
    document = laid("- item\n\n  ```py\n  a\n\n  \tb\n  ```\n\ntext\n")
    inside = [n for n, line in enumerate(document.lines) if line.fill == "code"]
    assert [document.source_map().code_at(number) for number in inside] == ["a\n\n\tb"] * 4
    assert document.source_map().code_at(0) is None


def test_plain_text_has_no_frame_and_no_wrapping() -> None:
    text = (
        "# Head\n\nsome *long* text that is\nwrapped here  \nbroken\n\n"
        "1. one\n   - [x] two\n\n> quoted words that are wrapped too\n\n"
        "```py\nx = '0123456789 0123456789'\n\n\ty\n```\n\n"
        "| a | b |\n|---|---|\n| one two three four | 2 |\n\n***\n\n"
        "漢字かな交じり文は折り返しが必要です。\n"
    )
    document = laid(text, 20)
    assert document.plain_between((0, 0), END) == (
        "Head\n\nsome long text that is wrapped here\nbroken\n\n"
        " 1. one\n     ◦ ☑ two\n\nquoted words that are wrapped too\n\n"
        "x = '0123456789 0123456789'\n\n\ty\n\n"
        "a\tb\none two three four\t2\n\n漢字かな交じり文は折り返しが必要です。"
    )


def test_part_of_a_wrapped_paragraph_is_one_line_of_plain_text() -> None:
    document = laid("one two three four five six", 10)
    assert [line.text for line in document.lines] == ["one two", "three four", "five six"]
    assert document.plain_between((0, 4), (2, 4)) == "two three four five"


@pytest.mark.parametrize("width", [20, 60])
def test_hostile_characters_made_by_references_are_shown_not_sent(width: int) -> None:
    document = laid("a &#13;&#10;b &rlm;&#x202e;c\n\n| &#13; |\n|---|\n", width)
    assert all(line.text.isprintable() for line in document.lines)


def test_what_streams_in_can_be_copied_before_it_is_finished() -> None:
    document = MarkdownDocument()
    for piece in ("- on", "e\n- t", "wo **bo", "ld**\n\n```py\nco", "de"):
        document.feed(piece)
        document.layout(40)
        assert document.source_between((0, 0), END) == document.source
        assert document.plain_between((0, 0), END)


def test_all_pieces_at_once_are_all_copied() -> None:
    document = laid(ALL)
    assert document.source_between((0, 0), END) == ALL


HOSTILE = f"a\u200bb \x1b[2Jc\u2028d {FLAGS[0]} e"


@pytest.mark.parametrize("cut", range(0, len(HOSTILE), 3))
def test_what_was_made_visible_is_copied_as_it_was_written(cut: int) -> None:
    document = MarkdownDocument(HOSTILE[:cut])
    document.feed(HOSTILE[cut:])
    document.finish()
    document.layout(60)
    assert document.source_between((0, 0), END) == HOSTILE
    assert document.source_between(*find(document, "b ␛[2Jc")) == "b \x1b[2Jc"
    # Selecting half of the text shown for a character selects that character.
    (row, column), _ = find(document, "U+200B")
    assert document.source_between((row, column), (row, column + 3)) == "\u200b"


@pytest.mark.parametrize("kind", [PlainDocument, laid])
def test_of_a_persons_text_and_of_a_models_the_very_characters_are_copied(
    kind: Callable[[str], MarkdownDocument | PlainDocument],
) -> None:
    document = kind("x\u200by\r\nz\x9b1m\n")
    document.layout(60)
    _, after = find(document, "z‹U+009B›1m")
    assert document.source_between((0, 2), after) == "\u200by\r\nz\x9b1m"


def test_code_is_copied_as_it_was_written() -> None:
    document = laid("> ```\n> a\x1bb\u200b\tc\n>\n> d\n> ```\n")
    start, _ = find(document, "d")
    assert document.source_map().code_at(start[0]) == "a\x1bb\u200b\tc\n\nd"


@examples(100)
@given(st.text(alphabet="ab \t\n漢👍", max_size=60), st.integers(4, 30))
def test_all_of_a_persons_own_text_is_copied_as_it_was_typed(text: str, width: int) -> None:
    document = PlainDocument(text)
    document.layout(width)
    shown = any(line.text.strip() for line in document.lines)
    assert document.source_between((0, 0), END) == (text if shown else "")


def test_part_of_a_persons_own_text_keeps_its_tabs_and_is_not_wrapped() -> None:
    document = PlainDocument("first line that wraps\n\tindented\tdeep\n")
    document.layout(12)
    assert document.source_between(*find(document, "line")) == "line"
    assert document.plain_between((0, 6), (1, 4)) == "line that"
    start, _ = find(document, "indented")
    assert document.source_between((start[0], 0), END) == "\tindented\tdeep"


GROWING = {
    "a fence": ("```py\n", "x{n} = {n}  # note\n"),
    "a list": ("- top\n", "  - item {n} *is* it\n"),
    "a table": ("| a | b |\n|---|---|\n", "| w{n} | word |\n"),
    "a paragraph": ("", "word{n} **is** long "),
    "a fence in a quote": ("> ```\n", "> line{n} of it\n"),
}


@pytest.mark.parametrize("name", GROWING)
def test_places_in_a_block_that_grows_are_known_without_tracing_it_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, more = GROWING[name]
    traced: list[str] = []
    trace = traces.BlockDrawing.trace

    def counted(drawing: traces.BlockDrawing) -> Origins:
        traced.append(drawing.source)
        return trace(drawing)

    monkeypatch.setattr(traces.BlockDrawing, "trace", counted)
    start = "before *it*\n\n" + head + "".join(more.format(n=n) for n in range(100, 300))
    document = laid(start, finished=False)
    early = find(document, "before")[0], (30, 8)
    offsets = [document.source_map().offset_at(place) for place in early]
    del traced[:]
    for n in range(300, 500):
        document.feed(more.format(n=n))
        document.expect(60)
        places = document.source_map()
        for place, offset in zip(early, offsets, strict=True):
            assert offset is not None
            assert places.offset_at(place) == offset
            assert places.place_at(offset) is not None
    assert not traced
    # The result is the same as that of a new source map.
    fresh = laid(document.source, finished=False).source_map()
    for offset in offsets:
        assert offset is not None
        assert places.place_at(offset) == fresh.place_at(offset)


def test_a_place_in_a_table_that_is_set_anew_is_found_where_it_is_now() -> None:
    rows = "".join(f"| w{n}x | {'word ' * 30} |\n" for n in range(30))
    document = laid(f"| a | b |\n|---|---|\n{rows}", finished=False)
    before = find(document, "w20x")[0]
    offset = document.source_map().offset_at(before)
    assert offset is not None
    document.feed(f"| {'wide' * 9} | x |\n")
    document.expect(60)
    assert find(document, "w20x")[0] != before
    assert document.source_map().place_at(offset) == find(document, "w20x")[0]
    assert document.source_map().offset_at(find(document, "w20x")[0]) == offset


@pytest.mark.parametrize("around", ["- top\n\n  ", "> ", "- > top\n  > \n  > "])
def test_a_table_that_grows_in_a_container_can_be_traced(around: str) -> None:
    rest = around.rpartition("\n")[2].replace("-", " ")
    rows = [f"| w{n}x | {'word ' * (n % 30)} |" for n in range(30)]
    lines = ["| a | b |", "|---|---|", *rows]
    document = MarkdownDocument()
    for number, line in enumerate(lines):
        document.feed((rest if number else around) + line + "\n")
        document.expect(60)
    places = document.source_map()
    for n in range(30):
        offset = places.offset_at(find(document, f"w{n}x")[0])
        assert offset is not None
        assert document.source.startswith(f"w{n}x", offset)
