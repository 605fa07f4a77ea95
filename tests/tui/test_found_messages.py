"""The question that a filter asks, and the words that are looked for in a found message."""

import pytest

from palaver.wire.search import SearchPage
from palaver_tui.state import found_messages
from palaver_tui.state.chat_list import EMPTY, Row
from palaver_tui.state.found_messages import answered, found_rows, question
from palaver_tui.transcript.matches import AnyOf, InOrder
from palaverd.store.search.query import LEAST_PREFIX, read_query
from tui.replay import chat, hit


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("- *", None),
        ("status:run label:x", None),
        ("relay", "relay*"),
        ("relay ", "relay"),
        ("relay ti", "relay ti*"),
        ("relay t", "relay t"),
        ("label:team relay", "relay*"),
        ("Status:idle re lay", "re lay*"),
        ('"drain ti', '"drain ti'),
        ('"drain timer"', '"drain timer"'),
        ('"drain timer" so', '"drain timer" so*'),
        ("relay -test", "relay -test"),
        ("rel*", "rel*"),
        ("well-kn", "well-kn*"),
        ("don't", "don't*"),
        ("c++", "c++"),
        ("é", "é*"),
        ("海", "海*"),
    ],
)
def test_what_a_filter_asks_the_daemon(typed: str | None, asked: str | None) -> None:
    found = question(typed, archived=True)
    assert (found.words if found is not None else None) == asked
    if found is not None:
        assert found.archived
        assert read_query(found.words).wanted, "the daemon takes it"


def test_the_shortest_beginning_of_a_word_is_the_daemons() -> None:
    assert found_messages.LEAST_PREFIX == LEAST_PREFIX


def test_hits_are_rows_in_their_order_without_chats_that_are_listed_or_elsewhere() -> None:
    a, b, c, d = (chat(one, one.upper()) for one in "abcd")
    moved = chat("d", "D", archived=True)
    asked = question("x", archived=False)
    assert asked is not None
    page = SearchPage([hit(one, "x") for one in (c, a, d, b)])
    known = EMPTY.__class__({one.id: one for one in (a, b, moved)})
    rows = found_rows(known, answered(asked, page), [Row(a)])
    assert [row.chat.id for row in rows] == ["c", "b"]


@pytest.mark.parametrize(
    ("phrases", "text", "found"),
    [
        (["relay"], "relayed Relay, relay-x re lay", ["Relay", "relay"]),
        (["re", "relay"], "relay re", ["relay", "re"]),
        (["drain timer"], "a drain\n  timer", ["drain\n  timer"]),
        (["海"], "大海边", ["海"]),
        (["É"], "é été", ["é"]),
        (["a.b", "("], "a.b axb (", ["a.b", "("]),
        ([], "relay", []),
        ([" "], "relay", []),
    ],
)
def test_any_of_the_words_of_a_snippet_is_found_as_a_whole(
    phrases: list[str], text: str, found: list[str]
) -> None:
    query = AnyOf(phrases)
    if query.empty:
        assert found == []
        return
    assert [one[0] for one in query.pattern.finditer(text)] == found


def test_words_are_found_where_they_are_together_in_their_order() -> None:
    text = f"relay {'x ' * 200}\n the relay and its timer\n timer"
    match = InOrder(["relay", "timer"]).pattern.search(text)
    assert match is not None
    assert match[0] == "relay and its timer"


def test_frequent_words_are_not_tried_in_all_their_combinations() -> None:
    match = InOrder(["the"] * 8 + ["zebra"]).pattern.search("the " * 2000)
    assert match is not None
    assert match[0] == "the the the"
