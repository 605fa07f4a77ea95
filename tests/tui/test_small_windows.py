"""In any window, however small, users can write and see what they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from palaver.wire.events import ErrorEvent, RetryEvent
from palaver_tui.widgets.queue import QueuePanel
from tui.replay import BAD_KEY, ReplayClient, status
from tui.screen import Client, client
from tui.test_queue import RETRY, queueing

SIZES = [(30, 10), (30, 14), (40, 12), (60, 20), (80, 24)]


def in_trouble(trouble: str) -> ReplayClient:
    daemon = queueing()
    said: dict[str, list[Any]] = {
        "retry": [RetryEvent(RETRY)],
        "failed": [status("error"), ErrorEvent(BAD_KEY)],
    }
    daemon.stream_of("a").tell(*said[trouble])
    return daemon


def is_whole(me: Client) -> bool:
    """Return whether the composer with its frame is between the other parts and the footer."""
    writing = me.app.main.query_one("#writing").region
    footer = me.app.main.query_one("#footer").region
    parts = [me.app.main.query_one(name) for name in ("#banner", "#queue")]
    return (
        me.composer.region.height >= 1
        and writing.contains_region(me.composer.region)
        and writing.bottom <= footer.y
        and all(part.region.bottom <= writing.y for part in parts if part.display)
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("trouble", ["retry", "failed"])
async def test_under_a_banner_and_a_queue_one_can_write(
    tmp_path: Path, size: tuple[int, int], trouble: str
) -> None:
    async with client(tmp_path, daemon=in_trouble(trouble), chat_id="a", size=size) as me:
        await me.shows("Retrying" if trouble == "retry" else "The key", "Queue · 2")
        for text in ("a", *"\nb\nc\nd\ne\nf\ng\nh\nthe end"):
            await me.write(text)
            await me.until(lambda: is_whole(me))
        await me.shows("the end")
        # The key of the primary action is visible, too, and the message selected in the queue.
        await me.shows("⏎ ^g")
        await me.press("ctrl+o", "down")
        assert me.app.main.query_one(QueuePanel).has_focus
        await me.shows("second of" if size[0] > 30 else "second")
        await me.until(lambda: is_whole(me))


async def test_a_window_that_shrinks_takes_rows_from_a_long_draft(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=in_trouble("retry"), chat_id="a", size=(60, 24)) as me:
        await me.shows("Retrying", "Queue · 2")
        await me.write("a\nb\nc\nd\ne\nf\ng\nthe end")
        await me.until(lambda: me.composer.region.height == 8)
        await me.pilot.resize_terminal(60, 10)
        await me.until(lambda: is_whole(me))
        await me.shows("the end")
