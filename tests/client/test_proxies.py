"""The environment's proxy: for https to other machines only, and never with the token."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.protocol_server import protocol_server
from client.test_reaching import TOKEN, one_of_each
from palaver.client import Client, Endpoint, PalaverError, Unreachable
from palaver.client.proxies import Proxy, proxy_for
from support.certificates import Authority

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def connect_proxy(to: int, status: str = "200 OK") -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a proxy that connects to one address only; yields the requests that it got, too."""
    asked: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # either side may close
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        if not status.startswith("200"):
            writer.close()
            return
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pump(reader, their_writer), pump(their_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def test_https_goes_through_the_proxy_and_the_token_does_not_go_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    async with (
        protocol_server(authority.context("box.test")) as server,
        connect_proxy(server.port) as (port, asked),
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pa%20ss@127.0.0.1:{port}")
        endpoint = Endpoint("https://box.test", ca_file=authority.file, token=TOKEN)
        await one_of_each(server, endpoint)
        assert asked
        login = base64.b64encode(b"me:pa ss")
        for request in asked:
            assert request.startswith(b"CONNECT box.test:443 ")
            assert b"Proxy-Authorization: Basic " + login in request
            assert TOKEN.encode() not in request
        assert {one[3]["Authorization"] for one in server.requests} == {f"Bearer {TOKEN}"}
        assert not any("Proxy-Authorization" in one[3] for one in server.requests)


async def test_a_proxy_that_refuses_or_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with connect_proxy(0, "407 Proxy Authentication Required") as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        async with Client(Endpoint("https://box.test", token=TOKEN)) as client:
            with pytest.raises(Unreachable, match=r"proxy of HTTPS_PROXY refused it .*407"):
                await client.chats()
    async with Client(Endpoint("https://box.test", token=TOKEN)) as client:
        with pytest.raises(Unreachable, match="the proxy of HTTPS_PROXY does not answer"):
            await client.chats()


@pytest.mark.parametrize(
    ("base", "variables", "proxy"),
    [
        ("https://box:7777", {}, None),
        ("https://box:7777", {"HTTPS_PROXY": "http://p:3128"}, Proxy("http://p:3128")),
        ("https://box:7777", {"https_proxy": "p:3128"}, Proxy("http://p:3128")),
        ("https://box:7777", {"ALL_PROXY": "https://p"}, Proxy("https://p")),
        ("https://box:7777", {"HTTPS_PROXY": "http://u:x@p"}, Proxy("http://p", "u", "x")),
        ("https://box:7777", {"HTTPS_PROXY": "http://p", "NO_PROXY": "box"}, None),
        ("https://a.box.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": ".box.test"}, None),
        ("https://127.0.0.1:7777", {"HTTPS_PROXY": "http://p"}, None),
        ("https://localhost:7777", {"HTTPS_PROXY": "http://p"}, None),
        ("http://box:7777", {"HTTP_PROXY": "http://p", "ALL_PROXY": "http://p"}, None),
    ],
)
def test_which_proxy_is_asked(
    monkeypatch: pytest.MonkeyPatch, base: str, variables: dict[str, str], proxy: Proxy | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(Endpoint(base)) == proxy


@pytest.mark.parametrize("value", ["socks5://me:hunter2@p:1080", "http://p:port", "http://"])
def test_a_proxy_that_cannot_be_used_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(PalaverError, match=r"cannot be used for https://box.*NO_PROXY=box") as told:
        proxy_for(Endpoint("https://box:7777"))
    assert "hunter2" not in str(told.value)
