"""Query model servers: at the default ports of this machine, or at one address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec

from palaver.clock import Clock, deadline
from palaver.servers.facts import Server
from palaver.servers.recognition import MODELS, TELLING, by_answers, by_headers
from palaver.setup.local import PORTS, UNKNOWN, LocalServer, owner_of, recognise

HOST: Final = "127.0.0.1"
# Timeout in seconds. A local server responds in milliseconds, unless it is loading a model.
PATIENCE_S: Final = 1.5
# Timeout in seconds for one server that was asked about, which may be busy.
PROBE_S: Final = 5.0
# Bytes; far more than a list of models. A larger body is not read.
MOST_BYTES: Final = 1024 * 1024


async def find_servers(clock: Clock, ports: Iterable[int] = PORTS.values()) -> list[LocalServer]:
    """Return the model servers at these ports, in their order. Never raises.

    All ports are queried concurrently, each for at most `PATIENCE_S` seconds. A port with another
    kind of server gets one GET request; no request changes anything.
    """
    async with _session(f"http://{HOST}") as session:
        found = await asyncio.gather(*(_look(session, clock, f"{HOST}:{port}") for port in ports))
    return [server for server in found if server is not None]


@dataclass
class ProbeResult:
    """The responses of one address: the JSON of each path, and the headers of any response.

    `late`: the timeout passed before all requests were made.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False

    @property
    def server(self) -> Server | None:
        """The known server, None if it is not recognised."""
        return by_headers(self.headers) or by_answers(owner_of(self.answers), self.answers)


async def probe(clock: Clock, base_url: str) -> ProbeResult:
    """Return the responses of the server at `base_url`; without headers if nothing answers.

    It takes at most `PROBE_S` seconds, sends no key, and changes nothing.
    """
    probed = ProbeResult()

    def wanted(path: str) -> bool:
        return bool(probed.headers) and probed.server in (None, TELLING[path][1])

    async with _session(base_url) as session:
        await _ask(
            session, clock, base_url.rstrip("/").removesuffix("/v1"), probed, wanted, PROBE_S
        )
    return probed


@asynccontextmanager
async def _session(base_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a session for requests to `base_url`."""
    encrypted = base_url.lower().startswith("https:")
    # Reads the system's certificates.
    trusting = await asyncio.to_thread(ssl.create_default_context) if encrypted else None
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trusting or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json"},
    ) as session:
        yield session


async def _look(session: aiohttp.ClientSession, clock: Clock, address: str) -> LocalServer | None:
    probed = ProbeResult()

    def wanted(path: str) -> bool:
        server = recognise(address, probed.answers)
        return server is not None and server.kind in (UNKNOWN, TELLING[path][1].name)

    await _ask(session, clock, f"http://{address}", probed, wanted, PATIENCE_S)
    return recognise(address, probed.answers)


async def _ask(
    session: aiohttp.ClientSession,
    clock: Clock,
    root: str,
    probed: ProbeResult,
    wanted: Callable[[str], bool],
    patience_s: float,
) -> None:
    """Request the list of models, then each path of `TELLING` that is `wanted` by then.

    Paths that a server is not known for are not requested: some servers log that as an error. After
    `patience_s` seconds, `probed` has the responses so far.
    """
    try:
        async with deadline(clock, patience_s):
            for path in (MODELS, *TELLING):
                if path == MODELS or wanted(path):
                    probed.answers[path] = await _json(session, f"{root}{path}", probed.headers)
    except TimeoutError:
        probed.late = True


async def _json(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> Any:
    """Return the decoded body, None if it is not JSON or too large.

    The headers of any response are added to `headers`, with lower-case names.
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
