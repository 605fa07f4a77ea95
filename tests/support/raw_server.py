"""An HTTP server that responds with given bytes, and a SOCKS proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


class RawServer:
    """Responds to each request with `answer`, or with what it returns for the request's bytes.

    `requests` are their heads and bodies. Every connection is closed after its response.
    """

    def __init__(self, answer: bytes | Callable[[bytes], bytes]) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            request = head + await reader.readexactly(length)
            self.requests.append(request)
            writer.write(self.answer if isinstance(self.answer, bytes) else self.answer(request))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def raw_server(
    answer: bytes | Callable[[bytes], bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    served = RawServer(answer)
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    async with server:
        yield served


def http(
    status: int, body: bytes | str = b"", *headers: str, kind: str = "application/json"
) -> bytes:
    """Return an HTTP response that closes its connection."""
    body = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def socks_proxy(to: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a SOCKS 5 proxy that connects every client to port `to`, whatever it requests.

    Yields its port, and the requested hosts (RFC 1928).
    """
    asked: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            _, methods = await reader.readexactly(2)
            await reader.readexactly(methods)
            writer.write(b"\x05\x00")
            await reader.readexactly(3)
            kind = (await reader.readexactly(1))[0]
            length = 4 if kind == 1 else (await reader.readexactly(1))[0]
            asked.append(await reader.readexactly(length))
            await reader.readexactly(2)
            there, back = await asyncio.open_connection("127.0.0.1", to)
            writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            await asyncio.gather(relay(reader, back), relay(there, writer))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
