"""Authorization of every route and both sockets, from the route table.

A new route is in the table, and so in these tests; a daemon with a route without a declaration
does not start.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from palaver.client import Client, Endpoint
from palaver.wire.access import SCOPES, Scope
from palaver.wire.chats import CreateChat
from palaver.wire.setup import Lent
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import Config, ServerConfig, WorkerConfig
from palaverd.daemon import Daemon
from support.clock import ManualClock
from support.daemon import make_daemon, short_dir, simulator_config
from support.routes import DECLARED
from support.tokens import make_token, make_user

TABLE = sorted((one.method, one.path, one.scope) for one in DECLARED)
HOSTS = {"127.0.0.1": None, "palaver.example": None, "evil.example": "unknown_host"}
PAGES = {
    None: None,
    "https://chat.example": None,
    "https://evil.example": "unknown_origin",
    "null": "unknown_origin",
}
ON_THE_SOCKET = {one.path for one in DECLARED if one.over_socket}  # refused over TCP
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
# A valid body for each route that reads one, so that only the chat can be wrong.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "messages"): {"content": "x"},
    ("POST", "interrupt"): {"turn_version": 1},
    ("PATCH", "{message_id}"): {"content": "x", "history_version": 1},
    ("POST", "fork"): {"message_id": 1},
    ("POST", "clear"): {"history_version": 1},
    ("PATCH", "{chat_id}"): {"title": "x"},
    ("POST", "read"): {},
    ("POST", "resume"): {"turn_version": 1},
    ("POST", "skip-backoff"): {"turn_version": 1, "retry_version": 1},
    ("POST", "answers"): {"turn_version": 1, "answers": [{"call_id": "a", "text": "x"}]},
    ("PATCH", "{queued_id}"): {"content": "x"},
    ("POST", "promote"): {"turn_version": 1},
    ("PUT", "order"): {"ids": [1]},
}


class Door:
    """A daemon on a TCP port, and one session that sends requests to it."""

    def __init__(self, daemon: Daemon, session: aiohttp.ClientSession) -> None:
        self.daemon, self.session = daemon, session
        self.url = f"http://{daemon.listening[0]}"

    async def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str
    ) -> tuple[int, str, Mapping[str, str]]:
        """Send a request; return the status, the problem code, and the headers."""
        sent = dict(headers)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if path.endswith(("/stream", "/watch")):
            sent |= UPGRADE
        async with self.session.request(method, self.url + path, headers=sent, json=body) as got:
            if got.status == 101 or method == "HEAD" or "json" not in got.content_type:
                return got.status, "", got.headers
            found = await got.json(content_type=None) if got.status >= 400 else {}
            return got.status, found.get("code", ""), got.headers


@asynccontextmanager
async def open_door(clock: ManualClock | None = None) -> AsyncIterator[Door]:
    config: Config = simulator_config(
        "http://127.0.0.1:1",
        worker=WorkerConfig(enabled=False),
        server=ServerConfig(
            public_url="https://palaver.example", allowed_origins=["https://chat.example"]
        ),
    )
    async with short_dir() as folder:
        daemon = make_daemon(folder, config, clock, listen=[ListenAddress("127.0.0.1", 0)])
        await daemon.start()
        try:
            async with aiohttp.ClientSession() as session:
                yield Door(daemon, session)
        finally:
            await daemon.stop()


def filled(path: str, chat: str = "nope") -> str:
    return (
        path.replace("{chat_id}", chat)
        .replace("{message_id}", "1")
        .replace("{queued_id}", "1")
        .replace("{file_id}", "none")
        .replace("{user}", "nobody")
        .replace("{token}", "none")
    )


def test_healthz_is_all_that_strangers_see() -> None:
    assert [path for _, path, scope in TABLE if scope == "public"] == ["/healthz"]


def test_what_only_looks_is_for_reading_and_what_changes_a_chat_is_for_chatting() -> None:
    for method, path, scope in TABLE:
        if path.startswith(("/api/v1/chats", "/api/v1/files", "/api/v1/imports")):
            assert scope == ("read" if method == "GET" else "chat"), (method, path)
        elif method != "GET":
            assert scope == "admin", (method, path)


async def test_every_combination_of_host_origin_and_token_on_every_route_and_both_sockets() -> None:
    async with open_door() as door:
        tokens: dict[str, str | None] = {"none": None}
        for allowed in SCOPES:
            tokens[allowed] = (await make_token(door.daemon, allowed)).secret
        asked = 0
        for (method, path, scope), host, page, name in itertools.product(
            [*TABLE, ("GET", "/nowhere", None), ("PUT", "/healthz", None)], HOSTS, PAGES, tokens
        ):
            headers = {"Host": host} | ({"Origin": page} if page else {})
            status, code, sent = await door.ask(method, filled(path), tokens[name], **headers)
            asked += 1
            wanted = HOSTS[host] or PAGES[page]
            where = (method, path, host, page, name, status, code)
            if wanted is not None:
                assert (status, code) == (403, wanted), where
            elif scope == "public":
                assert status == 200, where
            elif tokens[name] is None:
                assert (status, code) == (401, "unauthenticated"), where
                assert sent["WWW-Authenticate"].startswith("Bearer"), where
            elif path in ON_THE_SOCKET or (scope is not None and scope != name):
                assert (status, code) == (403, "scope"), where
            else:
                assert code not in {"unauthenticated", "scope", "unknown_host"}, where
                assert status < 500, where
        assert asked == (len(TABLE) + 2) * len(HOSTS) * len(PAGES) * len(tokens)


async def test_anothers_ids_are_not_found_on_any_route_nor_socket() -> None:
    async with open_door() as door:
        async with Client(Endpoint(socket=door.daemon.socket)) as client:
            chat = (await client.create_chat(CreateChat("mine"))).chat.id
        await make_user(door.daemon, "eve")
        scopes: tuple[Scope, ...] = ("read", "chat", "admin")
        eve = (await make_token(door.daemon, *scopes, user="eve")).secret
        mine = (await make_token(door.daemon, *scopes)).secret
        tried = 0
        for method, path, _ in TABLE:
            if "{chat_id}" not in path:
                continue
            tried += 1
            body = BODIES.get((method, path.rpartition("/")[2]))
            theirs = await door.ask(method, filled(path, chat), eve, body)
            assert theirs[:2] == (404, "chat_not_found"), (method, path)
            if method in {"GET", "POST"}:  # and the ids are right: the owner may know
                assert (await door.ask(method, filled(path, chat), mine, body))[1] != (
                    "chat_not_found"
                ), (method, path)
        assert tried >= 18
        async with Client(Endpoint(door.url, token=eve)) as client:
            assert (await client.chats()).chats == []
            assert (await client.info()).user == "eve"
            # Another owner's key is unknown for her, and replays none of their responses.
            again = await client.create_chat(CreateChat("hers"), key="k")
        async with Client(Endpoint(door.url, token=mine)) as client:
            own = await client.create_chat(CreateChat("hers"), key="k")
            assert own.chat.id != again.chat.id
            assert again.chat.id not in {one.id for one in (await client.chats()).chats}


async def test_the_directories_of_the_machine_are_its_own_users() -> None:
    async with open_door() as door:
        await make_user(door.daemon, "eve")
        hers = (await make_token(door.daemon, user="eve")).secret
        mine = (await make_token(door.daemon)).secret
        for path in ("/", "/nothing/there"):
            body = {"content": "x", "workspace": {"path": path}}
            found = await door.ask("POST", "/api/v1/chats", hers, body)
            assert found[:2] == (403, "scope")
        body = {"content": "x", "workspace": {"path": "/"}}
        assert (await door.ask("POST", "/api/v1/chats", mine, body))[0] == 201


async def test_the_machine_is_shown_to_administrators_alone() -> None:
    async with open_door() as door:
        reading = (await make_token(door.daemon, "read")).secret
        looking_after = (await make_token(door.daemon, "read", "admin")).secret
        async with Client(Endpoint(door.url, token=reading)) as client:
            info = await client.info()
            assert (info.pid, info.data_dir, info.config) == (0, "", None)
            assert (await client.models()).setup is None
        async with Client(Endpoint(door.url, token=looking_after)) as client:
            assert (await client.info()).data_dir


async def test_keys_are_lent_over_the_socket_alone() -> None:
    async with open_door() as door:
        token = (await make_token(door.daemon, "admin")).secret
        body = {"variables": {"A_KEY": "x"}}
        assert (await door.ask("POST", "/api/v1/variables", token, body))[:2] == (403, "scope")
        async with Client(Endpoint(socket=door.daemon.socket)) as client:
            assert (await client.lend(Lent({"A_KEY": "x"}))).changed == []
