"""Connections: TLS with a private CA, dialled sockets, no redirects and no proxies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from client.protocol_server import (
    ProtocolServer,
    answer,
    chat,
    listen,
    protocol_server,
    refusal,
    say,
)
from palaver.client import Client, Connected, Endpoint, PalaverError, Refused, Unreachable
from palaver.client.connector import connect_unix
from palaver.client.limits import CONNECT_MOST_S, CONNECT_S
from palaver.wire.chats import ChatPage
from palaver.wire.events import ListSnapshot
from support.certificates import Authority
from support.clock import ManualClock, until

API = "/api/v1"
TOKEN = "palaver_ab12_" + "s" * 43


async def one_of_each(server: ProtocolServer, endpoint: Endpoint) -> None:
    """Send a request, and follow a stream."""

    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat()]))

    async def listed(socket: web.WebSocketResponse) -> None:
        await say(socket, ListSnapshot([]))
        await listen(socket)

    server.routes["GET", f"{API}/chats"] = chats
    server.conversations.append(listed)
    async with Client(endpoint) as client:
        assert [one.id for one in (await client.chats()).chats] == ["c1"]
        seen = []
        async for batch in client.watch():
            seen += batch
            if len(seen) == 2:
                assert await client.chats()  # beside the stream, which has a connection to itself
                break
    assert [type(event) for event in seen] == [Connected, ListSnapshot]


async def test_a_private_ca_is_taken_from_its_file_for_requests_and_streams(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with protocol_server(authority.context()) as server:
        base = f"https://127.0.0.1:{server.port}"
        await one_of_each(server, Endpoint(base, ca_file=authority.file))
        with pytest.raises(Unreachable):
            await one_of_each(server, Endpoint(base))


async def test_without_a_ca_file_the_certificates_of_the_system_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those of aiohttp's import, at which a program of ours reads none."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with protocol_server(authority.context()) as server:
        await one_of_each(server, Endpoint(f"https://127.0.0.1:{server.port}"))


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), ("hello", "has no certificate in it")],
)
async def test_a_ca_file_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with Client(Endpoint("https://127.0.0.1:1", ca_file=path)) as client:
        with pytest.raises(PalaverError, match=said) as failed:
            await client.chats()
    assert str(path) in str(failed.value)


async def test_connections_are_dialled_each_anew() -> None:
    dialled = []
    async with protocol_server() as server:

        async def dial() -> socket.socket:
            sock = socket.socket(socket.AF_UNIX)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, str(server.endpoint.socket))
            dialled.append(sock)
            return sock

        await one_of_each(server, Endpoint(dial=dial, name="ssh://box"))
        assert {request[3]["Host"] for request in server.requests} == {"localhost"}
    assert len(dialled) == 2
    assert all(sock.fileno() == -1 for sock in dialled)  # closed, by their transports


async def test_a_dial_that_fails_is_a_connection_that_fails() -> None:
    async def dial() -> socket.socket:
        raise ConnectionResetError

    async with Client(Endpoint(dial=dial, name="ssh://box")) as client:
        with pytest.raises(Unreachable, match=r"palaverd at ssh://box: the connection was closed"):
            await client.chats()


async def test_only_without_a_connection_a_request_was_certainly_not_sent() -> None:
    async def read_and_leave(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with protocol_server() as server:
        server.routes["GET", f"{API}/chats"] = read_and_leave
        async with Client(server.endpoint) as client:
            with pytest.raises(Unreachable) as lost:
                await client.chats()
    async with Client(server.endpoint) as client:  # nothing listens there now
        with pytest.raises(Unreachable) as refused:
            await client.chats()
    assert (lost.value.never_sent, refused.value.never_sent) == (False, True)


async def test_no_redirect_is_followed() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{API}/elsewhere")

    async with protocol_server() as server:
        server.routes["GET", f"{API}/chats"] = elsewhere
        server.routes["GET", f"{API}/watch"] = elsewhere
        async with Client(server.endpoint) as client:
            with pytest.raises(PalaverError, match="HTTP status 307"):
                await client.chats()
            async for batch in client.watch():
                assert [getattr(event, "reason", "") for event in batch] == [
                    "the daemon answered with status 307"
                ]
                break
        assert f"{API}/elsewhere" not in {request[1] for request in server.requests}


async def test_what_a_dial_says_in_a_sentence_is_said() -> None:
    async def dial() -> socket.socket:
        raise PalaverError("ssh ended with status 255: no route to host.")

    async with Client(Endpoint(dial=dial, name="ssh://box")) as client:
        with pytest.raises(PalaverError, match="no route to host"):
            await client.chats()


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("certificate", "trusted", "said"),
    [
        ({}, False, "name it with --ca-file FILE"),
        ({"not_after": NOW - timedelta(days=1)}, True, "its certificate has expired"),
        (
            {"not_before": NOW + timedelta(days=1)},
            True,
            "is not valid yet, by this machine's clock",
        ),
        ({"names": ("box.example",)}, True, "is for another name than the one in the address"),
    ],
)
async def test_a_certificate_that_is_not_taken_says_why(
    tmp_path: Path, certificate: dict[str, Any], trusted: bool, said: str
) -> None:
    authority = Authority(tmp_path)
    names = certificate.get("names", ())
    lasting = {"not_before": NOW - timedelta(days=9), "not_after": NOW + timedelta(days=9)}
    lasting |= {key: value for key, value in certificate.items() if key != "names"}
    async with protocol_server(authority.context(*names, **lasting)) as server:
        ca_file = authority.file if trusted else None
        base = f"https://127.0.0.1:{server.port}"
        async with Client(Endpoint(base, ca_file=ca_file, token=TOKEN)) as client:
            with pytest.raises(Unreachable, match=said):
                await client.chats()
        assert not server.requests


async def test_tls_where_there_is_none_and_none_where_there_is_says_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cases = (
        (None, "https", "it answers, but without TLS"),
        (authority.context(), "http", "if it speaks TLS, its address begins with https"),
    )
    for tls, scheme, said in cases:
        async with (
            protocol_server(tls) as server,
            Client(Endpoint(f"{scheme}://127.0.0.1:{server.port}")) as client,
        ):
            with pytest.raises(Unreachable, match=said) as unreachable:
                await client.chats()
            assert "?" not in str(unreachable.value)  # the text ends with a full stop


async def test_a_name_that_no_machine_has_is_told_as_such() -> None:
    async with Client(Endpoint("https://nobody.invalid")) as client:
        with pytest.raises(Unreachable, match="there is no machine of that name"):
            await client.chats()


async def test_a_stream_whose_token_ended_asks_why_and_says_what_to_do() -> None:
    async def ended(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4401)

    async def why(_: web.Request) -> web.Response:
        return refusal(401, "unauthenticated", "The token was revoked.")

    async with protocol_server() as server:
        server.conversations.append(ended)
        server.routes["GET", f"{API}/chats"] = why
        base = f"http://127.0.0.1:{server.port}"
        async with Client(Endpoint(base, token=TOKEN)) as client:
            with pytest.raises(Refused) as refused:
                async for _ in client.watch():
                    pass
    assert str(refused.value) == (
        f"{base} does not accept the token: The token was revoked."
        f" Log in with  palaver login {base}"
    )
    assert TOKEN not in repr(refused.value) + repr(client.endpoint)


async def test_a_client_waits_while_the_backlog_of_a_socket_is_full(tmp_path: Path) -> None:
    """asyncio takes a refused connection for a connected one then, and loses the request."""
    clock = ManualClock()
    with full_backlog(tmp_path / "s") as listening:
        connecting = asyncio.create_task(connect_unix(str(tmp_path / "s"), clock))
        for _ in range(3):
            await until(lambda: len(clock.waits()) == 2)  # the next attempt, and the deadline
            clock.advance(CONNECT_MOST_S)
            await asyncio.sleep(0)
        assert not connecting.done()
        accept_all(listening)
        await until(lambda: len(clock.waits()) == 2)
        clock.advance(CONNECT_MOST_S)
        with await connecting as connected, listening.accept()[0] as accepted:
            connected.send(b"hello")
            assert accepted.recv(5) == b"hello"


async def test_a_backlog_that_stays_full_is_a_connection_that_was_never_made(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    with full_backlog(tmp_path / "s"):
        async with Client(Endpoint(socket=tmp_path / "s"), clock=clock) as client:
            asked = asyncio.create_task(client.health())
            await until(lambda: CONNECT_S in clock.waits())
            clock.advance(CONNECT_S)
            with pytest.raises(Unreachable, match="did not accept a connection in time") as failed:
                await asked
    assert failed.value.never_sent


@contextmanager
def full_backlog(path: Path) -> Iterator[socket.socket]:
    """Listen on a Unix socket to which no further connection can be made."""
    with socket.socket(socket.AF_UNIX) as listening, ExitStack() as stack:
        listening.setblocking(False)
        listening.bind(str(path))
        listening.listen(1)
        while True:
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.setblocking(False)
            try:
                one.connect(str(path))
            except BlockingIOError:
                break
        yield listening


def accept_all(listening: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
