"""A daemon that cannot read the list of chats says so, and the client shows that once."""

from pathlib import Path

from palaver.client import Connected
from palaver.wire.errors import ChatError
from palaver.wire.events import ChatCreated, ListError, ListSnapshot
from tui.replay import ReplayClient, chat
from tui.screen import client

FULL = ListError(ChatError(kind="generic", message="The disk is full.", retryable=True))


async def test_the_list_stays_and_the_reason_is_said_once(tmp_path: Path) -> None:
    daemon = ReplayClient()
    daemon.watching.tell(Connected(), ListSnapshot([chat("c1", "Chat 1")]))
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        said: list[str] = []
        me.app.session.notice = lambda text, _kind: said.append(text)
        daemon.watching.tell(FULL, FULL, FULL)
        daemon.watching.tell(ListError(None), ChatCreated(chat("c2", "Chat 2")))
        await me.shows("Chat 2")
        assert "Chat 1" in me.text()
        assert said == ["The list of chats is not read: The disk is full."]
        daemon.watching.tell(FULL, ListSnapshot([chat("c3", "Chat 3")]), FULL)
        await me.until(lambda: len(said) == 3)
