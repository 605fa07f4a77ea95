"""The relay of these tests: a connection that was reset ends on both sides."""

from __future__ import annotations

import asyncio
import socket
import struct
from random import Random

from support.clock import PATIENCE_S
from support.relay import Relay

AT_ONCE = struct.pack("ii", 1, 0)  # `struct linger`: closing resets the connection


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()


async def test_a_reset_by_the_server_ends_the_connection_of_the_client() -> None:
    async with (
        await asyncio.start_server(reset, "127.0.0.1", 0) as server,
        Relay(server.sockets[0].getsockname()[1], chance=Random(1)) as relay,
        asyncio.timeout(PATIENCE_S),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"x")
        assert await reader.read() == b""
        writer.close()
