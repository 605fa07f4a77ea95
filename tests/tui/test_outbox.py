"""Messages that did not reach the daemon, or perhaps did: each can be had back, or is said once."""

from pathlib import Path

import pytest

from palaver.client import Unreachable
from palaver.wire.chats import SendMessage, Sent
from palaver_tui.storage.local_store import LocalStore, Unsent
from palaver_tui.timing import RESEND_AFTER_S
from tui.replay import ENDPOINT, T0
from tui.screen import client
from tui.test_refused_edits import with_queue


async def test_a_message_that_may_have_arrived_is_not_taken_back_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_queue()
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.until(lambda: me.app.session.connection.phase == "live")
        send = daemon.send

        async def lost(chat_id: str, request: SendMessage, *, key: str | None = None) -> Sent:
            await send(chat_id, request, key=key)
            raise Unreachable(ENDPOINT, "connection lost")

        monkeypatch.setattr(daemon, "send", lost)
        await me.write("once")
        await me.press("enter")
        await me.shows("waiting for the connection")
        await me.press("up")
        await me.shows("may have arrived")
        assert me.composer.text == ""
        monkeypatch.setattr(daemon, "send", send)
        me.clock.advance(RESEND_AFTER_S)
        await me.until(lambda: len(daemon.sent) == 2)
        assert len({key for _, _, key in daemon.sent}) == 1


async def test_a_message_that_an_earlier_client_may_have_sent_is_not_taken_back(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep(Unsent("k", "sent before", T0, "b", str(ENDPOINT)))
    daemon = with_queue()
    daemon.down = True
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("sent before", "waiting for the connection")
        await me.press("up")
        await me.shows("may have arrived")
        assert [path.stem for path in (tmp_path / "client" / "outbox").iterdir()] == ["k"]
