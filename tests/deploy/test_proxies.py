"""Palaver behind Caddy and nginx, with the files of docs/deploy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver, ResolveResult

from deploy.answering import answers
from deploy.proxies import Name, proxy
from network.lines import ANY
from palaver.client import Client, Endpoint
from palaver.client.errors import Unauthenticated
from palaverd.api.limits import LOGIN_FREE
from palaverd.config.types import ServerConfig
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.certificates import Authority
from support.daemon import make_daemon, short_dir, simulator_config
from support.require import require
from support.tokens import make_token

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

# One for each proxy: the daemon behind them is the same, and remembers.
GUESSERS = count(1)
PUBLIC = "palaver.example.com"
WRONG = "palaver_zz99_" + "x" * 43


class Here(AbstractResolver):
    """Resolves every name to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return 127.0.0.1."""
        place = ResolveResult(
            hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
        )
        return [place]

    async def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Behind:
    """A daemon on a loopback port, and a private CA for the proxy before it."""

    daemon: Daemon
    authority: Authority
    token: str

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.file))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind() -> AsyncIterator[Behind]:
    server = ServerConfig(public_url=f"https://{PUBLIC}", trusted_proxies=["127.0.0.1", "::1"])
    async with short_dir() as folder, Simulator() as simulator:
        daemon = make_daemon(folder, simulator_config(simulator.url, server=server), listen=[ANY])
        await daemon.start()
        try:
            token = (await make_token(daemon)).secret
            yield Behind(daemon, Authority(folder), token)
        finally:
            await daemon.stop()


@pytest_asyncio.fixture(params=["caddy", "nginx"], scope="module", loop_scope="module")
async def url(
    request: pytest.FixtureRequest, behind: Behind, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    name: Name = request.param
    require(name)
    folder = tmp_path_factory.mktemp(name)
    port = behind.daemon.listening[0].port
    async with proxy(name, folder, behind.authority, port) as found:
        yield found


async def test_a_client_is_answered_through_the_proxy(url: str, behind: Behind) -> None:
    endpoint = Endpoint(url, token=behind.token, ca_file=behind.authority.file)
    async with Client(endpoint) as client:
        await answers(client)


async def test_nobody_comes_in_without_a_token(url: str, behind: Behind) -> None:
    async with Client(Endpoint(url, ca_file=behind.authority.file)) as client:
        with pytest.raises(Unauthenticated):
            await client.info()


async def test_a_name_is_that_of_public_url(url: str, behind: Behind) -> None:
    """The requested name reaches the daemon, which accepts its own only."""
    port, head = url.rpartition(":")[2], {"Authorization": f"Bearer {behind.token}"}
    tls = behind.trust()
    tls.check_hostname = False  # the certificate must not stop a request for another name
    made = aiohttp.TCPConnector(resolver=Here(), ssl=tls)
    async with aiohttp.ClientSession(connector=made) as session:
        for name, known in ((PUBLIC, True), ("evil.example.com", False)):
            try:
                async with session.get(f"https://{name}:{port}/api/v1/info", headers=head) as said:
                    assert ("version" in await said.text()) is known
            except aiohttp.ClientConnectorError:  # Caddy has no certificate for that name
                assert not known


async def test_wrong_tokens_keep_out_the_client_and_not_the_proxy(url: str, behind: Behind) -> None:
    async def ask(address: str, token: str) -> tuple[int, str]:
        made = aiohttp.TCPConnector(local_addr=(address, 0), ssl=behind.trust())
        # A client's own headers about its address are ignored.
        head = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.1"}
        async with (
            aiohttp.ClientSession(connector=made) as session,
            session.get(f"{url}/readyz", headers=head) as said,
        ):
            return said.status, await said.text()

    guesser, neighbour = f"127.0.1.{next(GUESSERS)}", "127.0.0.9"
    for _ in range(LOGIN_FREE):
        assert (await ask(guesser, WRONG))[0] == HTTPStatus.UNAUTHORIZED
    status, said = await ask(guesser, WRONG)
    assert status == HTTPStatus.TOO_MANY_REQUESTS, said
    assert f"came from {guesser}." in said
    # Another client that mistypes once is refused at once, without waiting.
    assert (await ask(neighbour, WRONG))[0] == HTTPStatus.UNAUTHORIZED
    assert (await ask(neighbour, behind.token))[0] == HTTPStatus.OK
