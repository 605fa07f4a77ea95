"""What a route takes and answers: declared where it is defined, in its decorator and signature.

Requests are decoded and documented from the same declaration (`routes.py`, `openapi.py`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from aiohttp import web

from palaver.wire.access import Scope
from palaverd.api.problem_kinds import KINDS
from palaverd.usecases.keyed_requests import Asker

T = TypeVar("T")
Needs = Scope | Literal["public"]
# A code of a problem, for all of its statuses; or a code and the status that a route answers with.
ProblemName = str | tuple[str, int]

_IN_PATH: Final = re.compile(r"{(\w+)}")
_PATTERN: Final = re.compile(r"(?<=\w):[^{}]+(?=})")


class Reply(msgspec.Struct, Generic[T]):
    """An answer with a status or headers of its own."""

    value: T
    status: int
    headers: Mapping[str, str] = {}


class Takes(NamedTuple):
    """What a handler takes and returns, from its signature.

    `path` are the types of the parameters in the path, `query` and `body` structs,
    `asker` whether the request may have an idempotency key. `answer` is the type that is encoded
    as the answer, None if the handler `writes` the response itself, or if there is nothing to say.
    """

    path: Mapping[str, type]
    query: type | None
    body: type | None
    asker: bool
    answer: Any
    writes: bool


class Declared:
    """One route.

    Args:
        path: as aiohttp takes it. A whole number in it has the pattern of one, as
            `{message_id:[0-9]+}`: a word in its place is another address.
        statuses: those of a successful answer; the first one is the usual one.
        problems: what may go wrong here, besides what may go wrong with every route.
        media: the type of the content of a successful answer; several, separated by ", ", if the
            handler writes it.
        receives: what a request contains whose body the handler reads itself, piece by piece: the
            type of the JSON, or a content type.
        events: the type of the events, if it is a WebSocket.
        over_socket: whether it is served over the daemon's own Unix socket only.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handler: Callable[..., Awaitable[Any]],
        scope: Needs,
        statuses: tuple[int, ...] = (200,),
        problems: tuple[ProblemName, ...] = (),
        media: str = "application/json",
        receives: Any = None,
        events: Any = None,
        over_socket: bool = False,
    ) -> None:
        self.method = method
        self.path = _PATTERN.sub("", path)
        self.handler = handler
        self.scope = scope
        self.statuses = statuses
        self.media = media
        self.receives = receives
        self.events = events
        self.over_socket = over_socket
        self.own_problems = problems

    @cached_property
    def takes(self) -> Takes:
        """What the handler's signature says; read at the first request, since it takes a moment.

        Raises:
            TypeError: the signature does not fit the path, or something has no type.
        """
        types = inspect.get_annotations(self.handler, eval_str=True)
        names = list(inspect.signature(self.handler).parameters)
        in_path = _IN_PATH.findall(self.path)
        where = f"{self.method} {self.path}"
        if unknown := set(names[1:]) - {*in_path, "query", "asker", "body"}:
            raise TypeError(f"{where} has no {', '.join(sorted(unknown))} in its path")
        if unused := set(in_path) - set(names):
            raise TypeError(f"{where}: its handler does not take {', '.join(sorted(unused))}")
        if missing := [name for name in (*names, "return") if name not in types]:
            raise TypeError(f"{where}: {', '.join(missing)} has no type")
        if "asker" in types and types["asker"] is not Asker:
            raise TypeError(f"{where}: asker is an Asker")
        return Takes(
            path={name: types[name] for name in in_path},
            query=types.get("query"),
            body=types.get("body"),
            asker="asker" in types,
            answer=None if _is_response(types["return"]) else _answer_type(types["return"]),
            writes=_is_response(types["return"]),
        )

    @cached_property
    def problems(self) -> Mapping[int, tuple[str, ...]]:
        """The codes of the problems that this route may answer with, by status."""
        found: dict[int, list[str]] = {}
        for name in dict.fromkeys((*self.own_problems, *self._common())):
            code, statuses = (
                (name, KINDS[name].statuses) if isinstance(name, str) else (name[0], (name[1],))
            )
            for status in statuses:
                found.setdefault(status, []).append(code)
        return {status: tuple(found[status]) for status in sorted(found)}

    def _common(self) -> tuple[ProblemName, ...]:
        """Return what may go wrong with any route that takes what this one takes."""
        names = ["bad_request", "not_your_socket", "unknown_host", "unknown_origin"]
        names += ["address_too_long", "headers_too_large", "expectation_failed"]
        names += ["too_many_connections", "no_descriptor", "internal"]
        if self.scope != "public":
            names += ["unauthenticated", "too_many_logins", "scope", "storage"]
        if self.takes.path:
            names.append("not_found")
        if "chat_id" in self.takes.path:
            names.append("chat_not_found")
        if self.takes.asker:
            names.append("idempotency_key_reused")
        if self.takes.body is not None or self.receives is not None:
            names += ["too_large", "too_slow"]
        if self.events is not None:
            names += ["upgrade_required", "too_many_streams"]
        return tuple(names)


def _answer_type(returned: Any) -> Any:
    return get_args(returned)[0] if get_origin(returned) is Reply else returned


def _is_response(returned: Any) -> bool:
    return isinstance(returned, type) and issubclass(returned, web.StreamResponse)


_DECLARED: Final[dict[Any, Declared]] = {}


def declare(served: object, declared: Declared) -> None:
    """Register the declaration of a handler that aiohttp serves.

    Raises:
        ValueError: a problem or a status is unknown.
    """
    for name in declared.own_problems:
        code = name if isinstance(name, str) else name[0]
        if code not in KINDS:
            raise ValueError(f"{code} is no kind of problem: see api/problem_kinds.py")
    for status in declared.statuses:
        HTTPStatus(status)
    _DECLARED[served] = declared


def declared_of(served: object) -> Declared | None:
    """Return the declaration of a handler that aiohttp serves, None if it has none."""
    return _DECLARED.get(served)


def check_declared(app: web.Application) -> None:
    """Check that every route of an application is declared.

    Raises:
        LookupError: one is not.
    """
    for route in app.router.routes():
        if declared_of(route.handler) is None:
            raise LookupError(
                f"{route.method} {route.resource} is not declared: see api/declared.py"
            )
