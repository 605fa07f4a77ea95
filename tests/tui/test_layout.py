"""A text in any deltas is laid out to the same lines as the whole text."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from palaver_tui.text.code import highlight
from palaver_tui.text.document import MarkdownDocument, PlainDocument
from palaver_tui.text.spans import Line, Span
from palaver_tui.text.visible import visible
from palaver_tui.text.wrap import clip, clusters, width_of, wrap
from support.examples import examples

PIECES = [
    "# Heading\n",
    "Setext\n======\n",
    "a paragraph with **bold**, *it*, `code` and [a link](https://example.org)\n",
    "second line  \nafter a hard break\n",
    "\n",
    "\n\n",
    "- one\n- two\n  - nested\n\n    loose\n- three\n",
    "1. a\n1. b\n\n   more of b\n1. c\n",
    "- [ ] open\n- [x] done\n",
    "> quoted\n> more\nlazy\n",
    "> - a list\n>   in a quote\n",
    "```python\ndef f(x):\n    '''a\n    b'''\n    return x\n```\n",
    "~~~\nunclosed fence\n\n",
    "| a | b |\n|---|--:|\n| 1 | 漢字 |\n| 👍🏽 | ❤️ |\n",
    "***\n",
    "    indented code\n",
    "<div>not html</div>\n",
    "[ref]: https://example.org/ref\n",
    "see [ref] and [it][ref]\n",
    "漢字かな交じり文は折り返しが必要です。",
    "👨‍👩‍👧 family 🇩🇪 flag\r\n",
    "tab\there\r\n",
    "\x1b[31mred\x1b[0m \x07 \u202eevil\n",
    "no newline at the end",
]
ALL = "".join(PIECES)


def whole(text: str, width: int) -> list[Line]:
    document = MarkdownDocument(text, finished=True)
    document.layout(width)
    return document.lines


def streamed(text: str, cuts: list[int], width: int) -> list[Line]:
    """Feed `text` cut at `cuts`; return the lines as kept by applying the reported changes."""
    document, at = MarkdownDocument(), 0
    shown: list[Line] = []
    for cut in [*cuts, len(text)]:
        document.feed(text[at:cut])
        at = cut
        changed = document.layout(width)
        shown = shown[:changed] + document.lines[changed:]
        assert shown == document.lines
    document.finish()
    changed = document.layout(width)
    return shown[:changed] + document.lines[changed:]


@examples(150)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.data(),
    st.sampled_from([12, 40, 80]),
)
def test_any_split_of_any_markdown_ends_in_the_lines_of_the_whole(
    text: str, data: st.DataObject, width: int
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    assert streamed(text, cuts, width) == whole(text, width)


def test_a_text_fed_character_by_character_ends_in_the_lines_of_the_whole() -> None:
    assert streamed(ALL, list(range(len(ALL))), 60) == whole(ALL, 60)


def test_a_fence_longer_than_a_chunk_ends_as_it_would_whole_even_with_a_string_across_chunks() -> (
    None
):
    body = "".join(f"x = {number}\n" for number in range(70))
    text = f"```python\ns = '''\n{body}'''\n{body}```\nafter\n"
    assert streamed(text, list(range(0, len(text), 17)), 60) == whole(text, 60)


@pytest.mark.parametrize("step", [211, 997, 4000])
def test_a_paragraph_without_end_ends_as_it_would_whole(step: int) -> None:
    endless = "".join(f"word{number} **b{number}** " for number in range(250))
    text = f"before\n\n{endless}\n\nafter\n{endless}\n"
    assert streamed(text, list(range(0, len(text), step)), 60) == whole(text, 60)


@examples(100)
@given(st.text(max_size=80), st.integers(1, 40))
@example("漢" * 9, 5)
@example("a" * 30 + " b", 7)
@example("\U00020000\x1b\x1b", 1)
def test_no_wrapped_line_is_wider_than_its_room(text: str, width: int) -> None:
    for line in wrap([Span(visible(text))], width):
        shown = "".join(span.text for span in line)
        assert width_of(shown) <= width or len(list(clusters(shown))) == 1


@given(st.text(alphabet="ab漢👍 ", max_size=40), st.integers(0, 20))
def test_clipped_text_fits(text: str, width: int) -> None:
    assert width_of(clip(text, width)) <= width


@pytest.mark.parametrize("width", [20, 33, 60, 100])
def test_every_line_fits_except_where_a_table_cannot_shrink(width: int) -> None:
    for line in whole(ALL, width):
        if not line.text.startswith(("│", "╭", "├", "╰")):
            assert width_of(line.text) <= width, line.text


def test_columns_of_a_table_with_wide_characters_line_up() -> None:
    lines = whole("| a | b |\n|---|---|\n| 漢字 | x |\n| y | 👍🏽👍🏽 |\n", 40)
    assert len({width_of(line.text) for line in lines}) == 1


def test_items_after_a_frozen_item_keep_counting() -> None:
    text = "".join(f"1. item {number}\n" for number in range(12))
    assert [line.text.split(".")[0].strip() for line in whole(text, 40)] == [
        str(number) for number in range(1, 13)
    ]


@pytest.mark.parametrize("width", [10, 40])
def test_the_tag_of_a_fence_is_cut_to_its_panel(width: int) -> None:
    for tag in ("x" * 300, "漢" * 300):
        streaming = MarkdownDocument(f"```{tag}\ncode\n")
        streaming.layout(width)
        for lines in (streaming.lines, whole(f"```{tag}\ncode\n```\n", width)):
            assert width_of(lines[0].text) == width
            assert lines[0].text.endswith(f"{tag[0]}… ")


def test_html_is_text() -> None:
    assert "<div>" in whole("<div>x</div>", 40)[0].text


def test_a_reference_defined_later_becomes_a_link_when_the_text_is_finished() -> None:
    lines = whole("see [it][r]\n\nmore\n\n[r]: https://example.org\n", 40)
    assert any(span.face.link == "https://example.org" for line in lines for span in line.spans)


@pytest.mark.parametrize("target", ["javascript:alert(1)", "file:///etc/passwd", "x://y"])
def test_only_web_and_mail_links_can_be_opened(target: str) -> None:
    lines = whole(f"[x](<{target}>)", 40)
    assert not any(span.face.link for line in lines for span in line.spans)


def test_a_persons_own_lines_and_indents_stay_as_typed() -> None:
    document = PlainDocument("def f():\n    return 1\n\n* not a list")
    document.layout(40)
    assert [line.text for line in document.lines] == [
        "def f():",
        "    return 1",
        "",
        "* not a list",
    ]


def test_a_lexer_that_is_at_work_is_in_nobody_elses_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]  # has no types

    assert highlight("y = 2", "python")  # now one lexer is idle
    at_work: list[PythonLexer] = []
    most: list[int] = []
    lex = PythonLexer.get_tokens

    def looked_at(self: PythonLexer, source: str) -> Iterable[tuple[Any, str]]:
        assert self not in at_work
        at_work.append(self)
        most.append(len(at_work))
        if len(at_work) < 3:  # a nested call, like one from another thread
            assert highlight("x = 1", "python")
        tokens = list(lex(self, source))
        at_work.remove(self)
        return tokens

    monkeypatch.setattr(PythonLexer, "get_tokens", looked_at)
    assert "".join(span.text for span in highlight("x = 'y'", "python")[0]) == "x = 'y'"
    assert max(most) == 3
