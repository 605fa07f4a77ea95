"""kill -9 between a stop's response and its end: the saved part of the answer is kept."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import pytest

from palaver.client import PalaverError
from palaver.wire.chats import CreateChat, Interrupt
from palaverd.crashpoints import VARIABLE
from palaverd.store.check import check_all
from process.crash import rest
from process.talk import text_of
from process.test_shutdown import STALLS, shown_and_saved
from support.clock import PATIENCE_S
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

DEATH = {VARIABLE: "finish_interruption:before:1"}


async def stop(daemon: DaemonProcess, chat_id: str) -> None:
    chat = await daemon.client.chat(chat_id)
    with suppress(PalaverError):  # it may be killed first; the request is in the database
        await daemon.client.interrupt(chat_id, Interrupt(turn_version=chat.versions.turn))


async def test_a_daemon_that_is_killed_while_it_stops_an_answer_leaves_what_was_saved() -> None:
    async with place() as data_dir:
        async with started(data_dir, DEATH) as daemon:
            sent = await daemon.client.create_chat(CreateChat(content=STALLS))
            shown = await shown_and_saved(daemon, sent.chat.id)
            await stop(daemon, sent.chat.id)
            async with asyncio.timeout(PATIENCE_S):
                assert await daemon.process.wait() == -signal.SIGKILL
        async with started(data_dir) as daemon:
            async with asyncio.timeout(PATIENCE_S):
                assert (await rest(daemon, sent.chat.id)).status == "waiting"
            answer, question = (await daemon.client.messages(sent.chat.id)).messages
            assert (question.role, answer.finish) == ("user", "interrupted")
            assert text_of(answer) == shown
            await daemon.end(signal.SIGTERM)
        assert await asyncio.to_thread(check_all, data_dir / "palaver.db") == (1, [])
