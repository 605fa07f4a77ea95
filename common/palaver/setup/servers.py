"""Asks servers what they are: those at the usual ports of this machine, or one at its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec

from palaver.clock import Clock, deadline
from palaver.servers.facts import Server
from palaver.servers.recognising import MODELS, TELLING, by_answers, by_headers
from palaver.setup.local import PORTS, UNKNOWN, LocalServer, owner_of, recognise

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
    async with _session() as session:
        found = await asyncio.gather(*(_look(session, clock, f"{HOST}:{port}") for port in ports))
    return [server for server in found if server is not None]


@dataclass
class Heard:
    """What came of asking one address: the JSON of each path, and the headers of any answer."""

    answers: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def server(self) -> Server | None:
        """Who answers, as far as it says."""
        return by_headers(self.headers) or by_answers(owner_of(self.answers), self.answers)


async def hear(clock: Clock, base_url: str) -> Heard | None:
    """Return what the server at `base_url` says of itself, None where nothing answers.

    It has `PATIENCE_S` seconds, is asked without a key, and is asked to do nothing.
    """
    root = base_url.rstrip("/").removesuffix("/v1")
    heard = Heard()
    try:
        async with deadline(clock, PATIENCE_S), _session() as session:
            for path in (MODELS, *TELLING):
                server = heard.server
                # What it is not known for is not asked: some servers log that as an error.
                if path in TELLING and server is not None and server is not TELLING[path][1]:
                    continue
                heard.answers[path] = await _json(session, f"{root}{path}", heard.headers)
                if not heard.headers:
                    return None
    except TimeoutError:
        pass  # with what it said so far
    return heard if heard.headers else None


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json"},
    ) as session:
        yield session


async def _look(session: aiohttp.ClientSession, clock: Clock, address: str) -> LocalServer | None:
    answers: dict[str, Any] = {}
    try:
        async with deadline(clock, PATIENCE_S):
            answers[MODELS] = await _json(session, f"http://{address}{MODELS}")
            for path, (_, known) in TELLING.items():
                server = recognise(address, answers)
                # What it is not known for is not asked: some servers log that as an error.
                if server is None or server.kind not in (UNKNOWN, known.name):
                    continue
                answers[path] = await _json(session, f"http://{address}{path}")
    except TimeoutError:
        pass  # with what it said so far
    return recognise(address, answers)


async def _json(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str] | None = None
) -> Any:
    """Return the decoded body, None for anything that is no JSON of a reasonable size.

    The headers of any answer are added to `headers`, their names in lower case.
    """
    try:
        async with session.get(url, allow_redirects=False) as response:
            if headers is not None:
                headers |= {name.lower(): value for name, value in response.headers.items()}
            if response.status != 200:
                return None
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    return None
            return msgspec.json.decode(body)
    except (aiohttp.ClientError, OSError, ValueError, msgspec.DecodeError):
        return None
