"""Queries of every kind find what is meant, in many languages, and none has an error."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from palaverd.store.search import fts5
from palaverd.store.search.query import (
    MOST_CHARACTERS,
    MOST_WORDS,
    Query,
    QueryError,
    Term,
    read_query,
)
from palaverd.store.search.snippet import LENGTH, snippet
from palaverd.store.search.words import indexed

CODE = "Call relay_pool.drain(timeout=3) in src/relay/pool.py, then `git push --force`; C++ and C#"
ACCENTS = "Le café est déjà fermé; Straße, İstanbul"
CHINESE = "步2 重跑gen-itgc后50条悬空引用清零，修复已验证"
JAPANESE = "サンドボックスの修正テスト"
KOREAN = "한국어는 재미있다"
THAI = "ภาษาไทยไม่มีช่องว่าง"
HINDI = "हिन्दी में लिखो"
WIDE = "ＡＢＣ ﬁne x²"


@pytest.fixture
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(fts5.CREATE)
        yield connection


def is_found(index: sqlite3.Connection, text: str, query: str) -> bool:
    index.execute("INSERT INTO search_index (search_index) VALUES ('delete-all')")
    index.execute(fts5._ADD, (1, "", indexed(text)))
    match = "SELECT rowid FROM search_index WHERE search_index MATCH ?"
    return bool(index.execute(match, (fts5.expression(read_query(query)),)).fetchall())


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        (CODE, "relay", ["relay", "relay"]),
        (CODE, "RELAY pool", ["relay", "pool", "relay", "pool"]),
        (CODE, "relay_pool.drain", ["relay_pool.drain"]),
        (CODE, "relay_pool drain(", ["relay_pool", "drain", "relay/pool"]),
        (CODE, '"git push"', ["git push"]),
        (CODE, "“git push”", ["git push"]),
        (CODE, '"git push', ["git push"]),
        (CODE, "--force", ["force"]),
        (CODE, "src/relay/pool.py", ["src/relay/pool.py"]),
        (CODE, "dra*", ["drain"]),
        (CODE, "call -queue", ["Call"]),
        (CODE, "call NOT", None),
        (CODE, "rela", None),
        (CODE, '"push git"', None),
        (CODE, "call -relay*", None),
        (CODE, 'call -"git push"', None),
        (ACCENTS, "cafe DEJA", ["café", "déjà"]),
        (ACCENTS, "cafe\u0301", ["café"]),
        (ACCENTS, "istanbul", ["İstanbul"]),
        (CHINESE, "悬空", ["悬空"]),
        (CHINESE, "空", ["空"]),
        (CHINESE, "零", ["零"]),
        (CHINESE, "修复已验证", ["修复已验证"]),
        (CHINESE, "重跑gen", ["重跑gen"]),
        (CHINESE, "itgc", ["itgc"]),
        (CHINESE, "gen-itgc后50", ["gen-itgc后50"]),
        (CHINESE, "修证", None),
        (CHINESE, "零修", None),
        (JAPANESE, "ボックス", ["ボックス"]),
        (JAPANESE, "修正 -実装", ["修正"]),
        (KOREAN, "한국어", ["한국어"]),
        (THAI, "ไทย", ["ไทย"]),
        (HINDI, "हिन्दी", ["हिन्दी"]),
        (HINDI, "हि", None),
        (WIDE, "abc", ["ＡＢＣ"]),
        (WIDE, "ｆine", []),  # a ligature is two letters: found, not marked
        ("a\0b", "b", ["b"]),
    ],
)
def test_what_is_meant_is_found_and_marked(
    index: sqlite3.Connection, text: str, query: str, marked: list[str] | None
) -> None:
    assert is_found(index, text, query) is (marked is not None)
    if marked is not None:
        spans = snippet(text, read_query(query))
        assert [span.text for span in spans if span.match] == marked


def test_a_query_is_read_as_it_is_meant() -> None:
    assert read_query('relay -"two words" dra* -xy*  "a b"') == Query(
        wanted=(Term("relay"), Term("dra", prefix=True), Term("a b")),
        unwanted=(Term("two words"), Term("xy", prefix=True)),
    )
    assert read_query("well-known - x--y --flag") == Query(
        (Term("well-known"), Term("x--y"), Term("--flag"))
    )


@pytest.mark.parametrize(
    "text", ["", " ", '""', "*", "-", "🎉 !", "-relay", '-"a b" -cd*', "\u0301"]
)
def test_a_query_without_a_word_says_what_is_missing(text: str) -> None:
    with pytest.raises(QueryError, match="needs"):
        read_query(text)


def test_the_beginning_of_a_word_has_two_letters_or_one_character_of_chinese() -> None:
    read_query("dr* 悬* -dr*")
    for text in ("relay d*", "-d* relay"):
        with pytest.raises(QueryError, match=r"d\* is too short"):
            read_query(text)


def test_a_query_has_a_limit() -> None:
    read_query("a " * MOST_WORDS)
    with pytest.raises(QueryError, match=f"at most {MOST_WORDS} words"):
        read_query("a " * (MOST_WORDS + 1))
    with pytest.raises(QueryError, match=f"at most {MOST_CHARACTERS} characters"):
        read_query("a" * (MOST_CHARACTERS + 1))


def test_a_query_with_any_character_is_one_that_sqlite_understands(
    index: sqlite3.Connection,
) -> None:
    """In planes 0, 1 and 2, where characters are assigned; all of them together take seconds."""
    match = "SELECT rowid FROM search_index WHERE search_index MATCH ?"
    for block in range(0, 0x30000, 16):
        text = " ".join(chr(code) for code in range(block, block + 16) if code >> 11 != 0x1B)
        try:
            query = read_query(text)
        except QueryError:
            continue
        index.execute(match, (fts5.expression(query),)).fetchall()


SYNTAX = [
    "AND",
    "NOT",
    "NEAR(a b, 2)",
    "{title}:",
    "title:",
    "^",
    "+",
    '"',
    "(",
    ")",
    "*",
    "-",
    "a",
]


@given(st.text(max_size=40) | st.lists(st.sampled_from(SYNTAX), max_size=8).map(" ".join))
@example('＂a＂" x')
@example('NEAR(a b) "')
def test_no_query_has_an_error(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(fts5.CREATE)
        with suppress(QueryError):
            is_found(connection, CODE, text)


@given(st.text(), st.text(min_size=1, max_size=20))
@example("x" * 500, "xx*")
@example("a " * 300 + "needle " + "b " * 300, "needle")
def test_a_snippet_is_a_short_line_of_the_text(text: str, words: str) -> None:
    try:
        query = read_query(words)
    except QueryError:
        return
    spans = snippet(text, query)
    line = "".join(span.text for span in spans)
    assert len(line) <= LENGTH + 2
    assert "\n" not in line
    assert all(span.text for span in spans)


def test_a_snippet_shows_the_place_with_the_most_words() -> None:
    text = "relay " + "x " * 300 + "the relay and the drain timer " + "y " * 300
    line = "".join(span.text for span in snippet(text, read_query("drain relay")))
    assert "the relay and the drain timer" in line
    assert line.startswith("…")
    assert line.endswith("…")
