"""A connection between a client and a daemon that a test makes slow, lossy, dead or cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import Self

CHUNK = 1400  # bytes: what fits a packet, so that only some chunks are held


class _Connection:
    """One connection through the relay. A dead one stays open, and nothing passes."""

    def __init__(self) -> None:
        self.dead = False
        self.transports: list[asyncio.WriteTransport] = []

    def cut(self) -> None:
        for transport in self.transports:
            transport.abort()


class Relay:
    """Listens on a port of its own and forwards to `port`, in order and in both directions.

    Each chunk is forwarded `late_s` after it arrived; a share of them, `held`, is held for `hold_s`
    more, like a lost and retransmitted packet, and so are those behind it. With `pieces`, chunks
    have from 1 to so many bytes, so that frames are split and joined anywhere.
    """

    def __init__(
        self,
        port: int,
        *,
        late_s: float = 0.0,
        held: float = 0.0,
        hold_s: float = 0.0,
        pieces: int | None = None,
        chance: Random | None = None,
    ) -> None:
        self._to = port
        self.port = 0
        self.late_s, self.held, self.hold_s = late_s, held, hold_s
        self._pieces = pieces
        self.chunks = 0  # forwarded, in both directions
        self.times_held = 0
        self.flowing = asyncio.Event()  # set while chunks are forwarded
        self.flowing.set()
        self._chance = chance or Random(0)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def open(self) -> int:
        """The number of connections."""
        return len(self._connections)

    def die(self) -> None:
        """Let nothing pass on the open connections. New ones work."""
        for connection in self._connections:
            connection.dead = True

    def cut(self) -> None:
        """Break every open connection."""
        for connection in list(self._connections):
            connection.cut()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._hand_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection()
        connection.transports.append(writer.transport)
        self._connections.add(connection)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            connection.transports.append(back.transport)
            ways = [
                asyncio.create_task(self._way(connection, reader, back)),
                asyncio.create_task(self._way(connection, there, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except ConnectionError:
            pass  # the server is gone: the client's connection is closed
        finally:
            self._connections.discard(connection)
            connection.cut()

    async def _way(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def read() -> None:
            data, due = b"-", 0.0
            while data:
                most = self._chance.randint(1, self._pieces) if self._pieces else CHUNK
                data = b""  # a connection that was reset has ended, too
                with suppress(ConnectionError):
                    data = await reader.read(most)
                due = max(due, loop.time() + self.late_s)
                if data and self._chance.random() < self.held:
                    self.times_held += 1
                    due += self.hold_s
                waiting.put_nowait((due, data))

        reading = asyncio.create_task(read())
        try:
            while True:
                due, data = await waiting.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    return
                await self.flowing.wait()
                if not connection.dead:
                    writer.write(data)
                    self.chunks += 1
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
