"""How connections are opened: TLS with a CA of one's own, sockets that are dialled, no detours."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp import web

from client.protocol_server import (
    ProtocolServer,
    answer,
    chat,
    listen,
    protocol_server,
    say,
)
from palaver.client import Client, Connected, Endpoint, PalaverError, Unreachable
from palaver.wire.chats import ChatPage
from palaver.wire.events import ListSnapshot
from support.certificates import Authority

API = "/api/v1"


async def one_of_each(server: ProtocolServer, endpoint: Endpoint) -> None:
    """Ask something, and follow a stream."""

    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat()]))

    async def listed(socket: web.WebSocketResponse) -> None:
        await say(socket, ListSnapshot([], False))
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


async def test_no_redirect_is_followed() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{API}/elsewhere")

    async with protocol_server() as server:
        server.routes["GET", f"{API}/chats"] = elsewhere
        server.routes["GET", f"{API}/watch"] = elsewhere
        server.routes["GET", f"{API}/info"] = elsewhere
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
