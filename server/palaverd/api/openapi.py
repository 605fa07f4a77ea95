"""The OpenAPI document, from the declarations of the routes and the types that they name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

from palaver import __version__
from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem
from palaverd.api.declared import Declared
from palaverd.api.limits import KEY_LIMIT
from palaverd.api.problem_kinds import KINDS

Schema = dict[str, Any]

VERSION: Final = "3.1.0"  # of OpenAPI; its schemas are JSON Schema 2020-12, which msgspec writes
_JSON: Final = "application/json"
_REF: Final = "#/components/schemas/{name}"
_ABOUT: Final = (
    "Conversations with language models, stored and run by a daemon. Every error is a problem "
    "(RFC 9457) whose `code` says what is wrong. Routes that are read with GET answer HEAD, too."
)
_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name for this request: sent again with it, the request does nothing more.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT},
}


def document(routes: Iterable[Declared]) -> Schema:
    """Return the document of these routes."""
    declared = sorted(routes, key=lambda one: (one.path, one.method))
    types = list(dict.fromkeys(kind for one in declared for kind in _types_of(one)))
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    for component in components.values():
        component["description"] = inspect.cleandoc(component["description"])
    _mark_times([*types, Problem], components)
    known = dict(zip(types, schemas, strict=False))
    asked = {one.takes.query for one in declared if one.takes.query is not None}
    queries = {kind: components.pop(kind.__name__) for kind in asked}
    paths: dict[str, Schema] = {}
    for one in declared:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, known, queries)
    return {
        "openapi": VERSION,
        "info": {"title": "Palaver", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                _name(status, codes): _problem(status, codes)
                for status, codes in sorted(
                    {kind for one in declared for kind in one.problems.items()}
                )
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _types_of(one: Declared) -> Iterable[Any]:
    takes = one.takes
    events = None if one.events is None else list[one.events]  # type: ignore[name-defined]
    received = None if isinstance(one.receives, str) else one.receives
    found = (takes.query, takes.body, received, takes.answer, *takes.path.values(), events)
    return (kind for kind in found if kind is not None)


def _operation(one: Declared, known: Mapping[Any, Schema], queries: Mapping[Any, Schema]) -> Schema:
    takes = one.takes
    said = inspect.getdoc(one.handler) or ""
    summary, _, more = said.partition("\n\n")
    query = queries.get(takes.query, {})
    operation: Schema = {
        "operationId": one.handler.__name__,
        "summary": " ".join(summary.split()),
        "description": "\n\n".join(filter(None, (more, query.get("description", "")))),
        "tags": [one.handler.__module__.rpartition(".")[2]],
        "security": [] if one.scope == "public" else [{"token": []}],
        "x-scope": one.scope,
        "parameters": [*_path(one, known), *_query(query), *([_KEY] if takes.asker else [])],
        "responses": {**_answers(one, known), **_problems(one)},
    }
    if (body := one.receives or takes.body) is not None:
        content = {body: {}} if isinstance(body, str) else {_JSON: {"schema": known[body]}}
        operation["requestBody"] = {"required": True, "content": content}
    if one.events is not None:
        operation["x-websocket-frame"] = known[list[one.events]]  # type: ignore[name-defined]
    return operation


def _path(one: Declared, known: Mapping[Any, Schema]) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": known[kind]}
        for name, kind in one.takes.path.items()
    ]


def _query(query: Schema) -> list[Schema]:
    required = query.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _in_address(schema)}
        for name, schema in query.get("properties", {}).items()
    ]


def _in_address(schema: Schema) -> Schema:
    """Return the schema of a field as that of a parameter: one that is left out has no value."""
    members = [member for member in schema.get("anyOf", ()) if member != {"type": "null"}]
    if len(members) == 1:
        schema = {**members[0], **{key: schema[key] for key in schema if key != "anyOf"}}
    return {key: value for key, value in schema.items() if (key, value) != ("default", None)}


def _answers(one: Declared, known: Mapping[Any, Schema]) -> Schema:
    """Return the successful responses, by status."""
    found: Schema = {}
    for status in one.statuses:
        found[str(status)] = {"description": HTTPStatus(status).phrase}
        if one.takes.answer is not None:
            content = {one.media: {"schema": known[one.takes.answer]}}
            found[str(status)]["content"] = content
        elif one.takes.writes and one.events is None:
            found[str(status)]["content"] = {media: {} for media in one.media.split(", ")}
    return found


def _problems(one: Declared) -> Schema:
    """Return the responses with problems, by status; many routes share them."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status, codes)}"}
        for status, codes in one.problems.items()
    }


def _name(status: int, codes: tuple[str, ...]) -> str:
    return ".".join((str(status), *codes))


def _problem(status: int, codes: tuple[str, ...]) -> Schema:
    schema = {
        "allOf": [
            {"$ref": _REF.format(name=Problem.__name__)},
            {"properties": {"code": {"enum": list(codes)}, "status": {"const": status}}},
        ]
    }
    return {
        "description": "\n".join(f"`{code}`: {KINDS[code].title}." for code in codes),
        "content": {PROBLEM_CONTENT_TYPE: {"schema": schema}},
    }


def _mark_times(types: Iterable[Any], components: Mapping[str, Schema]) -> None:
    """Say which texts are times: msgspec's schemas do not."""
    waiting: list[kinds.Type] = list(kinds.multi_type_info(types))
    seen: set[type] = set()
    while waiting:
        match waiting.pop():
            case kinds.StructType(cls=cls, fields=fields) if cls not in seen:
                seen.add(cls)
                properties = components[cls.__name__]["properties"]
                for field in fields:
                    waiting.append(field.type)
                    if _is_time(field.type):
                        _mark(properties[field.encode_name])
            case kinds.UnionType(types=members):
                waiting.extend(members)
            case kinds.ListType(item_type=item) | kinds.DictType(value_type=item):
                waiting.append(item)
            case kinds.Metadata(type=inner):
                waiting.append(inner)


def _is_time(kind: kinds.Type) -> bool:
    members = kind.types if isinstance(kind, kinds.UnionType) else (kind,)
    return any(isinstance(member, kinds.DateTimeType) for member in members)


def _mark(schema: Schema) -> None:
    for member in schema.get("anyOf", [schema]):
        if member.get("type") == "string":
            member["format"] = "date-time"
