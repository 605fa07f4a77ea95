"""When keys answer a question that has appeared."""

from __future__ import annotations

import pytest

from palaver_tui.state.key_guard import KeyGuard
from palaver_tui.timing import QUESTION_SHOWN_S, TYPED_ELSEWHERE_S


def test_without_a_question_there_is_nothing_to_answer() -> None:
    assert not KeyGuard().ready(100.0)


def test_a_question_that_has_just_appeared_takes_no_keys() -> None:
    guard = KeyGuard()
    guard.show("a", 10.0)
    assert not guard.ready(10.0 + QUESTION_SHOWN_S - 0.01)
    assert guard.ready(10.0 + QUESTION_SHOWN_S)


@pytest.mark.parametrize("typed", [9.9, 10.2, 10.49])
def test_after_a_key_for_something_else_it_takes_none_for_a_second(typed: float) -> None:
    guard = KeyGuard()
    if typed < 10.0:
        guard.key(typed)
    guard.show("a", 10.0)
    if typed >= 10.0:
        guard.key(typed)
    assert not guard.ready(typed + TYPED_ELSEWHERE_S - 0.01)
    assert guard.ready(typed + TYPED_ELSEWHERE_S)


def test_who_goes_on_typing_answers_nothing() -> None:
    guard = KeyGuard()
    guard.show("a", 0.0)
    for tenth in range(1, 50):
        guard.key(tenth * 0.3)
        assert not guard.ready(tenth * 0.3)


def test_a_question_that_may_be_answered_may_be_until_it_is_gone() -> None:
    guard = KeyGuard()
    guard.show("a", 0.0)
    guard.key(2.0)  # it was seen by then
    assert guard.ready(2.0)
    guard.show("a", 3.0)
    assert guard.ready(3.0)
    guard.show("b", 3.0)
    assert not guard.ready(3.0)
    guard.show(None, 9.0)
    assert not guard.ready(9.0)
