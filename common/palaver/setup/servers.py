"""Asks servers what they are: those at the usual ports of this machine, or one at its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
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
# Whoever asks about one server waits for one that is at work, too.
HEARING_S: Final = 5.0
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
    """What came of asking one address: the JSON of each path, and the headers of any answer.

    `late`: time was over before all was asked.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False

    @property
    def server(self) -> Server | None:
        """Who answers, as far as it says."""
        return by_headers(self.headers) or by_answers(owner_of(self.answers), self.answers)


async def hear(clock: Clock, base_url: str) -> Heard:
    """Return what the server at `base_url` says of itself: no headers where nothing answers.

    It has `HEARING_S` seconds, is asked without a key, and is asked to do nothing.
    """
    heard = Heard()

    def wanted(path: str) -> bool:
        return bool(heard.headers) and heard.server in (None, TELLING[path][1])

    async with _session() as session:
        await _ask(
            session, clock, base_url.rstrip("/").removesuffix("/v1"), heard, wanted, HEARING_S
        )
    return heard


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json"},
    ) as session:
        yield session


async def _look(session: aiohttp.ClientSession, clock: Clock, address: str) -> LocalServer | None:
    heard = Heard()

    def wanted(path: str) -> bool:
        server = recognise(address, heard.answers)
        return server is not None and server.kind in (UNKNOWN, TELLING[path][1].name)

    await _ask(session, clock, f"http://{address}", heard, wanted, PATIENCE_S)
    return recognise(address, heard.answers)


async def _ask(
    session: aiohttp.ClientSession,
    clock: Clock,
    root: str,
    heard: Heard,
    wanted: Callable[[str], bool],
    patience_s: float,
) -> None:
    """Ask for the list of models, then for each path of `TELLING` that is `wanted` by then.

    What a server is not known for is not asked: some log that as an error. When `patience_s` are
    over, `heard` has what it said so far.
    """
    try:
        async with deadline(clock, patience_s):
            for path in (MODELS, *TELLING):
                if path == MODELS or wanted(path):
                    heard.answers[path] = await _json(session, f"{root}{path}", heard.headers)
    except TimeoutError:
        heard.late = True


async def _json(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> Any:
    """Return the decoded body, None for anything that is no JSON of a reasonable size.

    The headers of any answer are added to `headers`, their names in lower case.
    """
    try:
        async with session.get(url, allow_redirects=False) as response:
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
