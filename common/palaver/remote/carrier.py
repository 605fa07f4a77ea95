"""Carry many connections over one pair of pipes: local sockets, multiplexed by `Mux`."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Final

from palaver.remote.mux import (
    Accepted,
    Asked,
    Came,
    Cut,
    Declined,
    Ended,
    Event,
    Mux,
    MuxError,
    Room,
)

# Bytes per read: a few frames, so that many connections take turns on the pipe.
CHUNK: Final = 64 * 1024

# Returns a connected socket; True allows it to start the daemon. Raises `OSError` with a clause as
# its message, or `NoConnectionError`.
Connect = Callable[[bool], Awaitable[socket.socket]]


class NoConnectionError(Exception):
    """No connection could be made; the message says why."""


class Carrier:
    """One end of the pipes. Without `connect` it opens connections, with it it accepts them.

    Everything runs on one event loop.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connect: Connect | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._connect = connect
        self._mux = Mux(opens=connect is None)
        self._carried: dict[int, _Carried] = {}
        self._dialled: dict[int, asyncio.Future[socket.socket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: str | None = None

    async def run(self, already: bytes = b"") -> None:
        """Carry connections until the pipes end, then close them all.

        Args:
            already: bytes of the peer that were read before.

        Raises:
            MuxError: the peer violated the protocol.
        """
        try:
            self.flush()
            while data := already or await self._reader.read(CHUNK):
                already = b""
                for event in self._mux.receive(data):
                    self._on(event)
                self.flush()
        except (ConnectionError, BrokenPipeError):
            pass  # the pipe has ended
        except MuxError:
            with suppress(ConnectionError):
                self.flush()
            raise
        finally:
            self._end("the connection was closed")
            await self._all_ended()

    async def dial(self, *, start: bool = False) -> socket.socket:
        """Return a connected socket, which the caller closes. `start`: a daemon may be started.

        Raises:
            OSError: the peer declined, or is gone.
            NoConnectionError: it declined with a sentence.
        """
        if self._over is not None:
            raise OSError(errno.ENOTCONN, self._over)
        try:
            id = self._mux.open(start=start)  # noqa: A001
        except MuxError as error:
            raise OSError(errno.EMFILE, str(error)) from error
        answer: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        self._dialled[id] = answer
        try:
            self.flush()
            return await answer
        except BaseException:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                answer.result().close()  # accepted after the cancellation
            self._mux.cut(id)
            self.flush()
            raise
        finally:
            del self._dialled[id]

    def flush(self) -> None:
        """Write pending data to the pipe."""
        if (data := self._mux.to_send()) and not self._writer.is_closing():
            self._writer.write(data)

    async def drained(self) -> None:
        """Wait until the pipe accepts more data."""
        await self._writer.drain()

    def _on(self, event: Event) -> None:
        match event:
            case Came(id, data):
                if (one := self._carried.get(id)) is not None:
                    one.came(data)
                else:
                    self._mux.took(id, len(data))
            case Room(None):
                for one in self._carried.values():
                    one.room.set()
            case Room(int(id)) if id in self._carried:
                self._carried[id].room.set()
            case Ended(id) if id in self._carried:
                self._carried[id].ended()
            case Cut(id) if id in self._carried:
                self._carried[id].cancel()
            case Cut(id) if id in self._dialled:
                self._fail(id, OSError(errno.ECONNRESET, "the connection was closed"))
            case Accepted(id) if id in self._dialled:
                self._accepted(id, self._dialled[id])
            case Declined(id, why):
                self._fail(id, NoConnectionError(why))
            case Asked(id, start):
                self._spawn(self._asked(id, start=start))
            case _:
                pass

    def _accepted(self, id: int, answer: asyncio.Future[socket.socket]) -> None:  # noqa: A002
        # At once, not when `dial` resumes: the next event may have data for this connection.
        if answer.done():
            return
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            answer.set_exception(error)
        else:
            self._carry(id, ours)
            answer.set_result(theirs)

    def _fail(self, id: int, error: Exception) -> None:  # noqa: A002
        answer = self._dialled.get(id)
        if answer is not None and not answer.done():
            answer.set_exception(error)

    async def _asked(self, id: int, *, start: bool) -> None:  # noqa: A002
        if self._connect is None:
            self._mux.decline(id, "nothing listens on this side")
            self.flush()
            return
        try:
            connected = await self._connect(start)
        except NoConnectionError as error:
            self._mux.decline(id, str(error))
        except OSError as error:
            self._mux.decline(id, error.strerror or str(error))
        else:
            if self._mux.accept(id):
                self._carry(id, connected)
            else:
                connected.close()
        self.flush()

    def _carry(self, id: int, one_end: socket.socket) -> None:  # noqa: A002
        one_end.setblocking(False)
        self._carried[id] = carried = _Carried(self, self._mux, id, one_end)
        carried.task = self._spawn(carried.run())

        def over(_task: asyncio.Task[None]) -> None:
            # In a callback, since a cancelled task may never have started.
            del self._carried[id]
            carried.close()

        carried.task.add_done_callback(over)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _end(self, why: str) -> None:
        self._over = why
        for id in list(self._dialled):  # noqa: A001
            self._fail(id, OSError(errno.ENOTCONN, why))
        for task in self._tasks:
            task.cancel()

    async def _all_ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Carried:
    """One connection: copies data between its socket and the mux, in both directions."""

    def __init__(self, carrier: Carrier, mux: Mux, id: int, one_end: socket.socket) -> None:  # noqa: A002
        self.room = asyncio.Event()
        self._carrier = carrier
        self._mux = mux
        self._id = id
        self._socket = one_end
        self._loop = asyncio.get_running_loop()
        self._came: deque[bytes] = deque()  # bounded by the window
        self._more = asyncio.Event()
        self._theirs_ended = False
        self.task: asyncio.Task[None] | None = None

    def came(self, data: bytes) -> None:
        """Queue data received from the peer."""
        self._came.append(data)
        self._more.set()

    def ended(self) -> None:
        """Record that the peer sends no more."""
        self._theirs_ended = True
        self._more.set()

    def cancel(self) -> None:
        """Close at once: the peer has."""
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        """Cut the connection, unless it has ended, and acknowledge unread data."""
        self._mux.cut(self._id)
        self._took(sum(map(len, self._came)))
        self._came.clear()
        self._socket.close()
        self._carrier.flush()

    async def run(self) -> None:
        """Copy data until both directions have ended, or one has failed."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._send())
                both.create_task(self._receive())
        except* OSError:
            pass  # the socket or the pipe has failed: `close` cuts the connection

    async def _send(self) -> None:
        while True:
            await self._carrier.drained()
            self.room.clear()
            if (room := self._mux.room(self._id)) == 0:
                await self.room.wait()
                continue
            data = await self._loop.sock_recv(self._socket, min(room, CHUNK))
            if not data:
                self._mux.end(self._id)
                self._carrier.flush()
                return
            self._mux.send(self._id, data)
            self._carrier.flush()

    async def _receive(self) -> None:
        while True:
            while self._came:
                data = self._came[0]
                await self._loop.sock_sendall(self._socket, data)
                self._came.popleft()
                self._took(len(data))
            if self._theirs_ended:
                self._socket.shutdown(socket.SHUT_WR)
                return
            self._more.clear()
            await self._more.wait()

    def _took(self, count: int) -> None:
        if count:
            self._mux.took(self._id, count)
            self._carrier.flush()
