"""Readers that only count bytes: `python -m bench.fan_out_readers WHERE PATH READERS`.

WHERE is a Unix socket, or a port of this machine. Opens WebSockets with minimal code, so that
reading costs little compared with sending. Runs until the end of its input; then it prints the
number of bytes read.
"""

from __future__ import annotations

import asyncio
import sys

import click

OPENING = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Reader(asyncio.Protocol):
    """One connection."""

    read = 0

    def __init__(self, path: str) -> None:
        self.accepted = asyncio.Event()
        self._opening = OPENING.format(path=path).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the upgrade request."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._opening)

    def data_received(self, data: bytes) -> None:
        """Count the bytes."""
        self.accepted.set()
        Reader.read += len(data)


async def main(where: str, path: str, readers: int) -> None:
    """Open the connections and keep them open."""
    loop = asyncio.get_running_loop()
    for _ in range(readers):
        # In succession: concurrent connections are not measured here.
        if where.isdecimal():
            _, reader = await loop.create_connection(lambda: Reader(path), "127.0.0.1", int(where))
        else:
            _, reader = await loop.create_unix_connection(lambda: Reader(path), where)
        await reader.accepted.wait()
    await asyncio.to_thread(sys.stdin.read)
    click.echo(Reader.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
