"""The printed answer: appended only, nothing twice, nothing missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palaver.cli.answer import AnswerText
from palaver.wire.events import MessagePartEvent


def part(
    text: str, *, episode: str = "3.1", block: int = 0, kind: str = "text"
) -> MessagePartEvent:
    return MessagePartEvent(episode, block, 0, kind, text)  # type: ignore[arg-type]


def test_live_text_is_printed_as_it_comes_and_its_message_adds_the_rest() -> None:
    answer = AnswerText()
    assert [answer.part(part("Hel")), answer.part(part("lo"))] == ["Hel", "lo"]
    assert answer.commit(7, "Hello.") == "."
    assert answer.commit(7, "Hello.") == ""


def test_a_message_without_live_text_is_printed_whole() -> None:
    assert AnswerText().commit(7, "Hello.") == "Hello."


def test_messages_and_blocks_are_separated_by_an_empty_line() -> None:
    answer = AnswerText()
    assert answer.part(part("one")) == "one"
    assert answer.part(part("two", block=2)) == "\n\ntwo"
    assert answer.commit(7, "one\n\ntwo") == ""
    assert answer.part(part("three", episode="6.1")) == "\n\nthree"


def test_reasoning_and_tool_calls_are_not_printed() -> None:
    answer = AnswerText()
    assert answer.part(part("hm", kind="reasoning")) == ""
    assert answer.commit(7, "") == ""
    assert answer.commit(8, "Done.") == "Done."


def test_a_second_attempt_that_says_the_same_is_printed_once() -> None:
    answer = AnswerText()
    answer.part(part("Hello wor"))
    answer.withdraw()
    again = [answer.part(part(text, episode="3.2")) for text in ("Hel", "lo world", "!")]
    assert again == ["", "ld", "!"]
    assert answer.commit(7, "Hello world!") == ""


def test_a_second_attempt_that_says_something_else_begins_after_an_empty_line() -> None:
    answer = AnswerText()
    answer.part(part("Hello"))
    answer.withdraw()
    again = [answer.part(part(text, episode="3.2")) for text in ("He", "y", " you")]
    assert again == ["", "\n\nHey", " you"]
    assert answer.commit(7, "Hey you") == ""


def test_texts_that_grow_in_turn_are_printed_once_and_in_order() -> None:
    answer = AnswerText()
    parts = [part("one"), part("two", block=1), part(" more"), part(" again", block=1)]
    printed = "".join(map(answer.part, parts)) + answer.commit(7, "one more\n\ntwo again")
    assert printed == "one\n\ntwo\n\none more\n\ntwo again"
    assert answer.part(part("next", episode="6.1")) == "\n\nnext"


def test_a_call_that_grows_beside_the_text_does_not_hold_the_text_back() -> None:
    answer = AnswerText()
    parts = [part("{", kind="tool_call"), part("I lo", block=1)]
    parts += [part("}", kind="tool_call"), part("ok.", block=1)]
    assert [answer.part(one) for one in parts] == ["", "I lo", "", "ok."]


@given(pieces=st.lists(st.text(min_size=1), min_size=1), commit=st.booleans())
def test_whatever_the_pieces_the_text_is_printed_once(pieces: list[str], commit: bool) -> None:
    answer = AnswerText()
    printed = "".join(answer.part(part(piece)) for piece in pieces)
    printed += answer.commit(7, "".join(pieces)) if commit else ""
    assert printed == "".join(pieces)
