"""The daemon: builds its parts, starts them and stops them."""

from __future__ import annotations

import asyncio
import os
import platform
import pwd
import random
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from palaver import __version__
from palaver.clock import Clock
from palaver.paths import log_path
from palaver.wire import protocol
from palaver.wire.chats import Info
from palaver.wire.setup import Reloaded
from palaverd.active_config import ActiveConfig
from palaverd.api.access import Gate
from palaverd.api.app import make_app
from palaverd.api.connections import Connection, Connections
from palaverd.api.hosts import Known, known
from palaverd.api.limits import CONNECTIONS, STREAMS_PER_OWNER
from palaverd.api.listener import Listener
from palaverd.api.open_sockets import OpenSockets
from palaverd.api.readiness import Readiness
from palaverd.api.services import Services
from palaverd.config.addresses import ListenAddress
from palaverd.config.keys import Key, key_variables
from palaverd.config.source import Loaded, Source
from palaverd.config.types import Config
from palaverd.crashpoints import Reached, never
from palaverd.datadir import DataDir, prepare_socket
from palaverd.failures import RetryPolicy
from palaverd.file_folder import FileFolder
from palaverd.generation.command_owners import claims, end_with_chats
from palaverd.generation.environment import Environment
from palaverd.generation.finished_calls import FinishedCalls
from palaverd.generation.saving import Saver
from palaverd.generation.surroundings import SurroundingsReader
from palaverd.indexing import Indexing
from palaverd.logs.output import rotate_log
from palaverd.metrics import Metrics
from palaverd.platform.memory import give_back
from palaverd.platform.supervisor import Supervisor
from palaverd.pubsub.local import LocalHub
from palaverd.retention import Retention
from palaverd.store.access import LOCAL_OWNER, ensure_user, note_used, read_tokens
from palaverd.store.acquisition import void_leases
from palaverd.store.backup import backup_before
from palaverd.store.codec import to_ms
from palaverd.store.database import DatabaseError
from palaverd.store.door import Door
from palaverd.store.migrate import HEAD, migrate
from palaverd.store.sqlite import SqliteDatabase
from palaverd.stream.missed_hints import MissedHints
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import Episodes
from palaverd.tcp_sockets import Bound, address_of, bind_all, cannot_listen
from palaverd.tls import Certificate, certificate_files
from palaverd.tools.built_in import BUILT_IN
from palaverd.tools.commands.environment import environment_of
from palaverd.tools.commands.registry import Commands
from palaverd.tools.tool import Tool
from palaverd.tools.toolbox import Toolbox
from palaverd.usecases.context import Context
from palaverd.worker.worker import Worker

log = structlog.get_logger("palaverd")

# Seconds. WebSockets are closed before; what is left is a request that hangs.
HTTP_SHUTDOWN_S = 1.0
# Seconds; longer than the live output of an answer is kept.
GIVE_BACK_S = 20.0


