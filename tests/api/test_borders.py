"""Every number and time that any route takes, at its bounds.

Generated from the routes and from what their handlers read, so that a new one is included.
"""

from __future__ import annotations

import ast
import base64
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp import web
from msgspec import inspect as kinds
from sqlalchemy import Connection, delete

from palaver.wire.errors import PROBLEM_CONTENT_TYPE
from palaverd.api.app import ROUTES
from palaverd.chatstate.states import State
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.tables import chats
from support.daemon import running_pair
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


def calls(handler: FunctionType) -> Iterator[tuple[str, list[ast.expr]]]:
    """Yield each call in a handler and in the functions of its module that it calls."""
    waiting, seen = [handler], {handler}
    while waiting:
        function = waiting.pop()
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
            if not isinstance(node, ast.Call):
                continue
            yield ast.unparse(node.func), node.args
            called = function.__globals__.get(ast.unparse(node.func))
            if not isinstance(called, FunctionType) or called in seen:
                continue
            if called.__module__ == function.__module__:
                seen.add(called)
                waiting.append(called)


def body_of(handler: FunctionType) -> type | None:
    found = [arguments[1] for name, arguments in calls(handler) if name == "read_body"]
    return handler.__globals__[ast.unparse(found[0])] if found else None


def queries_of(handler: FunctionType) -> set[str]:
    """Return the names of the query parameters that a handler reads."""
    readers = {"int_query": 1, "bool_query": 1, "request.query.get": 0}
    return {
        ast.literal_eval(arguments[readers[name]])
        for name, arguments in calls(handler)
        if name in readers
    }


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
    for route in (route for table in ROUTES for route in table):
        assert isinstance(route, web.RouteDef)
        handler: Any = route.handler
        usual = re.sub(r"{(?!chat_id)\w+}", "1", route.path)
        for name in re.findall(r"{(?!chat_id)(\w+)}", route.path):
            for value in WHOLE:
                path = route.path.replace(f"{{{name}}}", str(value))
                yield Case(route.method, path, sample_body(handler))
        for name in queries_of(handler):
            for query in (*WHOLE, *(cursor(number) for number in WHOLE)):
                yield Case(route.method, f"{usual}?{name}={query}")
        if (kind := body_of(handler)) is not None:
            for body in at_borders(kinds.type_info(kind)):
                yield Case(route.method, usual, body)


def sample_body(handler: FunctionType) -> Any:
    kind = body_of(handler)
    return None if kind is None else sample(kinds.type_info(kind))


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
