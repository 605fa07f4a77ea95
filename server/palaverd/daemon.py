"""The only place where the parts of the daemon are put together."""

from __future__ import annotations

import asyncio
import os
import platform
import random
from collections.abc import Mapping
from pathlib import Path

import structlog
from aiohttp import web

from palaver import __version__
from palaver.clock import Clock
from palaver.wire.chats import Info
from palaver.wire.errors import ChatError
from palaverd.api.app import make_app
from palaverd.api.services import LOCAL_OWNER, Services
from palaverd.api.sockets import OpenSockets
from palaverd.config.keys import key_hint
from palaverd.config.types import Config
from palaverd.crashpoints import Reached, never
from palaverd.datadir import DataDir, prepare_socket
from palaverd.failures import RetryPolicy, Signals, classify
from palaverd.generation.catalog import Catalog
from palaverd.generation.environment import Environment
from palaverd.providers.build import make_provider
from palaverd.providers.neutral import Provider
from palaverd.pubsub.local import LocalHub
from palaverd.store.acquisition import void_leases
from palaverd.store.backup import backup_before
from palaverd.store.codec import to_ms
from palaverd.store.door import Door
from palaverd.store.listing import ensure_user
from palaverd.store.migrate import HEAD, migrate
from palaverd.store.sqlite import SqliteDatabase
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import Episodes
from palaverd.worker.worker import Worker

log = structlog.get_logger("palaverd")

# Sockets are told and closed before this; what is left is a request that hangs.
HTTP_SHUTDOWN_S = 1.0


class Daemon:
    """One daemon on one data directory. Building it starts nothing.

    `host` names this machine, by its own name unless told otherwise.
    """

    def __init__(
        self,
        data_dir: Path,
        socket: Path,
        config: Config,
        *,
        clock: Clock,
        chance: random.Random,
        keys: Mapping[str, str | None],
        host: str | None = None,
        reached: Reached = never,
    ) -> None:
        self._host = host or platform.node()
        self.socket = socket
        self.hub = LocalHub()
        self.episodes = Episodes(clock)
        self.sockets = OpenSockets()
        self.last_active = clock.monotonic()
        self._clock = clock
        self._data_dir = DataDir(data_dir)
        self._config = config
        self.database = SqliteDatabase(self._data_dir.database, clock)
        self.door = Door(self.database, self.hub, clock, chance, reached)
        self._providers, missing = _providers(config, keys, clock)
        self.catalog = Catalog(config, self._providers, missing)
        self.worker = Worker(
            Environment(
                database=self.database,
                door=self.door,
                episodes=self.episodes,
                catalog=self.catalog,
                clock=clock,
                chance=chance,
                retry=RetryPolicy(),
                max_steps=config.generation.max_steps,
                host=self._host,
            ),
            self.hub,
            config.worker,
        )
        self._runner: web.AppRunner | None = None
        self._site: web.UnixSite | None = None
        self._warming: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody is connected and nothing is being worked on."""
        return len(self.sockets) == 0 and self.worker.running == 0

    async def start(self) -> None:
        """Take the data directory, bring the database up to date, serve, and work.

        Raises:
            StartError: the directory or the socket is taken or cannot be used.
            DatabaseError: the database is newer than this program, or broken.
        """
        await asyncio.to_thread(self._data_dir.acquire)
        try:
            await asyncio.to_thread(prepare_socket, self.socket)
            path = self._data_dir.database
            await asyncio.to_thread(backup_before, path, HEAD, self._clock.now())
            await self.database.open(migrate)
            now = to_ms(self._clock.now())
            await self.database.write(lambda c: ensure_user(c, LOCAL_OWNER, now))
            if self._config.worker.enabled:
                # The directory is ours alone: whoever held a lease is dead.
                await self.door.transact_all(void_leases)
                await self.worker.start()
            else:
                await self.worker.explain()
            await self._serve()
        except BaseException:
            await self.stop()
            raise
        self._warming = asyncio.create_task(self._warm_up())
        log.info("ready", socket=str(self.socket), pid=os.getpid(), version=__version__)

    async def _serve(self) -> None:
        info = Info(
            version=__version__,
            pid=os.getpid(),
            started_at=self._clock.now(),
            data_dir=str(self._data_dir.path),
            capabilities=["stream", "watch"],
        )
        services = Services(
            database=self.database,
            door=self.door,
            hub=self.hub,
            episodes=self.episodes,
            reader=ChangeReader(self.database),
            catalog=self.catalog,
            clock=self._clock,
            info=info,
            host=self._host,
            touch=self._touch,
        )
        runner = web.AppRunner(
            make_app(services, self.sockets),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=HTTP_SHUTDOWN_S,
        )
        self._runner = runner
        await runner.setup()
        # The socket must never be open to others, not even between its making and a chmod.
        before = os.umask(0o177)
        try:
            self._site = web.UnixSite(runner, str(self.socket))
            await self._site.start()
        finally:
            os.umask(before)

    def _touch(self) -> None:
        self.last_active = self._clock.monotonic()

    async def _warm_up(self) -> None:
        """Import the SDKs before the first message needs them, one after the other."""
        for name, provider in self._providers.items():
            try:
                await provider.warm_up()
            except Exception as error:  # noqa: BLE001 - an SDK may fail in any way
                # The first call will say the same in its own words.
                log.warning("provider not ready", provider=name, error=str(error))

    async def stop(self) -> None:
        """Tell the clients, give the chats back, and close everything. Can be called twice."""
        if self._warming is not None:
            self._warming.cancel()
        if self._site is not None:
            # Clients that are sent away now come back to the next daemon, not to this one.
            await self._site.stop()
            self._site = None
        await self.sockets.close_all(self._clock)
        await self.worker.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            await asyncio.to_thread(self.socket.unlink, missing_ok=True)
        for provider in self._providers.values():
            await provider.close()
        await self.database.close()
        self._data_dir.release()


def _providers(
    config: Config, keys: Mapping[str, str | None], clock: Clock
) -> tuple[dict[str, Provider], dict[str, ChatError]]:
    """Make the providers, and say which of them have no key."""
    providers: dict[str, Provider] = {}
    missing: dict[str, ChatError] = {}
    for name, provider in config.providers.items():
        key, hint = keys.get(name), key_hint(name, provider)
        providers[name] = make_provider(name, provider, api_key=key, key_hint=hint, clock=clock)
        if key is None and provider.kind != "openai-compatible":
            missing[name] = classify(Signals(provider=name, key_hint=hint, key_missing=True))
    return providers, missing
