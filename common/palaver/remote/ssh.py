"""Reach a daemon through the user's ssh: one process, which carries all connections.

The process is managed by a thread with its own event loop: it is started before an interface takes
the terminal, so that ssh can prompt (it reads the terminal itself), and outlives the caller's event
loop.
"""

from __future__ import annotations

import asyncio
import atexit
import errno
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import IO, Any, Final

from palaver.client.endpoint import Endpoint
from palaver.client.errors import Unreachable
from palaver.clock import Clock, SystemClock
from palaver.remote.address import Ssh
from palaver.remote.carrier import CHUNK, Carrier, NoConnectionError
from palaver.remote.mux import MuxError
from palaver.remote.preface import PROTOCOL, Finder, NoPrefaceError, Preface
from palaver.remote.ssh_command import command_line
from palaver.remote.ssh_failures import NO_SSH, Trouble, is_repeated, not_palaverd, trouble

# Seconds from the start to the preface, without prompts: ssh gives up after 20 s, a daemon starts
# within 60.
PATIENCE_S: Final = 90.0
# Seconds without a retry after a failure that only the user can resolve: hosts block clients that
# fail to log in too often.
PAUSE_S: Final = 30.0
# Seconds for ssh to end after its input, and to write its last messages.
END_S: Final = 2.0
LAST_WORDS_S: Final = 0.5
ERRORS: Final = 16 * 1024  # bytes of standard error to keep
# Ctrl-C must not end ssh: the client that receives it still needs the connection.
_SHELL: Final = ("/bin/sh", "-c", 'trap "" INT QUIT; exec "$0" "$@"')


class Link:
    """The connection to one daemon. It reconnects when needed."""

    def __init__(
        self, place: Ssh, remote_command: str | None = None, *, clock: Clock | None = None
    ) -> None:
        self._place = place
        self._remote_command = remote_command
        self._clock = clock or SystemClock()
        self._session: _Session | None = None
        self._paused: tuple[float, Trouble] | None = None

    async def connect(self, *, asks: bool) -> Endpoint:
        """Return the endpoint of the daemon there; start a daemon if none runs.

        Args:
            asks: ssh may prompt the user at the terminal.

        Raises:
            Unreachable: it cannot be reached; the message says why, and what helps.
        """
        try:
            session, preface = await self._ready(asks=asks)
            (await session.dial(start=True)).close()
        except OSError as error:
            raise Unreachable(self._endpoint(), error.strerror or str(error)) from error
        return self._endpoint(_note(preface))

    async def dial(self) -> socket.socket:
        """Return a new connection to the daemon, without prompts.

        Raises:
            OSError: it failed; the message is a clause.
        """
        session, _ = await self._ready(asks=False)
        return await session.dial()

    def close(self) -> None:
        """End ssh, and every connection with it. Blocks briefly."""
        if self._session is not None:
            self._session.end()

    def _endpoint(self, note: str = "") -> Endpoint:
        return Endpoint(dial=self.dial, name=str(self._place), note=note)

    async def _ready(self, *, asks: bool) -> tuple[_Session, Preface]:
        if self._paused is not None and not asks:
            until, known = self._paused
            if self._clock.monotonic() < until:
                raise _error(known)
        session = self._session
        if session is None or session.over:
            session = self._session = _Session(self._place, self._remote_command, asks=asks)
        said = await asyncio.shield(asyncio.wrap_future(session.ready))
        if isinstance(said, Trouble):
            if said.person:
                self._paused = self._clock.monotonic() + PAUSE_S, said
            raise _error(said)
        self._paused = None
        return session, said


def _error(known: Trouble) -> OSError:
    return OSError(errno.EHOSTUNREACH, str(known).rstrip("."))


def _note(preface: Preface) -> str:
    if preface.attached:
        return "The daemon there ends with this connection: answers wait until you come back."
    return preface.note


