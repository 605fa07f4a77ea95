"""No laid out text contains characters that control a terminal."""

import sys
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from palaver_tui.text.document import MarkdownDocument, PlainDocument
from palaver_tui.text.visible import VisibleStream, one_for_one, visible, visible_line

HOSTILE = [
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x9b31mred",
    "\x00\x07\x08\x0b\x0c\x0e\x7f",
    "a\rb",
    "\u202egnp.exe\u2066\u2069",
    "zero\u200bwidth\ufeff",
    "\udce4 lone surrogate",
    "[bold red]markup[/] [/nope]",
]


# The categories that no row may contain: control characters, surrogates, and separators of lines
# and paragraphs.
HARMFUL = {"Cc", "Cs", "Zl", "Zp"}
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@cache
def every() -> list[str]:
    """Return every code point: 90 MB, which no process has that only collects this module."""
    return [chr(code) for code in range(sys.maxunicode + 1)]


def harmless(text: str) -> bool:
    return not any(
        unicodedata.category(one) in HARMFUL or unicodedata.bidirectional(one) in DIRECTIONS
        for one in set(text)
    )


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("frame", ["{}", "`{}`", "```\n{}\n```", "- {}", "| {} |\n|---|\n| {} |"])
def test_hostile_text_is_shown_as_characters(text: str, frame: str) -> None:
    for document in (
        MarkdownDocument(frame.format(text, text), finished=True),
        PlainDocument(text),
    ):
        document.layout(40)
        assert all(harmless(line.text) for line in document.lines)


@pytest.mark.parametrize(
    "shown", [visible_line, lambda text: visible_line(text, newline=" "), one_for_one]
)
def test_no_character_breaks_or_steers_the_row_it_stands_in(
    shown: Callable[[str], str],
) -> None:
    rows = shown("x".join(every()).replace("\t", ""))
    assert harmless(rows)
    assert len(rows.splitlines()) == 1
    rows.encode()


def test_in_text_of_many_lines_a_line_feed_alone_ends_one() -> None:
    text = visible("x".join(every())).replace("\t", "")
    assert harmless(text.replace("\n", ""))
    assert text.splitlines() == text.split("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\u2029"])
def test_in_a_row_what_ends_a_line_is_one_mark(end: str) -> None:
    assert visible_line(f"a{end}b") == "a\u23ceb"
    assert visible_line(f"a{end}b", newline=" ") == "a b"


@example("\u2028")
@given(st.text())
def test_visible_text_holds_no_control_but_line_feeds_and_tabs(text: str) -> None:
    assert harmless(visible(text).replace("\n", "").replace("\t", ""))
    assert harmless(visible_line(text))
    visible(text).encode()


FLAGS = [
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(one)) for one in name) + "\U000e007f"
    for name in ("gbeng", "gbsct", "gbwls")
]
NO_FLAG = FLAGS[0].replace("\U000e0067", "\U000e0068")


@given(st.lists(st.sampled_from(["a", "\r", "\n", "\x1b", *FLAGS[0], FLAGS[1]])), st.data())
def test_text_in_pieces_becomes_what_it_would_be_whole(
    characters: list[str], data: st.DataObject
) -> None:
    text = "".join(characters)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream, at, shown = VisibleStream(), 0, ""
    for cut in [*cuts, len(text)]:
        shown += stream.feed(text[at:cut])
        at = cut
    shown += stream.finish()
    assert shown == visible(text)
    assert stream.original.between(shown, 0, len(shown)) == text


@pytest.mark.parametrize("flag", FLAGS)
def test_the_flags_that_are_spelled_in_tags_stay_and_no_others(flag: str) -> None:
    assert visible(f"a{flag}b") == visible_line(f"a{flag}b") == f"a{flag}b"
    assert "\U000e0068" not in visible(f"a{NO_FLAG}b")
    assert "\U000e0067" not in visible(flag[1:])


@pytest.mark.parametrize(
    "hidden",
    "\U000e0100\U000e01ef\u3164\u115f\u1160\uffa0\u034f\ufff9\ufffb\U0001d173\U0001bca0",
)
def test_what_has_no_ink_is_named(hidden: str) -> None:
    assert visible(f"a{hidden}b") == f"a\u2039U+{ord(hidden):04X}\u203ab"


def test_the_characters_of_an_emoji_stay_together() -> None:
    assert visible("👨‍👩‍👧 ❤️ 🇩🇪") == "👨‍👩‍👧 ❤️ 🇩🇪"


def test_escape_is_shown_by_its_picture() -> None:
    assert visible("\x1b[31m") == "␛[31m"
