"""`palaverd dial-stdio`: the remote end of ssh://, which connects a client to the daemon here.

Standard input and output carry the connections of one client (`palaver.remote.mux`), each to the
daemon's Unix socket: no port is opened. It starts fast: if a daemon runs, neither a web server nor
a database is imported.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket as sockets
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from palaver import __version__
from palaver.paths import NowhereError, chosen_data_dir, default_config_path, from_root, log_path
from palaver.paths import socket_path as usual_socket
from palaver.remote.carrier import Carrier, NoConnectionError
from palaver.remote.mux import MuxError
from palaver.remote.preface import Preface, line
from palaverd.cli.exits import EXIT_FAILED
from palaverd.platform.logind import ends_at_logout
from palaverd.platform.peers import peer_of

STARTED_S: Final = 60.0  # timeout for a daemon in this process to listen
LOOK_S: Final = 0.02


class CannotDialError(Exception):
    """There is no daemon to connect to. The message is one sentence."""


@click.command("dial-stdio")
@click.option("--data-dir", type=click.Path(path_type=Path), help="The daemon's data directory.")
@click.option("--config", type=click.Path(path_type=Path), help="For a daemon that is started.")
@click.option("--socket", type=click.Path(path_type=Path), help="A daemon's socket; start none.")
@click.option("--attached", is_flag=True, help="Serve in this process, and end with its input.")
def dial_stdio(
    data_dir: Path | None, config: Path | None, socket: Path | None, attached: bool
) -> None:
    """Connect a client on another machine to the daemon on this one.

    ssh starts it for  palaver --server ssh://you@here , and connects it through standard input and
    output. It starts a daemon if none is running, which keeps running after the client has gone.
    If background processes end at logout, --attached serves in the session itself.

    \b
    Examples:
      palaver --server ssh://you@box
      palaver --server ssh://you@box --remote-command "palaverd dial-stdio --attached"
    """
    try:
        if sys.stdin.isatty() or sys.stdout.isatty():
            raise CannotDialError(
                "dial-stdio speaks with a program, not with a person:"
                " use  palaver --server ssh://…  elsewhere, or  palaver  here."
            )
        if attached and socket is not None:
            raise CannotDialError("--attached serves on a socket of its own: leave out --socket.")
        found = chosen_data_dir(data_dir)
        daemon = Daemon(found, config, socket)
        asyncio.run(_attached(daemon) if attached else _bridge(daemon))
    except (CannotDialError, NoConnectionError, NowhereError, MuxError) as error:
        click.echo(f"palaverd: {error}", file=sys.__stderr__)  # the other one may be a log
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_FAILED)


@dataclass(frozen=True)
class Daemon:
    """The daemon to connect to. One on an explicit `socket` is never started."""

    data_dir: Path
    config: Path | None
    socket: Path | None

    @property
    def address(self) -> Path:
        """Its Unix socket."""
        return self.socket or usual_socket(self.data_dir)

    async def connect(self, start: bool) -> sockets.socket:
        """Return a connection; with `start`, start the daemon if none runs.

        Raises:
            NoConnectionError: no connection is possible; the message says why.
        """
        try:
            return await self.connected()
        except (FileNotFoundError, ConnectionRefusedError):
            if self.socket is not None:
                raise NoConnectionError(f"No daemon listens on {self.socket}.") from None
            if not start:
                raise NoConnectionError("no daemon is running there") from None
        except OSError as error:
            raise NoConnectionError(f"{self.address}: {error.strerror}.") from error
        await self._start()
        try:
            return await self.connected()
        except OSError as error:
            raise NoConnectionError("The daemon ended as soon as it was started.") from error

    async def connected(self) -> sockets.socket:
        """Return a connection to the running daemon. Raises `OSError` and `NoConnectionError`."""
        await asyncio.to_thread(self._not_foreign)
        connecting = sockets.socket(sockets.AF_UNIX)
        try:
            connecting.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connecting, str(self.address))
        except BaseException:
            connecting.close()
            raise
        return connecting

    def _not_foreign(self) -> None:
        """Raise if the socket belongs to another user, who may have created it in /tmp."""
        ours = {os.getuid(), 0}
        if self.data_dir.exists():
            ours.add(self.data_dir.stat().st_uid)
        if self.address.stat().st_uid not in ours:
            raise NoConnectionError(f"The socket {self.address} belongs to another user.")

    async def _start(self) -> None:
        # Imported here: it needs an HTTP client, which a running daemon makes superfluous.
        from palaver.client import PalaverError
        from palaver.clock import SystemClock
        from palaver.launch import ensure_daemon

        try:
            await ensure_daemon(self.data_dir, config=self.config, clock=SystemClock())
        except PalaverError as error:
            raise NoConnectionError(str(error)) from error


async def _bridge(daemon: Daemon) -> None:
    """Carry connections to the daemon until standard input ends."""
    with await daemon.connect(start=True) as connected:
        peer = peer_of(connected)
    note = await ends_at_logout(None if peer is None else peer.process)
    await _carry(daemon.connect, Preface(__version__, note=note))


async def _attached(daemon: Daemon) -> None:
    """Serve in this process until standard input ends; if a daemon runs already, use it."""
    try:
        (await daemon.connected()).close()
    except OSError:
        pass
    else:
        await _bridge(daemon)
        return
    serving = asyncio.create_task(_serve(daemon))
    try:
        await _listening(daemon, serving)

        async def connect(_start: bool) -> sockets.socket:
            return await daemon.connected()

        await _carry(connect, Preface(__version__, attached=True))
    finally:
        if not serving.done():
            os.kill(os.getpid(), signal.SIGTERM)  # as a service manager would
        await asyncio.gather(serving, return_exceptions=True)


async def _listening(daemon: Daemon, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(STARTED_S):
        while True:
            if serving.done():
                await serving  # raises its error
                raise CannotDialError("The daemon ended as soon as it was started.")
            try:
                (await daemon.connected()).close()
            except OSError:
                await asyncio.sleep(LOOK_S)
            else:
                return


async def _serve(daemon: Daemon) -> None:
    from palaverd.config.load import ConfigError
    from palaverd.config.source import Source
    from palaverd.datadir import StartError
    from palaverd.logs.output import configure_logs
    from palaverd.serve import serve
    from palaverd.store.database import DatabaseError

    try:
        path = from_root(str(daemon.config or default_config_path()), "--config")
        source = Source(path, dict(os.environ), required=daemon.config is not None)
        loaded = await asyncio.to_thread(source.read)
        await asyncio.to_thread(_log_beside, daemon.data_dir)
        configure_logs(debug=False)
        await serve(daemon.data_dir, daemon.address, source, loaded, private=False)
    except (ConfigError, StartError, DatabaseError) as error:
        raise CannotDialError(str(error)) from error


def _log_beside(data_dir: Path) -> None:
    """Write the daemon's log to a file: ssh's standard error is for messages to the user."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        how = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        log = os.open(log_path(data_dir), how, 0o600)
    except OSError as error:
        raise CannotDialError(
            f"The data directory {data_dir} cannot be written to: {error.strerror}."
        ) from error
    sys.stderr = os.fdopen(log, "w", encoding="utf-8", errors="backslashreplace")


async def _carry(connect: Callable[[bool], Awaitable[sockets.socket]], preface: Preface) -> None:
    reader, writer = await _stdio()
    writer.write(line(preface))
    carrier = Carrier(reader, writer, connect)
    try:
        await carrier.run()
    finally:
        if not writer.is_closing():  # aborting twice fails
            writer.transport.abort()


async def _stdio() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return streams for standard input and output, be they pipes or a socket."""
    loop = asyncio.get_running_loop()
    about = os.fstat(0), os.fstat(1)
    if stat.S_ISSOCK(about[1].st_mode) and os.path.samestat(*about):
        # One socket for both: a write pipe would take incoming data for the end of the connection.
        return await asyncio.open_connection(sock=sockets.socket(fileno=os.dup(0)))
    reader = asyncio.StreamReader()
    try:
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb", 0, closefd=False)
        )
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
            os.fdopen(1, "wb", 0, closefd=False),
        )
    except ValueError:
        raise CannotDialError(
            "Standard input and output are to be pipes, as ssh makes them."
        ) from None
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)
