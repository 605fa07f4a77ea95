"""Tables of routes whose requests are decoded, and whose answers are encoded, as declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypedDict, TypeVar, Unpack

import msgspec
from aiohttp import web

from palaverd.api.bodies import asker, read_body
from palaverd.api.declared import Declared, Needs, ProblemName, Reply, declare
from palaverd.api.parameters import read_path, read_query, refuse_query

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class How(TypedDict, total=False):
    """What a decorator may say of a route; see `Declared`."""

    statuses: tuple[int, ...]
    problems: tuple[ProblemName, ...]
    media: str
    receives: Any
    events: Any
    over_socket: bool


class Routes:
    """A table of routes. Each is declared by its decorator and by its handler's signature.

    The first parameter of a handler is the request. The others are decoded from it, by their names
    and types: those in braces in the path, `query` and `body` (structs), and `asker` (who asks,
    with the idempotency key). What the handler returns is the answer, as JSON: a value, a `Reply`
    with another status or headers, or None. A handler that writes the response itself returns a
    `web.StreamResponse`, and declares `media`, or `events` for a WebSocket. One that reads the body
    itself, piece by piece (`received.py`), declares `receives`.
    """

    def __init__(self) -> None:
        self._routes: list[web.RouteDef] = []

    def __iter__(self) -> Iterator[web.RouteDef]:
        return iter(self._routes)

    def get(self, path: str, *, scope: Needs, **how: Unpack[How]) -> Callable[[F], F]:
        """Declare a route that reads. It answers HEAD, too."""
        return self._route("GET", path, scope, how)

    def post(self, path: str, *, scope: Needs, **how: Unpack[How]) -> Callable[[F], F]:
        """Declare a route that makes or does something."""
        return self._route("POST", path, scope, how)

    def put(self, path: str, *, scope: Needs, **how: Unpack[How]) -> Callable[[F], F]:
        """Declare a route that replaces something."""
        return self._route("PUT", path, scope, how)

    def patch(self, path: str, *, scope: Needs, **how: Unpack[How]) -> Callable[[F], F]:
        """Declare a route that changes something."""
        return self._route("PATCH", path, scope, how)

    def delete(self, path: str, *, scope: Needs, **how: Unpack[How]) -> Callable[[F], F]:
        """Declare a route that removes something."""
        return self._route("DELETE", path, scope, how)

    def _route(self, method: str, path: str, scope: Needs, how: How) -> Callable[[F], F]:
        def define(handler: F) -> F:
            declared = Declared(method, path, handler, scope, **how)
            served = _served(declared)
            declare(served, declared)
            self._routes.append(web.RouteDef(method, path, served, {}))
            return handler

        return define


def _served(declared: Declared) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return what aiohttp serves: the handler with its request decoded and its answer encoded."""

    async def serve(request: web.Request) -> web.StreamResponse:
        takes = declared.takes
        given = read_path(request.match_info, takes.path)
        if takes.query is not None:
            given["query"] = read_query(request.query, takes.query)
        elif request.query_string:
            refuse_query(request.query)
        if takes.asker:
            given["asker"] = asker(request)
        if takes.body is not None:
            given["body"] = await read_body(request, takes.body)
        return _response(await declared.handler(request, **given), declared)

    return serve


def _response(value: Any, declared: Declared) -> web.StreamResponse:
    if isinstance(value, web.StreamResponse):
        return value
    status, headers = declared.statuses[0], None
    if isinstance(value, Reply):
        status, headers, value = value.status, value.headers, value.value
    if value is None:
        return web.Response(status=status, headers=headers)
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")
