"""A daemon that listens with TLS, and a slow line to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random
from typing import Any

from palaver.client import Endpoint
from palaver.clock import Clock, SystemClock, Timer
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import ServerConfig
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.certificates import Authority
from support.daemon import make_daemon, short_dir, simulator_config
from support.relay import Relay
from support.tokens import make_token

ANY = ListenAddress("127.0.0.1", 0)


class Hurried:
    """A clock on which everything takes a fraction of its time."""

    def __init__(self, times: float) -> None:
        self._clock = SystemClock()
        self._times = times
        self._began = self._clock.now()

    def now(self) -> datetime:
        return self._began + (self._clock.now() - self._began) * self._times

    def monotonic(self) -> float:
        return self._clock.monotonic() * self._times

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self._clock.call_later(delay / self._times, callback)

    async def sleep(self, delay: float) -> None:
        await asyncio.sleep(delay / self._times)


@asynccontextmanager
async def line(
    *, rate: float = 0, clock: Clock | None = None, **how: Any
) -> AsyncIterator[tuple[Daemon, Relay, Endpoint]]:
    """Run a simulator, a daemon, and a relay to its port; yields the endpoint of a far client."""
    async with short_dir() as folder, Simulator(rate=rate) as simulator:
        authority = Authority(folder)
        certificate, key = authority.issue()
        server = ServerConfig(tls_cert=str(certificate), tls_key=str(key))
        config = simulator_config(simulator.url, server=server)
        daemon = make_daemon(folder, config, clock, listen=[ANY])
        await daemon.start()
        try:
            token = (await make_token(daemon)).secret
            async with Relay(daemon.listening[0].port, chance=Random(11), **how) as relay:
                base = f"https://127.0.0.1:{relay.port}"
                yield daemon, relay, Endpoint(base=base, ca_file=authority.file, token=token)
        finally:
            await daemon.stop()
