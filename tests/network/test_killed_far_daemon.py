"""A daemon that is killed and restarted under a client connected over TCP and TLS."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from palaver.client import Endpoint
from palaver_tui.app import PalaverApp
from support.certificates import Authority
from support.chats import said as text_of
from support.clock import until
from support.process import DaemonProcess, place, spawn
from support.tokens import make_token
from tui.screen import Client as Person

pytestmark = pytest.mark.process

NO_REPLAY: Any = None  # the daemon and the clock are the real ones
LONG_S = 60  # a daemon that starts on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Box:
    """A machine on which a daemon is started, killed, and started again on the same port."""

    def __init__(self, data_dir: Path, authority: Authority) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.daemon: DaemonProcess | None = None
        self._reading: list[asyncio.Task[None]] = []
        self.endpoint = Endpoint(base=f"https://127.0.0.1:{self.port}", ca_file=authority.file)

    async def start(self) -> None:
        process = await spawn(self.data_dir, "--listen", f"127.0.0.1:{self.port}")
        self.daemon = DaemonProcess(self.data_dir, process)
        self._reading.append(asyncio.create_task(self.daemon.read_log()))
        await self.daemon.ready()
        if self.endpoint.token is None:
            socket = self.daemon.client.endpoint.socket
            assert socket is not None
            token = (await make_token(socket)).secret
            self.endpoint = replace(self.endpoint, token=token)

    async def kill(self) -> None:
        if self.daemon is not None:
            await self.daemon.end(signal.SIGKILL)
            await self.daemon.client.close()
            await asyncio.gather(*self._reading)


@asynccontextmanager
async def box(*, encrypted: bool = True) -> AsyncIterator[Box]:
    async with place() as data_dir:
        authority = Authority(data_dir)
        certificate, key = authority.issue()
        path = data_dir / "config.toml"
        served = f'[server]\ntls_cert = "{certificate}"\ntls_key = "{key}"\n'
        if encrypted:
            path.write_text(path.read_text() + served)
        one = Box(data_dir, authority)
        try:
            await one.start()
            yield one
        finally:
            await one.kill()


async def test_the_client_comes_back_by_itself_and_everything_is_there(tmp_path: Path) -> None:
    async with box() as far:

        async def connect() -> Endpoint:
            return far.endpoint

        app = PalaverApp(connect, data_dir=tmp_path, random=Random(3), motion=False)
        async with (
            app.run_test(size=(100, 30), notifications=True) as pilot,
            asyncio.timeout(LONG_S),
        ):
            me = Person(app, NO_REPLAY, pilot, NO_REPLAY)
            await until(lambda: app.session.models is not None)
            me.composer.insert("[[length=40]] [[rate=20]] a long answer")
            me.tap("enter")
            await until(lambda: me.view.live is not None and me.view.live.blocks)
            await far.kill()
            await until(lambda: app.session.connection.phase == "reconnecting")
            assert app.session.connection.lost
            assert app.session.connection.since is not None
            assert "a long answer" in me.text()
            me.composer.insert("[[echo]] meanwhile")
            me.tap("enter")
            await me.shows("Lost the connection", "meanwhile")
            await far.start()
            await until(lambda: app.session.connection.phase == "live")
            await until(lambda: me.view.status == "waiting" and len(me.view.messages) == 4)
            said = [text_of(message) for message in me.view.messages]
            assert said[2:] == ["[[echo]] meanwhile", "meanwhile"]
            assert len(said[1].split()) == 40
            assert (me.view.outgoing, me.view.live) == ((), None)
            # A client does not start a far daemon.
            assert far.daemon is not None
            assert far.daemon.alive
