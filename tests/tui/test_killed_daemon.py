"""A daemon that is killed in the middle of an answer, as seen by the user of a client."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from palaver.client import Endpoint
from palaver.clock import SystemClock
from palaver.launch import ensure_daemon
from palaver_tui.app import PalaverApp
from support.chats import said as text_of
from support.process import place
from tui.screen import Client

pytestmark = pytest.mark.process

LONG_S = 60  # timeout for a daemon to start on a busy machine


async def in_time(me: Client, holds: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG_S):
        while not holds():
            await asyncio.sleep(0.05)


async def test_after_kill_9_the_client_starts_a_daemon_and_shows_the_truth(tmp_path: Path) -> None:
    daemons: list[Any] = []
    async with place() as data_dir:

        async def connect() -> Endpoint:
            return await ensure_daemon(
                data_dir,
                config=data_dir / "config.toml",
                clock=SystemClock(),
                started=daemons.append,
            )

        app = PalaverApp(connect, data_dir=tmp_path, random=Random(3), motion=False)
        try:
            async with app.run_test(size=(100, 30), notifications=True) as pilot:
                me = Client(app, None, pilot, SystemClock())
                await in_time(me, lambda: app.session.models)
                me.composer.insert("[[length=40]] [[rate=20]] a long answer")
                me.tap("enter")
                await in_time(me, lambda: me.view.live and me.view.live.blocks)
                assert app.session.info is not None
                os.kill(app.session.info.pid, signal.SIGKILL)
                await in_time(me, lambda: app.session.connection.phase == "reconnecting")
                assert "a long answer" in me.text()
                me.composer.insert("[[echo]] meanwhile")
                me.tap("enter")
                await in_time(me, lambda: app.session.connection.phase == "live")
                await in_time(
                    me, lambda: me.view.status == "waiting" and len(me.view.messages) == 4
                )
                said = [text_of(message) for message in me.view.messages]
                assert said[2:] == ["[[echo]] meanwhile", "meanwhile"]
                assert len(said[1].split()) == 40
                assert (me.view.outgoing, me.view.live) == ((), None)
                assert len(daemons) == 2
        finally:
            for daemon in daemons:
                daemon.kill()
                await asyncio.to_thread(daemon.wait)
