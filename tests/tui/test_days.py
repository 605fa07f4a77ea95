"""The date is shown where a day begins: also above the first and above an outgoing message."""

from datetime import timedelta
from pathlib import Path

from palaver.wire.events import MessageEvent
from tui.replay import T0, answer, user
from tui.screen import client
from tui.test_client import with_chat

DAYS_AGO = T0 - timedelta(days=3)
THEN, TODAY = "Wednesday, 18 November 2026", "Saturday, 21 November 2026"


async def test_over_the_first_message_stands_its_day_unless_that_is_today(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "hello", created_at=DAYS_AGO))
    async with client(tmp_path / "old", daemon=daemon, chat_id="a") as me:
        await me.shows("hello", THEN)
    async with client(tmp_path / "new", daemon=with_chat(user(1, "hello")), chat_id="a") as me:
        await me.shows("hello")
        assert "2026" not in me.text()


async def test_the_first_message_of_a_day_is_acknowledged_without_moving(tmp_path: Path) -> None:
    daemon = with_chat(
        user(1, "hello", created_at=DAYS_AGO), answer(2, "Hi there.", created_at=DAYS_AGO)
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Hi there.")
        daemon.answers.clear()
        await me.press(*"again", "enter")
        await me.shows("you · 10:42 · sending", TODAY)
        before = me.text().split("\n")
        daemon.answers.set()
        daemon.stream_of("a").tell(MessageEvent(user(101, "again")))
        await me.hides("sending")
        after = me.text().split("\n")
        rows = [number for number, row in enumerate(before) if "again" in row or TODAY in row]
        assert len(rows) >= 2
        assert [after[number] for number in rows] == [before[number] for number in rows]
