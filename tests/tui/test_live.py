"""The live state, which is the most important of those that hold, and what Esc does in each."""

from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from palaver.wire.chats import ChatStatus, RetryInfo
from palaver.wire.events import StreamEvent
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection, offline
from palaver_tui.state.escape import BY_STATE, LAYERS, Open, escape
from palaver_tui.state.live import PRIORITY, STOPPABLE, LiveState, live_state
from palaver_tui.state.reduce import reduce_all
from tui.replay import OVERLOADED, T0, part

LIVE = Connection("live")
LOST = Connection("reconnecting", "x", T0, T0)
RETRY = RetryInfo(1, 10, 1000, T0, OVERLOADED)


def view(status: ChatStatus = "waiting", *parts: StreamEvent, **more: Any) -> ChatView:
    return reduce_all(replace(ChatView(status=status, since=T0), **more), parts, T0)


CASES = [
    (view("running"), offline("gone", T0), "offline"),
    (view("error"), LOST, "reconnecting"),
    (view("requires_action", retry=RETRY), LIVE, "needs_answer"),
    (view("running", part("x"), retry=RETRY), LIVE, "retrying"),
    (view("error", held=True), LIVE, "failed"),
    (view("interrupting", part("x"), retry=RETRY), LIVE, "interrupting"),
    (view("running", part("", kind="compaction"), part("x", block=1)), LIVE, "compacting"),
    (view("running", part("x"), part("{", block=1, kind="tool_call")), LIVE, "tools"),
    (view("running", part("x"), held=True), LIVE, "streaming"),
    (view("running", held=True), LIVE, "starting"),
    (view("pending", held=True), LIVE, "pending"),
    (view("paused"), LIVE, "held"),
    (view("waiting"), LIVE, "idle"),
]


@pytest.mark.parametrize(("chat", "connection", "expected"), CASES)
def test_the_most_important_state_is_shown(
    chat: ChatView, connection: Connection, expected: str
) -> None:
    assert live_state(chat, connection, T0).state == expected


def test_every_state_has_a_case() -> None:
    assert [case[2] for case in CASES] == list(PRIORITY)


def test_every_status_with_everything_else_has_a_state() -> None:
    for status, retry, held, connection in product(
        get_args(ChatStatus), (None, RETRY), (False, True), (LIVE, LOST, Connection())
    ):
        assert live_state(view(status, retry=retry, held=held), connection, T0).state in PRIORITY


@pytest.mark.parametrize(("seconds", "slow"), [(14.9, False), (15, True)])
def test_a_model_without_a_first_word_is_called_slow_after_fifteen_seconds(
    seconds: float, slow: bool
) -> None:
    now = T0 + timedelta(seconds=seconds)
    assert live_state(view("running"), LIVE, now).slow is slow
    assert not live_state(view("running", part("x")), LIVE, now).slow


class TestEscape:
    @pytest.mark.parametrize("state", PRIORITY)
    def test_with_anything_open_it_closes_the_topmost_and_never_stops(
        self, state: LiveState
    ) -> None:
        for size in range(1, len(LAYERS) + 1):
            opened = frozenset[Open](LAYERS[-size:])
            result = escape(opened, state)
            assert result.startswith(("close", "clear"))
            assert result.endswith(LAYERS[-size])

    @pytest.mark.parametrize("state", PRIORITY)
    def test_with_nothing_open_it_stops_exactly_what_can_be_stopped(self, state: LiveState) -> None:
        assert (escape(frozenset(), state) == "stop") is (state in STOPPABLE)

    def test_the_table_has_every_state(self) -> None:
        assert set(BY_STATE) == set(PRIORITY)
