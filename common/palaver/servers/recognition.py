"""Recognise a server by its address, headers and responses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from palaver.servers.facts import Server
from palaver.servers.table import SERVERS

# The path that every OpenAI-compatible server has, and the paths that distinguish servers which
# `owned_by` does not identify: path -> field of its response, server.
MODELS: Final = "/v1/models"
TELLING: Final[dict[str, tuple[str, Server]]] = {
    value.split()[0]: (value.split()[1], server)
    for server in SERVERS
    for value in server.marked("path")
}
OWNERS: Final[dict[str, Server]] = {
    owner: server for server in SERVERS for owner in server.marked("owner")
}


@cache
def at_address(base_url: str | None) -> Server | None:
    """Return the server at a known host; None for any other."""
    host = _host(base_url)
    if host is None:
        return None
    return next(
        (
            server
            for server in SERVERS
            if any(_fits(host, pattern) for pattern in server.marked("host"))
        ),
        None,
    )


def by_headers(headers: Mapping[str, str]) -> Server | None:
    """Return the server that the headers of a response identify; names in lower case."""
    said = [f"{name}: {value}".lower() for name, value in headers.items()]
    return next(
        (
            server
            for server in SERVERS
            for mark in server.marked("header")
            if any(one.startswith(mark) for one in said)
        ),
        None,
    )


def tells(path: str, answer: Any) -> bool:
    """Return whether the response of one of `TELLING`'s paths is that server's."""
    field = TELLING[path][0]
    if not isinstance(answer, dict):
        return False
    found = answer.get(field)
    if field == "data":
        return isinstance(found, list) and all(isinstance(one, dict) for one in found)
    return found is not None


def by_answers(owner: str, answers: Mapping[str, Any]) -> Server | None:
    """Return the server that responses identify.

    `owner` is `owned_by` of a model, `answers` has the JSON of each path.
    """
    if owner in OWNERS:
        return OWNERS[owner]
    found = (server for path, (_, server) in TELLING.items() if tells(path, answers.get(path)))
    return next(found, None)


def sees_no_tools(props: Any) -> bool:
    """Return whether llama.cpp's GET /props says that the chat template has no tools."""
    caps = props.get("chat_template_caps") if isinstance(props, dict) else None
    return isinstance(caps, dict) and caps.get("supports_tools") is False


def _host(base_url: str | None) -> str | None:
    if base_url is None:
        return None
    try:
        host = urlsplit(base_url).hostname
    except ValueError:
        return None
    return host.lower().removesuffix(".") if host else None


def _fits(host: str, pattern: str) -> bool:
    """Return whether each label of a host matches the pattern's: a `*` matches no dot."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(map(fnmatch, labels, wanted))