class Daemon:
    """One daemon on one data directory. The constructor starts nothing.

    Args:
        socket: the path of the Unix socket; None for none.
        source: where the configuration was read from, to reload it.
        host: this machine's name; by default the system's.
        private: a client started the daemon for itself.
        run_by: the service manager that runs this process.
        connections: how many connections may be open at once.
        listen: TCP addresses to listen on, besides the Unix socket.
        allow_plaintext: serve them without a certificate.
        tools: what models may call, besides the tools of clients.
        umask: of what their commands and edits make.
    """

    def __init__(
        self,
        data_dir: Path,
        socket: Path | None,
        config: Config,
        *,
        clock: Clock,
        chance: random.Random,
        keys: Mapping[str, Key],
        source: Source | None = None,
        host: str | None = None,
        private: bool = False,
        run_by: Supervisor | None = None,
        connections: int = CONNECTIONS,
        listen: Sequence[ListenAddress] = (),
        allow_plaintext: bool = False,
        tools: Sequence[Tool] = BUILT_IN,
        umask: int = 0o022,
        reached: Reached = never,
    ) -> None:
        self._host = host or platform.node()
        self.socket = socket
        self.hub = LocalHub()
        self.metrics = Metrics()
        self.episodes = Episodes(clock, self.metrics)
        self.connections = Connections(clock, connections)
        # A quarter is left for requests: a client with an open stream must be able to send.
        self.sockets = OpenSockets(min(STREAMS_PER_OWNER, connections * 3 // 4))
        self.gate = Gate(clock, self._note_used)
        self._notes: set[asyncio.Task[None]] = set()
        self.last_active = clock.monotonic()
        self._clock = clock
        self._data_dir = DataDir(data_dir)
        self._config = config
        self.files = FileFolder(data_dir / "files")
        self.database = SqliteDatabase(self._data_dir.database, clock)
        self.door = Door(self.database, self.hub, clock, chance, reached, self.metrics)
        self._readiness = Readiness(self.database, clock)
        self._source = source
        self._private = private
        self._run_by = run_by
        self.configured = ActiveConfig(
            Loaded(config, keys),
            clock,
            source=source,
            changed=self._config_changed,
            # The environment of any other daemon is decided by who starts it.
            takes_variables=private,
        )
        self.catalog = self.configured.catalog
        self.retention = Retention(self.database, self.files, clock, config.retention.days)
        self.indexing = Indexing(self.database, clock)
        self.context = Context(self.door, self.catalog.names, self._host, self.catalog.cannot_read)
        self._secret = key_variables(config)
        self.commands = Commands(
            data_dir / "commands",
            data_dir / "calls",
            clock,
            lambda: environment_of(os.environ, self._secret),
            umask,
        )
        self.worker = Worker(
            Environment(
                database=self.database,
                door=self.door,
                episodes=self.episodes,
                saver=Saver(self.database, clock, self.door.now_ms),
                catalog=self.catalog,
                clock=clock,
                chance=chance,
                retry=RetryPolicy(),
                host=self._host,
                metrics=self.metrics,
                toolbox=Toolbox(tools),
                finished=FinishedCalls(),
                call_folders=data_dir / "calls",
                files=self.files,
                umask=umask,
                surroundings=SurroundingsReader(clock, source.path.parent if source else None),
                commands=self.commands,
            ),
            self.hub,
            config.worker,
        )
        self._runner: web.AppRunner | None = None
        self._listen = listen
        self._known = self._known_by(config)
        self._allow_plaintext = allow_plaintext
        self._bound: list[Bound] = []
        self._listeners: list[Listener] = []
        self._tls: ssl.SSLContext | None = None
        files = certificate_files(config.server)
        self._certificate = (
            Certificate(files, clock, self._serve_with) if files and listen else None
        )
        self._beside: list[asyncio.Task[None]] = []

    @property
    def idle(self) -> bool:
        """Whether no client is connected and no chat is running."""
        return len(self.sockets) == 0 and self.worker.running == 0

    async def start(self) -> None:
        """Lock the data directory, migrate the database, listen, and start the worker.

        Raises:
            StartError: the directory or the socket is taken or cannot be used.
            DatabaseError: the database is newer than this program, or broken.
        """
        await asyncio.to_thread(self._data_dir.acquire)
        await asyncio.to_thread(rotate_log, log_path(self._data_dir.path))
        looking = asyncio.create_task(self.configured.look())
        try:
            if self.socket is not None:
                await asyncio.to_thread(prepare_socket, self.socket)
            await self._bind()
            path = self._data_dir.database
            await asyncio.to_thread(backup_before, path, HEAD, self._clock.now())
            await self.database.open(migrate)
            now = to_ms(self._clock.now())
            await self.database.write(lambda c: ensure_user(c, LOCAL_OWNER, now))
            self.gate.know(await self.database.read(read_tokens))
            if self._config.worker.enabled:
                await self.commands.recover(partial(claims, self.database))
                self._beside.append(asyncio.create_task(self._end_with_chats()))
                # The directory is locked by this process: every lease holder is dead.
                await self.door.transact_all(void_leases)
                await self.worker.start()
            else:
                await self.worker.explain()
            await looking
            await self._serve()
        except BaseException:
            looking.cancel()
            await self.stop()
            raise
        configured = self.configured
        self._beside += [
            asyncio.create_task(configured.warm_up()),
            asyncio.create_task(configured.watch(lambda: self.worker.running == 0)),
            asyncio.create_task(self._give_memory_back()),
            asyncio.create_task(self.retention.run()),
            asyncio.create_task(self.indexing.run()),
            asyncio.create_task(MissedHints(self.hub, self.database, self._clock).run()),
        ]
        if self._certificate is not None:
            self._beside.append(asyncio.create_task(self._certificate.watch()))
        log.info(
            "ready",
            socket=self.socket and str(self.socket),
            listen=[str(address) for address in self.listening],
            tls=self._tls is not None,
            pid=os.getpid(),
            version=__version__,
        )

    @property
    def listening(self) -> list[ListenAddress]:
        """The TCP addresses it listens on, with real ports."""
        return [address_of(bound) for bound in self._bound]

    async def _bind(self) -> None:
        if self._certificate is not None:
            await self._certificate.read()
        self._bound = await asyncio.to_thread(
            bind_all,
            self._listen,
            encrypted=self._tls is not None,
            allow_plaintext=self._allow_plaintext,
        )

    def _serve_with(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        for listener in self._listeners:
            if listener.tls is not None:
                listener.tls = tls

    async def reload(self) -> Reloaded:
        """Reload configuration and certificate; a broken one changes nothing.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        if self._certificate is not None:
            await self._certificate.read_again()
        return await self.configured.reload()

    async def _serve(self) -> None:
        info = Info(
            version=__version__,
            pid=os.getpid(),
            started_at=self._clock.now(),
            data_dir=str(self._data_dir.path),
            capabilities=list(protocol.CAPABILITIES),
            protocol=protocol.PROTOCOL,
            oldest_protocol=protocol.OLDEST_CLIENT,
            host=platform.node().partition(".")[0],
            user=_account(),
            private=self._private,
            supervisor=self._run_by.name if self._run_by else None,
            unit=self._run_by.unit if self._run_by else None,
            config=str(self._source.path) if self._source and self._source.required else None,
        )
        services = Services(
            database=self.database,
            context=self.context,
            files=self.files,
            hub=self.hub,
            episodes=self.episodes,
            reader=ChangeReader(self.database),
            catalog=self.catalog,
            clock=self._clock,
            info=info,
            touch=self._touch,
            working=lambda: self.worker.running,
            setup=self.configured.setup,
            reload=self.reload,
            lend=self.configured.lend,
            readiness=self._readiness,
            metrics=self.metrics,
            known=lambda: self._known,
        )
        runner = web.AppRunner(
            make_app(services, self.connections, self.sockets, self.gate),
            handler_cancellation=True,
            shutdown_timeout=HTTP_SHUTDOWN_S,
        )
        self._runner = runner
        await runner.setup()
        assert runner.server is not None
        make = partial(
            Connection,
            self.connections,
            runner.server,
            loop=asyncio.get_running_loop(),
            access_log=None,
        )
        if self.socket is not None:
            # The socket must never be open to other users, not even between bind and chmod.
            listening = socket.socket(socket.AF_UNIX)
            before = os.umask(0o177)
            try:
                listening.bind(str(self.socket))
                self._listeners.append(Listener(listening, self.connections, make, self._clock))
            except BaseException:
                listening.close()
                raise
            finally:
                os.umask(before)
        for bound in self._bound:
            try:
                listener = Listener(bound, self.connections, make, self._clock, self._tls)
            except OSError as error:  # another process bound it too, and listened first
                raise cannot_listen(address_of(bound), error) from None
            self._listeners.append(listener)

    def _known_by(self, config: Config) -> Known:
        # Root can read everything anyway, and administers daemons.
        return known(config.server, self._host, self._listen, {os.getuid(), 0})

    async def _end_with_chats(self) -> None:
        with self.hub.everything() as hints:
            await end_with_chats(hints, self.commands)

    def _config_changed(self, config: Config) -> None:
        self._secret = key_variables(config)
        self._known = self._known_by(config)
        self.worker.change_limits(config.worker)
        self.retention.days = config.retention.days
        self.hub.publish_config()

    def _note_used(self, token_id: str, now: int) -> None:
        """Store when a token was last used, in a task beside the request."""

        async def note() -> None:
            try:
                await self.database.write(lambda c: note_used(c, token_id, now))
            except DatabaseError as error:
                log.warning("use of a token not noted", token=token_id, error=error.sentence)

        task = asyncio.create_task(note())
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    def _touch(self) -> None:
        self.last_active = self._clock.monotonic()

    async def _give_memory_back(self) -> None:
        """Return memory to the system some time after an answer, when its live output is gone."""
        answers = 0
        while True:
            await self._clock.sleep(GIVE_BACK_S)
            if self.episodes.begun != answers:
                answers = self.episodes.begun
                await asyncio.to_thread(give_back)

    async def stop(self) -> None:
        """Close the clients' connections, release the chats, and close everything. Idempotent."""
        self._readiness.stop()
        for task in self._beside:
            task.cancel()
        # Stop listening first: clients that are disconnected now reconnect to the next daemon.
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()
        for bound in self._bound:
            bound.close()
        self._bound = []
        await self.sockets.close_all(self._clock)
        self.commands.closing()
        await self.worker.stop()
        await self.commands.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            self.connections.cut_all()
            for listener in listeners:
                await listener.ended()
            if self.socket is not None:
                await asyncio.to_thread(self.socket.unlink, missing_ok=True)
        await self.configured.close()
        await asyncio.gather(*self._notes)
        await self.database.close()
        self._data_dir.release()


def _account() -> str:
    """Return the name of this process's user; its number if it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
