"""Each route in every state of a chat: it answers as declared, and declares only what it answers.

What may go wrong with any route (a full disk, a wrong token) has tests of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from sqlalchemy import Connection, insert, select

from palaver.wire.chats import QUEUE_LIMIT
from palaver.wire.errors import Problem
from palaver.wire.messages import Text, ToolCall
from palaverd.api.declared import Declared
from palaverd.chatstate.states import STORED, Status
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.tables import messages, queued_messages, tool_runs
from support.daemon import running_pair
from support.routes import DECLARED, route_of
from support.store import NOW, add_message, plant

TURN = HISTORY = 3  # of a planted chat
NOWHERE = 10**9
CHATS = "/api/v1/chats"
CHAT = f"{CHATS}/{{chat_id}}"
QUEUED = f"{CHAT}/queue/{{queued_id}}"
MESSAGE = f"{CHAT}/messages/{{message_id}}"


class Ask(NamedTuple):
    """A request, sent `times` times.

    With `full` the chat's queue is full, if it has one; `missing` ids are unknown.
    """

    method: str
    path: str
    body: Any = None
    key: str | None = None
    full: bool = False
    missing: bool = False
    times: int = 1


def call(text: str = "42", call_id: str = "call1", turn: int = TURN) -> dict[str, Any]:
    return {"turn_version": turn, "answers": [{"call_id": call_id, "text": text}]}


# In every state of a chat.
IN_A_CHAT: Final = [
    Ask("GET", CHAT),
    Ask("GET", f"{CHAT}/messages"),
    Ask("GET", f"{CHAT}/export"),
    Ask("POST", f"{CHAT}/messages", {"content": "x"}),
    Ask("POST", f"{CHAT}/messages", {"content": "x"}, full=True),
    Ask("POST", f"{CHAT}/messages", {"content": "x", "model": "none"}),
    Ask("POST", f"{CHAT}/messages", {"content": " "}),
    Ask("POST", f"{CHAT}/messages", {"content": "x", "files": ["none"]}),
    Ask("POST", f"{CHAT}/messages", {"content": "x", "when_busy": "interrupt"}),
    *(
        Ask(
            "POST",
            f"{CHAT}/messages",
            {"content": "x", "when_busy": "interrupt", "turn_version": turn},
        )
        for turn in (TURN, TURN - 1)
    ),
    *(
        Ask("POST", f"{CHAT}/messages", {"content": "x", "when_busy": "steer", **more})
        for more in ({}, {"turn_version": TURN - 1}, {"position": 0}, {"model": "small"})
    ),
    Ask("PATCH", CHAT, {"title": "t"}),
    Ask("PATCH", CHAT, {"title": " "}),
    Ask("PATCH", CHAT, {"model": "none"}),
    Ask("PATCH", CHAT, {"archived": True}),
    Ask("PATCH", CHAT, {"archived": False}),
    Ask("PATCH", CHAT, {"workspace": {"path": "/nowhere"}}),
    Ask("PATCH", CHAT, {"labels": {"a": "b"}, "pin_order": 1}),
    Ask("DELETE", CHAT),
    Ask("POST", f"{CHAT}/read", {}),
    *(Ask("POST", f"{CHAT}/interrupt", {"turn_version": turn}) for turn in (TURN, TURN - 1)),
    Ask("POST", f"{CHAT}/interrupt", {"turn_version": TURN, "hold_queue": True}),
    *(Ask("POST", f"{CHAT}/resume", {"turn_version": turn}) for turn in (TURN, TURN - 1)),
    Ask("POST", f"{CHAT}/resume", {"turn_version": TURN, "at": "2100-01-01T00:00:00Z"}),
    Ask("POST", f"{CHAT}/skip-backoff", {"turn_version": TURN, "retry_version": 0}),
    Ask("POST", f"{CHAT}/skip-backoff", {"turn_version": TURN - 1, "retry_version": 0}),
    Ask("POST", f"{CHAT}/answers", call()),
    Ask("POST", f"{CHAT}/answers", call(call_id="none")),
    Ask("POST", f"{CHAT}/answers", call(turn=TURN - 1)),
    *(
        Ask("PATCH", MESSAGE, {"content": text, "history_version": version}, missing=missing)
        for text, version, missing in (
            ("x", HISTORY, False),
            ("x", HISTORY - 1, False),
            ("x", HISTORY, True),
            (" ", HISTORY, False),
        )
    ),
    Ask("PATCH", MESSAGE, {"content": "x", "history_version": HISTORY, "model": "none"}),
    Ask("PATCH", MESSAGE, {"content": "x", "history_version": HISTORY, "files": ["none"]}),
    Ask("POST", f"{CHAT}/fork", {"message_id": NOWHERE}),
    Ask("POST", f"{CHAT}/fork", {"message_id": "{message_id}"}, key="{chat_id}", times=2),
    *(Ask("POST", f"{CHAT}/clear", {"history_version": version}) for version in (3, 2)),
    Ask("POST", f"{CHAT}/compact"),
    Ask("POST", f"{CHAT}/reconcile"),
    Ask("PATCH", QUEUED, {"content": "x"}),
    Ask("PATCH", QUEUED, {"content": "x"}, missing=True),
    Ask("PATCH", QUEUED, {"content": " "}),
    Ask("PATCH", QUEUED, {"content": "x", "model": "none"}),
    Ask("PATCH", QUEUED, {"content": "x", "files": ["none"]}),
    Ask("DELETE", QUEUED),
    Ask("DELETE", QUEUED, missing=True),
    *(Ask("POST", f"{QUEUED}/promote", {"turn_version": turn}) for turn in (TURN, TURN - 1)),
    Ask("POST", f"{QUEUED}/promote", {"turn_version": TURN}, missing=True),
    Ask("PUT", f"{CHAT}/queue/order", {"ids": [NOWHERE]}),
    Ask("PUT", f"{CHAT}/queue/order", {"ids": "{queue}"}),
    Ask("POST", f"{CHAT}/queue/hold"),
    Ask("POST", f"{CHAT}/queue/release"),
    Ask("GET", f"{CHAT}/stream"),
]
EXPORT: Final = {
    "format": "palaver-chat",
    "version": 1,
    "chat": {"title": "t", "created_at": "2030-01-01T00:00:00Z"},
    "messages": [],
}
# Once, in this order.
ELSEWHERE: Final = [
    Ask("POST", CHATS, {"content": "x"}, key="new"),
    Ask("POST", CHATS, {"content": "x"}, key="new"),
    Ask("POST", CHATS, {"content": "y"}, key="new"),
    Ask("POST", CHATS, {"content": ""}),
    Ask("POST", CHATS, {"content": "x", "files": ["none"]}),
    Ask("POST", CHATS, {"content": "x", "model": "none"}),
    Ask("GET", CHATS),
    Ask("GET", f"{CHATS}?cursor=x"),
    Ask("POST", "/api/v1/imports", EXPORT, key="import"),
    Ask("POST", "/api/v1/imports", EXPORT, key="import"),
    Ask("GET", "/api/v1/search?q=answer"),
    Ask("GET", "/api/v1/search?q=answer&chat=none"),
    Ask("POST", "/api/v1/files?name=a.txt", {}),
    Ask("POST", "/api/v1/files?name=a.txt", {}),
    Ask("GET", "/api/v1/files/none"),
    Ask("GET", "/api/v1/watch"),
    Ask("GET", "/api/v1/info"),
    Ask("GET", "/api/v1/models"),
    Ask("GET", "/api/v1/openapi.json"),
    Ask("GET", "/healthz"),
    Ask("GET", "/metrics"),
    Ask("POST", "/api/v1/reload"),
    Ask("POST", "/api/v1/variables", {"variables": {"A_KEY": "x"}}),
    Ask("POST", "/api/v1/users", {"name": "eve"}),
    Ask("POST", "/api/v1/users", {"name": "eve"}),
    Ask("POST", "/api/v1/users", {"name": ""}),
    Ask("GET", "/api/v1/users"),
    Ask("POST", "/api/v1/tokens", {"name": "t", "user": "eve"}),
    Ask("POST", "/api/v1/tokens", {"name": ""}),
    Ask("POST", "/api/v1/tokens", {"name": "t", "user": "nobody"}),
    Ask("GET", "/api/v1/tokens"),
    Ask("DELETE", "/api/v1/tokens/{token}"),
    Ask("DELETE", "/api/v1/tokens/none"),
    Ask("POST", "/api/v1/users/eve/disable"),
    Ask("POST", "/api/v1/tokens", {"name": "t", "user": "eve"}),
    Ask("POST", "/api/v1/users/none/disable"),
    Ask("POST", "/api/v1/users/local/disable"),
    Ask("GET", "/readyz"),
]


# What this daemon cannot answer, and where it is tested.
TESTED_ELSEWHERE: Final = {
    ("GET /readyz", 503): "tests/server/test_metrics.py",
    ("POST /api/v1/reload", 200): "tests/server/test_reloading.py",
    ("POST /api/v1/variables", 409): "tests/server/test_reloading.py",
    ("POST /api/v1/chats/{chat_id}/skip-backoff", 200): "docs/api.md",
    ("POST /api/v1/files", 400): "tests/api/test_files.py",
    ("GET /api/v1/files/{file_id}", 200): "tests/api/test_files.py",
    ("GET /api/v1/files/{file_id}", 206): "tests/api/test_files.py",
    ("GET /api/v1/files/{file_id}", 304): "tests/api/test_files.py",
    ("GET /api/v1/files/{file_id}", 416): "tests/api/test_files.py",
    ("POST /api/v1/chats", 400): "tests/api/test_attachments.py",
    ("POST /api/v1/chats/{chat_id}/messages", 400): "tests/api/test_attachments.py",
    (
        "PATCH /api/v1/chats/{chat_id}/messages/{message_id}",
        400,
    ): "tests/api/test_attachments.py",
    (
        "PATCH /api/v1/chats/{chat_id}/queue/{queued_id}",
        400,
    ): "tests/api/test_attachments.py",
}


class Asker:
    """Sends requests, and notes what each route has answered."""

    def __init__(self, daemon: Daemon, session: aiohttp.ClientSession) -> None:
        self.daemon, self.session = daemon, session
        self.seen: dict[Declared, set[tuple[int, str]]] = {one: set() for one in DECLARED}
        self.wrong: list[str] = []
        self.ids: dict[str, str] = {}

    async def ask(self, ask: Ask, about: object = "") -> None:
        path, declared = ask.path, route_of(ask.method, ask.path.partition("?")[0])
        body = None if ask.body is None else msgspec.json.encode(ask.body).decode()
        for name, value in self.ids.items():
            path = path.replace(f"{{{name}}}", value)
            body = body and body.replace(f'"{{{name}}}"', value)
        headers = {} if ask.key is None else {"Idempotency-Key": ask.key.format(**self.ids)}
        url = f"http://localhost{path}"
        async with self.session.request(ask.method, url, data=body, headers=headers) as got:
            text = await got.read()
        code = msgspec.json.decode(text, type=Problem).code if got.status >= 400 else ""
        if ask.path == "/api/v1/tokens" and got.status == 201:
            self.ids["token"] = msgspec.json.decode(text)["token"]["id"]
        self.seen[declared].add((got.status, code))
        known = code in declared.problems.get(got.status, ()) or got.status in declared.statuses
        if not known:
            self.wrong.append(f"{ask} {about}: {got.status} {text.decode()}")


def planted(connection: Connection, *, number: int, full: bool) -> list[dict[str, str]]:
    """Insert a chat in each state; return its ids."""
    found = []
    for state in STORED:
        chat_id = f"{number}-{state.name}"
        row = plant(
            connection,
            state,
            chat_id=chat_id,
            owner=LOCAL_OWNER,
            queued=QUEUE_LIMIT if full else 2,
        )
        message = select(messages.c.id).where(messages.c.chat_id == chat_id)
        queued = select(queued_messages.c.id).where(queued_messages.c.chat_id == chat_id)
        queue = connection.execute(queued).scalars().all()
        ids = {
            "chat_id": chat_id,
            "message_id": str(connection.execute(message).scalar_one()),
            "queued_id": str(queue[0] if queue else NOWHERE),
            "queue": str([*queue]),
        }
        found.append(ids)
        add_message(connection, row, "assistant", [Text("an answer")])
        if state.shape.status is Status.REQUIRES_ACTION:
            add_message(connection, row, "assistant", [ToolCall("call1", "ask", "{}")])
            wanted = {"call_id": "call1", "needs": "result", "requested_at": NOW}
            connection.execute(insert(tool_runs).values(chat_id=chat_id, **wanted))
    return found


async def test_every_route_answers_as_declared_and_declares_only_what_it_answers() -> None:
    async with (
        running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _, _simulator),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(daemon.socket))) as session,
    ):
        asker = Asker(daemon, session)
        for number, ask in enumerate(IN_A_CHAT):
            chats = await daemon.database.write(partial(planted, number=number, full=ask.full))
            for state, asker.ids in zip(STORED, chats, strict=True):
                if ask.missing:
                    asker.ids |= {"message_id": str(NOWHERE), "queued_id": str(NOWHERE)}
                for _ in range(ask.times):
                    await asker.ask(ask, state)
        for ask in ELSEWHERE:
            await asker.ask(ask)
    assert asker.wrong == []
    never = {
        (f"{one.method} {one.path}", status): code
        for one, seen in asker.seen.items()
        for status, code in own_answers(one) - seen
    }
    assert never.keys() == TESTED_ELSEWHERE.keys(), never


def own_answers(one: Declared) -> set[tuple[int, str]]:
    """Return the answers that a route declares itself, besides what any route may answer."""
    found = {(status, "") for status in one.statuses if one.events is None}
    for name in one.own_problems:
        for status, codes in one.problems.items():
            if name in codes or (code_of(name), status) == name:
                found.add((status, code_of(name)))
    return found


def code_of(name: str | tuple[str, int]) -> str:
    return name if isinstance(name, str) else name[0]
