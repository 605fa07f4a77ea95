"""Asks the usual ports of this machine for model servers. Nothing leaves the loopback address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import aiohttp
import msgspec

from palaver.clock import Clock, deadline
from palaver.servers.recognising import MODELS, TELLING
from palaver.setup.local import PORTS, UNKNOWN, LocalServer, recognise

HOST: Final = "127.0.0.1"
# A server on this machine that is up answers in milliseconds; one that loads a model may not.
PATIENCE_S: Final = 1.5
# Far more than a list of models; whatever else answers there is not read to its end.
MOST_BYTES: Final = 1024 * 1024


async def find_servers(clock: Clock, ports: Iterable[int] = PORTS.values()) -> list[LocalServer]:
    """Return the model servers that answer on these ports, in their order. Raises nothing.

    All ports are asked at once, and each has `PATIENCE_S` seconds. One where something else
    answers is asked one question, and no server is asked to do anything.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json"},
    ) as session:
        found = await asyncio.gather(*(_look(session, clock, f"{HOST}:{port}") for port in ports))
    return [server for server in found if server is not None]


async def _look(session: aiohttp.ClientSession, clock: Clock, address: str) -> LocalServer | None:
    answers: dict[str, Any] = {}
    try:
        async with deadline(clock, PATIENCE_S):
            answers[MODELS] = await _json(session, address, MODELS)
            for path, (_, known) in TELLING.items():
                server = recognise(address, answers)
                # What it is not known for is not asked: some servers log that as an error.
                if server is None or server.kind not in (UNKNOWN, known.name):
                    continue
                answers[path] = await _json(session, address, path)
    except TimeoutError:
        pass  # with what it said so far
    return recognise(address, answers)


async def _json(session: aiohttp.ClientSession, address: str, path: str) -> Any:
    """Return the decoded body, None for anything that is no JSON of a reasonable size."""
    try:
        async with session.get(f"http://{address}{path}", allow_redirects=False) as response:
            if response.status != 200:
                return None
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    return None
            return msgspec.json.decode(body)
    except (aiohttp.ClientError, OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
