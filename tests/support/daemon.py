"""A real daemon on a real socket, in this process, with the simulator as its only model."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from palaver.client import Client, Endpoint
from palaver.clock import Clock, SystemClock
from palaverd.api.limits import CONNECTIONS
from palaverd.config.types import Config, ModelConfig, ProviderConfig, ProviderKind
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator


def simulator_config(url: str, kind: ProviderKind = "anthropic", **changes: object) -> Config:
    """Return a configuration with the simulator as its provider, speaking the protocol `kind`."""
    base = url if kind == "anthropic" else f"{url}/v1"
    config = Config(
        default_model="sonnet",
        providers={"anthropic": ProviderConfig(kind=kind, base_url=base, api_key="sim")},
        models={
            "sonnet": ModelConfig(provider="anthropic", model="sim-large", context_limit=200_000),
            "small": ModelConfig(provider="anthropic", model="sim-small"),
        },
    )
    return msgspec.structs.replace(config, **changes)


def make_daemon(
    data_dir: Path,
    config: Config,
    clock: Clock | None = None,
    connections: int = CONNECTIONS,
    **how: Any,
) -> Daemon:
    return Daemon(
        data_dir,
        how.pop("socket", data_dir / "palaverd.sock"),
        config,
        clock=clock or SystemClock(),
        chance=random.Random(7),
        keys={name: provider.api_key for name, provider in config.providers.items()},
        connections=connections,
        **how,
    )


@asynccontextmanager
async def running_daemon(
    data_dir: Path, config: Config, clock: Clock | None = None
) -> AsyncIterator[Daemon]:
    daemon = make_daemon(data_dir, config, clock)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop()


@asynccontextmanager
async def short_dir() -> AsyncIterator[Path]:
    """Create a directory whose path is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="pv"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@asynccontextmanager
async def running_pair(
    rate: float = 0,
    clock: Clock | None = None,
    simulator_clock: Clock | None = None,
    **config: Any,
) -> AsyncIterator[tuple[Daemon, Client, Simulator]]:
    """Run simulator, daemon and a client of it; `config` changes the configuration."""
    async with (
        short_dir() as data_dir,
        Simulator(rate=rate, clock=simulator_clock or SystemClock()) as simulator,
        running_daemon(data_dir, simulator_config(simulator.url, **config), clock) as daemon,
        Client(Endpoint(socket=daemon.socket)) as client,
    ):
        yield daemon, client, simulator
