"""Every route is declared, and the OpenAPI document says the same of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import aiohttp
import jsonschema_rs
import msgspec
import pytest
from aiohttp import web

from palaver.wire.bounds import Whole
from palaver.wire.chats import Chat
from palaverd.api.app import ROUTES
from palaverd.api.declared import Declared, Reply, check_declared, declared_of
from palaverd.api.openapi import document
from palaverd.api.routes import Routes
from palaverd.config.types import WorkerConfig
from palaverd.usecases.keyed_requests import Asker
from support.daemon import running_pair
from support.routes import DECLARED

SERVED = [route for routes in ROUTES for route in routes]
NAMES = [f"{one.method} {one.path}" for one in DECLARED]
DIALECT = "https://json-schema.org/draft/2020-12/schema"  # of OpenAPI 3.1
DOCUMENT: dict[str, Any] = document(DECLARED)


class Things(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which things."""

    size: int
    label: list[str] = []


def refs(value: Any) -> Iterator[str]:
    """Yield every reference in a document."""
    if isinstance(value, dict):
        yield from (ref for key, one in value.items() for ref in refs(one) if key != "enum")
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
    elif isinstance(value, list):
        yield from (ref for one in value for ref in refs(one))


async def test_the_document_has_every_route_that_is_served_and_no_other() -> None:
    async with (
        running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _, _simulator),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(daemon.socket))) as session,
    ):
        got = await session.get("http://localhost/api/v1/openapi.json")
        assert got.content_type == "application/json"
        served = await got.json()
    assert served == msgspec.json.decode(msgspec.json.encode(DOCUMENT))
    described = {
        (method.upper(), path)
        for path, operations in served["paths"].items()
        for method in operations
    }
    assert described == {(one.method, one.path) for one in DECLARED}
    assert len(described) == len(SERVED)


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": DIALECT})
    for ref in refs(DOCUMENT):
        place: Any = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place


@pytest.mark.parametrize("one", DECLARED, ids=NAMES)
def test_a_route_says_what_it_answers_and_takes(one: Declared) -> None:
    takes = one.takes
    operation = DOCUMENT["paths"][one.path][one.method.lower()]
    assert operation["summary"].endswith(".")
    assert set(takes.path) == set(re.findall(r"{(\w+)}", one.path))
    (served,) = (each for each in SERVED if declared_of(each.handler) is one)
    for name, kind in takes.path.items():  # a word in the place of a number is another address
        assert (kind is Whole) == (f"{{{name}:[0-9]+}}" in served.path)
    received = None if isinstance(one.receives, str) else one.receives
    for struct in filter(None, (takes.query, takes.body, received)):
        assert struct.__struct_config__.forbid_unknown_fields, struct
        assert struct.__doc__
    if takes.answer is None:  # then the handler writes the response itself, or says nothing
        assert one.events is not None or one.statuses == (204,) or takes.writes
    parameters = {(each["in"], each["name"]) for each in operation["parameters"]}
    wanted = {("path", name) for name in takes.path}
    if takes.query is not None:
        wanted |= {("query", each.encode_name) for each in msgspec.structs.fields(takes.query)}
    if takes.asker:
        wanted.add(("header", "Idempotency-Key"))
    assert parameters == wanted
    reads = takes.body is not None or one.receives is not None
    assert ("requestBody" in operation) == reads
    statuses = {*map(str, one.statuses), *map(str, one.problems)}
    assert set(operation["responses"]) == statuses


def test_times_are_marked_as_such() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Chat"]["properties"]["created_at"]["format"] == "date-time"
    assert schemas["Resume"]["properties"]["at"]["anyOf"][0]["format"] == "date-time"


def test_a_parameter_of_an_address_is_not_null_and_has_its_bounds() -> None:
    listed = DOCUMENT["paths"]["/api/v1/chats/{chat_id}/messages"]["get"]["parameters"]
    found = {each["name"]: each["schema"] for each in listed if each["in"] == "query"}
    assert found["limit"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert found["before_id"] == {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}


def test_a_route_without_a_declaration_is_not_served() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/forgotten", handler)
    with pytest.raises(LookupError, match="/forgotten"):
        check_declared(app)


def test_an_unknown_kind_of_problem_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match="mistery"):
        Routes().get("/x", scope="read", problems=("mistery",))(a_chat)


async def a_chat(request: web.Request, chat_id: str) -> Chat:
    raise NotImplementedError


async def untyped(request, chat_id: str) -> Chat:  # type: ignore[no-untyped-def]
    raise NotImplementedError


async def things(request: web.Request, query: Things, asker: Asker) -> Reply[Chat]:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("path", "handler", "words"),
    [
        ("/chats", a_chat, "GET /chats has no chat_id in its path"),
        ("/chats/{chat_id}/{place}", a_chat, "does not take place"),
        ("/chats/{chat_id}", untyped, "request has no type"),
    ],
)
def test_a_signature_that_does_not_fit_the_path_is_an_error(
    path: str, handler: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        _ = Declared("GET", path, handler, "read").takes


def test_lists_and_keys_are_described_and_a_reply_is_its_value() -> None:
    routes = Routes()
    routes.get("/things", scope="read", statuses=(200, 201))(things)
    (one,) = (declared_of(route.handler) for route in routes)
    assert one is not None
    operation = document([one])["paths"]["/things"]["get"]
    size, label, key = operation["parameters"]
    assert (size["required"], label["required"]) == (True, False)
    assert label["schema"]["type"] == "array"
    assert key["name"] == "Idempotency-Key"
    for status in ("200", "201"):
        content = operation["responses"][status]["content"]
        assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Chat"}
    assert "idempotency_key_reused" in one.problems[409]


def test_routes_can_have_the_same_query() -> None:
    routes = Routes()
    routes.get("/things", scope="read")(things)
    routes.get("/others", scope="read")(things)
    paths = document(filter(None, (declared_of(route.handler) for route in routes)))["paths"]
    assert paths["/things"]["get"]["parameters"] == paths["/others"]["get"]["parameters"]
