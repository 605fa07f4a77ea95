"""Every number and time that any route takes, at its bounds.

Generated from the declarations of the routes, so that a new one is included.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiohttp
import msgspec
from msgspec import inspect as kinds
from sqlalchemy import Connection, delete

from palaver.wire.errors import PROBLEM_CONTENT_TYPE
from palaverd.api.declared import Takes
from palaverd.chatstate.states import State
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.tables import chats
from support.daemon import running_pair
from support.routes import DECLARED
from support.store import plant

WHOLE = [-(2**63) - 1, -1, 0, 2**53 + 1, 2**63 - 1, 2**63, 10**30]
TIMES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59.999Z",
    "2030-01-01T00:00:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
]
VERSION = 3  # of the turn and of the history of a chat written by the test
# With a queue and without a run, failed, and waiting: all states that a request may meet.
STATES = (State.P, State.E1, State.Rh)


class Case(NamedTuple):
    method: str
    path: str
    body: Any = None


def sample(kind: kinds.Type) -> Any:
    """Return a valid value of a type."""
    match kind:
        case kinds.StructType():
            needed = [field for field in kind.fields if field.required]
            return {field.encode_name: sample(field.type) for field in needed}
        case kinds.ListType() | kinds.CollectionType():
            return [sample(kind.item_type)]
        case kinds.IntType():
            return VERSION
        case kinds.StrType():
            return "x"
        case kinds.UnionType():
            return sample(kind.types[0])
        case kinds.BoolType():
            return True
    raise AssertionError(f"no sample for {kind}: say here what is taken")


def at_borders(kind: kinds.Type) -> Iterator[Any]:
    """Yield values with one number or time at a border, the rest as usual."""
    match kind:
        case kinds.IntType():
            yield from WHOLE
        case kinds.DateTimeType():
            yield from TIMES
        case kinds.StructType():
            for field in kind.fields:
                for value in at_borders(field.type):
                    yield sample(kind) | {field.encode_name: value}
        case kinds.ListType():
            for value in at_borders(kind.item_type):
                yield [value]
        case kinds.UnionType():
            for one in kind.types:
                yield from at_borders(one)


def cases() -> Iterator[Case]:
    """Yield every request; `{chat_id}` stands for a chat."""
    for declared in DECLARED:
        method, path, takes = declared.method, declared.path, declared.takes
        usual = re.sub(r"{(?!chat_id)\w+}", "1", path)
        for name in takes.path.keys() - {"chat_id"}:
            for value in WHOLE:
                yield Case(method, path.replace(f"{{{name}}}", str(value)), sample_body(takes))
        for name in names_of(takes.query):
            for query in (*WHOLE, *(cursor(number) for number in WHOLE)):
                yield Case(method, f"{usual}?{name}={query}")
        if takes.body is not None:
            for body in at_borders(kinds.type_info(takes.body)):
                yield Case(method, usual, body)


def names_of(query: type | None) -> tuple[str, ...]:
    return () if query is None else tuple(f.encode_name for f in msgspec.structs.fields(query))


def sample_body(takes: Takes) -> Any:
    return None if takes.body is None else sample(kinds.type_info(takes.body))


def cursor(number: int) -> str:
    """Return a cursor of the list that no daemon has issued."""
    return base64.urlsafe_b64encode(f'[{number},"x"]'.encode()).decode()


def test_the_cases_are_made_from_the_routes() -> None:
    found = list(cases())
    assert Case("POST", "/api/v1/chats/{chat_id}/fork", {"message_id": 2**63}) in found
    resume = {"turn_version": VERSION, "at": TIMES[-1]}
    assert Case("POST", "/api/v1/chats/{chat_id}/resume", resume) in found
    assert Case("GET", f"/api/v1/chats/{{chat_id}}/messages?before_id={2**63}") in found
    assert Case("DELETE", f"/api/v1/chats/{{chat_id}}/queue/{2**63}") in found


async def test_no_number_or_time_is_too_much_for_any_route() -> None:
    async with (
        running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _, _sim),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(daemon.socket))) as session,
    ):
        wrong = []
        await daemon.database.write(plant_anew)
        for case in cases():
            for state in STATES if "{chat_id}" in case.path else STATES[:1]:
                wrong += await outcome(daemon, session, case, state)
        assert wrong == []


def plant_anew(connection: Connection) -> None:
    """Replace all chats by one in each state."""
    connection.execute(delete(chats))
    for state in STATES:
        plant(connection, state, chat_id=state.name, owner=LOCAL_OWNER)


async def outcome(
    daemon: Daemon, session: aiohttp.ClientSession, case: Case, state: State
) -> list[str]:
    """Send one request; return what is wrong about the response."""
    place = "http://localhost" + case.path.replace("{chat_id}", state.name)
    body = None if case.body is None else msgspec.json.encode(case.body)
    async with session.request(case.method, place, data=body) as response:
        status = response.status
        if status >= 500 or (status >= 400 and response.content_type != PROBLEM_CONTENT_TYPE):
            return [f"{case} in {state}: {status} {await response.text()}"]
    if status >= 400 or case.method == "GET":
        return []
    # An accepted value can be read back.
    async with session.get("http://localhost/api/v1/chats") as response:
        wrong = [] if response.status == 200 else [f"{case} in {state}: the list is broken"]
    await daemon.database.write(plant_anew)
    return wrong
