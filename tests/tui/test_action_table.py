"""Every action has exactly one row and one function."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from palaver_tui.actions.availability import NEEDS
from palaver_tui.actions.closing import OPEN
from palaver_tui.actions.escape import DOES
from palaver_tui.actions.recovery import PRIMARY
from palaver_tui.actions.table import TABLES
from palaver_tui.keymap.actions import ACTIONS, BY_ID, Need
from palaver_tui.state.escape import LAYERS, Escape
from palaver_tui.state.primary_action import LABELS


def test_every_row_has_exactly_one_function_and_no_function_is_without_a_row() -> None:
    functions = Counter(name for table in TABLES for name in table)
    assert functions == Counter(action.id for action in ACTIONS)
    assert set(functions) == set(BY_ID)


def test_every_need_says_what_it_asks_for() -> None:
    assert set(NEEDS) == set(get_args(Need))


def test_whatever_escape_may_do_has_a_function_and_all_that_it_closes_says_so() -> None:
    assert set(DOES) == set(get_args(Escape))
    assert set(OPEN) == set(LAYERS)


def test_whatever_enter_offers_in_an_empty_composer_has_a_function() -> None:
    assert set(PRIMARY) == set(LABELS)