class _Session:
    """One ssh process, from its start to its end."""

    def __init__(self, place: Ssh, remote_command: str | None, *, asks: bool) -> None:
        self.ready: Future[Preface | Trouble] = Future()
        self.over = False
        self._place = place
        self._remote_command = remote_command
        self._arguments = command_line(place, remote_command, asks=asks)
        self._asks = asks
        self._loop = asyncio.new_event_loop()
        self._ending = threading.Lock()  # guards against use of the closed loop
        self._carrier: Carrier | None = None
        self._carrying: asyncio.Task[None] | None = None
        self._errors = b""
        self._noise = b""
        self._thread = threading.Thread(target=self._run, name="ssh", daemon=True)
        self._thread.start()

    async def dial(self, *, start: bool = False) -> socket.socket:
        """Return a connection; see `Carrier.dial`. Raises `OSError`."""
        carrier = self._carrier
        if carrier is None or self.over:
            raise OSError(errno.ENOTCONN, "the connection was closed")
        try:
            return await self._there(carrier.dial(start=start))
        except NoConnectionError as error:
            raise OSError(errno.EHOSTUNREACH, str(error).rstrip(".")) from error

    async def _there(self, work: Coroutine[Any, Any, socket.socket]) -> socket.socket:
        """Await `work` in the thread's event loop."""
        with self._ending:
            if self.over:
                work.close()
                raise OSError(errno.ENOTCONN, "the connection was closed")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_close)  # connected after the cancellation
            raise

    def end(self) -> None:
        """End the process and wait for it. Idempotent."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(END_S)

    def _cancel(self) -> None:
        if self._carrying is not None:
            self._carrying.cancel()

    # --- in the thread --------------------------------------------------------------------

    def _run(self) -> None:
        said: Trouble
        try:
            said = self._live()
        except OSError as error:
            said = Trouble(f"ssh could not be started ({error.strerror})")
        except Exception as error:  # a bug: `ready` must be set all the same
            if self.ready.done():
                raise
            self.ready.set_exception(error)
            return
        finally:
            with self._ending:
                self.over = True
            self._loop.run_until_complete(_last_turns())  # so that pending calls return
            self._loop.close()
        if not self.ready.done():
            self.ready.set_result(said)

    def _live(self) -> Trouble:
        """Run ssh and carry connections until its end; return the reason of the end."""
        ssh = shutil.which("ssh")
        if ssh is None:
            return NO_SSH
        process = subprocess.Popen(
            [*_SHELL, ssh, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # In a new session it cannot write to the terminal of an interface.
            start_new_session=not self._asks,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        known: Trouble | None = None
        ended = False
        try:
            asyncio.set_event_loop(self._loop)
            known = self._loop.run_until_complete(
                self._pipes(process.stdin, process.stdout, process.stderr)
            )
        except asyncio.CancelledError:
            known = Trouble("the connection was closed")
        finally:
            ended = _ended(process)
        if known is not None:
            return known
        code = process.returncode if ended else None
        return trouble(
            self._place,
            code,
            self._errors,
            self._noise,
            asked=self._asks,
            remote_command=self._remote_command,
        )

    async def _pipes(
        self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]
    ) -> Trouble | None:
        self._carrying = asyncio.current_task()
        loop = asyncio.get_running_loop()
        reader, errors = asyncio.StreamReader(), asyncio.StreamReader()
        from_it, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), stdout
        )
        said, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(errors), stderr)
        to_it, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), stdin
        )
        writer = asyncio.StreamWriter(to_it, protocol, None, loop)
        listening = loop.create_task(self._listen(errors))
        try:
            return await self._carry(reader, writer)
        finally:
            if not to_it.is_closing():  # aborting twice fails
                to_it.abort()
            await asyncio.wait([listening], timeout=LAST_WORDS_S)
            listening.cancel()
            for transport in (from_it, said):
                transport.close()
            await asyncio.sleep(0)  # their files are closed in the loop's next iteration

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Trouble | None:
        """Find the preface, then carry connections. None: ssh's output says what failed."""
        finder = Finder()
        try:
            async with asyncio.timeout(None if self._asks else PATIENCE_S):
                while (found := finder.take(await _some(reader))) is None:
                    pass
        except EOFError:
            self._noise = finder.noise
            return None
        except NoPrefaceError as error:
            return not_palaverd(self._place, error.said)
        except TimeoutError:
            return Trouble(f"nothing was said in {PATIENCE_S:g} s")
        preface, rest = found
        if preface.protocol != PROTOCOL:
            return Trouble(
                f"palaverd {preface.version} there and this palaver carry connections differently",
                "Upgrade the older of the two.",
                person=True,
            )
        self._carrier = Carrier(reader, writer)
        self.ready.set_result(preface)
        try:
            await self._carrier.run(rest)
        except MuxError as error:
            return Trouble(str(error))
        return None

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        """Collect ssh's standard error, and show it to the user as long as ssh may prompt."""
        while line := await _line(errors):
            self._errors = (self._errors + line)[-ERRORS:]
            if self._asks and not self.ready.done():
                text = line.decode(errors="replace")
                if not is_repeated(text):
                    await asyncio.to_thread(_tell, text)


def _close(future: Future[socket.socket]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()


async def _last_turns() -> None:
    for _ in range(3):  # start a task, end it, run its callbacks
        await asyncio.sleep(0)


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(CHUNK)
    if not data:
        raise EOFError
    return data


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:  # longer than the reader's limit: dropped
        return b"\n"


def _tell(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for ssh to end, else terminate it; return whether it ended by itself."""
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.terminate()
    else:
        return True
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return False


_links: Final[dict[tuple[Ssh, str | None], Link]] = {}


def link(place: Ssh, remote_command: str | None) -> Link:
    """Return this process's connection to a place."""
    if not _links:
        atexit.register(close_all)
    known = (place, remote_command)
    if known not in _links:
        _links[known] = Link(place, remote_command)
    return _links[known]


def close_all() -> None:
    """End all ssh processes that were started by `link`."""
    while _links:
        _links.popitem()[1].close()
