"""Requests of every kind to each route of the OpenAPI document: no answer that it does not name.

Schemathesis makes them from the document, valid and invalid ones, with the ids that it finds in
responses, and compares each response with the document: its status, type, schema and code.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from support.daemon import running_pair
from support.examples import TIMES

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Each parameter at each of its borders; with more time also random requests, and sequences of them.
HOW = (
    ["--phases", "coverage", "--seed", "1"]
    if TIMES == 1
    else ["--phases", "coverage,fuzzing,stateful", "--max-examples", str(20 * TIMES)]
)


async def test_no_request_has_an_undocumented_answer(tmp_path: Path) -> None:
    async with (
        running_pair() as (daemon, _, _simulator),
        on_a_port(str(daemon.socket)) as port,
    ):
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *(f"http://127.0.0.1:{port}/api/v1/openapi.json", "--no-color", *HOW),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asked.communicate()
        finally:
            with suppress(ProcessLookupError):
                asked.kill()
    assert asked.returncode == 0, said.decode()
    assert b"Tested: " in said


@asynccontextmanager
async def on_a_port(path: str) -> AsyncIterator[int]:
    """Forward connections of a TCP port to a Unix socket."""

    async def forward(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: StreamReader, writer: StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(forward(reader, back), forward(there, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
