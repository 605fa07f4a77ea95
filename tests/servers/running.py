"""A real server as a process, and the recorder between it and Palaver."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from servers.catalogue import Place, Server, Variant
from support import guardian


class NotReady(Exception):
    """The server ended, or did not respond in time; with the last lines of its log."""


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A server started at `place`; it can be killed and started again."""

    def __init__(self, server: Server, place: Place) -> None:
        self.server = server
        self.place = place
        self._process: asyncio.subprocess.Process | None = None

    @property
    def variants(self) -> Mapping[str, Variant]:
        """The further ways to run it."""
        return self.server.variants

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.place.port}"

    @property
    def log(self) -> Path:
        return self.place.folder / "server.log"

    async def begin(self, variant: str = "") -> None:
        """Write its files and start it, without waiting for it."""
        chosen = self.variants[variant] if variant else Variant()
        await asyncio.to_thread(chosen.prepare or self.server.prepare, self.place)
        # A process group: some start workers. HOME is its folder, so that no user's file is read.
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.server.command(self.place),
                *chosen.arguments,
                cwd=self.place.folder,
                env={
                    "PATH": os.environ["PATH"],
                    guardian.VARIABLE: os.environ.get(guardian.VARIABLE, ""),
                    "HOME": str(self.place.folder),
                    "PORT": str(self.place.port),  # for servers that read it
                    **self.server.environment,
                },
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: os.nice(5),
            )

    async def ready(self) -> None:
        """Wait until it responds.

        Raises:
            NotReady: it does not.
        """
        headers = {"Authorization": f"Bearer {self.server.key}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            try:
                async with asyncio.timeout(self.server.wait_s):
                    while True:
                        with suppress(aiohttp.ClientError):
                            async with session.get(self.url + self.server.ready) as response:
                                if response.status == 200:
                                    return
                        self._check_alive()
                        await asyncio.sleep(0.1)
            except TimeoutError:
                raise NotReady(f"not ready in {self.server.wait_s:g} s: {self._last()}") from None

    async def kill(self) -> None:
        """Kill it, with all processes that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None

    def _check_alive(self) -> None:
        if self._process is None or self._process.returncode is not None:
            raise NotReady(f"it ended: {self._last()}")

    def _last(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])


@asynccontextmanager
async def running(server: Server, place: Place) -> AsyncIterator[Running]:
    """Run a server until the block ends."""
    one = Running(server, place)
    try:
        await one.begin()
        await one.ready()
        yield one
    finally:
        await one.kill()


class Tap:
    """Forwards everything to a server, and keeps its responses.

    `answers` has the bytes of each response, in the order of the requests.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: list[bytearray] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one request after the other, each on a new connection to the server."""
        begun = b""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await _request(begun, reader)
                back, forth = await asyncio.open_connection("127.0.0.1", self._port)
                forth.write(request)
                answer = bytearray()
                self.answers.append(answer)
                passing = asyncio.create_task(_pass_back(back, writer, answer))
                # The next request, or the client's end of the connection.
                ahead = asyncio.create_task(reader.read(1))
                try:
                    await asyncio.wait((passing, ahead), return_when=asyncio.FIRST_COMPLETED)
                    if passing.done() and not _goes_on(bytes(answer)):
                        break
                    begun = await ahead
                    if not begun:
                        break
                    await passing
                finally:
                    for task in (passing, ahead):
                        task.cancel()
                    await asyncio.gather(passing, ahead, return_exceptions=True)
                    forth.close()
        writer.close()


async def _request(begun: bytes, reader: asyncio.StreamReader) -> bytes:
    """Read a whole request; ask for an uncompressed response that ends its connection."""
    head = begun + await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    named = {line.partition(b":")[0].lower(): line for line in lines}
    length = int(named.get(b"content-length", b":0").partition(b":")[2])
    kept = [line for name, line in named.items() if name not in (b"connection", b"accept-encoding")]
    body = await reader.readexactly(length)
    return b"\r\n".join([first, *kept, b"Connection: close", b"", body])


async def _pass_back(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytearray
) -> None:
    while data := await reader.read(65536):
        answer += data
        writer.write(data)
        await writer.drain()


def _goes_on(answer: bytes) -> bool:
    """Return whether a client may send its next request on the connection of a response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")
    if b"connection: close" in fields:
        return False
    if b"transfer-encoding: chunked" in fields:
        return body.endswith(b"0\r\n\r\n")
    return b"content-length: %d" % len(body) in fields


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[Tap]:
    """Listen before the server at `port`."""
    tap = Tap(port)
    server = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
    tap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tap
    finally:
        server.close()
