"""A pending chat shows the reason and the time of waiting, also in a client that attaches later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from palaver.wire.chats import PendingReason
from palaver.wire.events import StatusEvent
from palaver_tui.state.activity import activity
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection
from palaver_tui.state.live import live_state
from palaver_tui.state.reduce import reduce
from tui.replay import T0, versions


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("capacity", "waiting for a free place"),
        ("no_worker", "waiting: no daemon with a worker is running"),
        ("wrong_host", "waiting for the machine that has its files"),
    ],
)
def test_the_status_line_says_why_a_chat_waits_and_how_long_already(
    reason: PendingReason, words: str
) -> None:
    event = StatusEvent(
        status="pending",
        title="t",
        versions=versions(2, 1, 1),
        pending=reason,
        pending_since=T0 - timedelta(minutes=7),
    )
    view = reduce(ChatView(chat_id="c", attached=True), event, T0)
    shown, _ink = activity(live_state(view, Connection(phase="live"), T0), view, "sonnet", T0, "*")
    assert shown == f"◌ {words} · 7 min 0 s"
