"""Reads requests strictly and writes answers."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from aiohttp import web

from palaverd.api.limits import KEY_LIMIT
from palaverd.api.problems import BadRequest
from palaverd.api.services import owner_of
from palaverd.store.requests.keyed import Asker

T = TypeVar("T")

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")


async def read_body(request: web.Request, kind: type[T]) -> T:
    """Decode the JSON body.

    Raises:
        BadRequest: it is not JSON, or not of this shape; the field is named.
    """
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        unknown = _UNKNOWN.search(text)
        path = [place["path"]] if place and place["path"] else []
        if unknown:
            path.append(unknown["name"])
        what = _PLACE.sub("", text)
        field = ".".join(path) or None
        raise BadRequest(
            f"{what}{f' (at {field})' if field and not unknown else ''}.", field=field
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None


def answer(value: object, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def asker(request: web.Request) -> Asker:
    """Say who asks, with the idempotency key that they chose, if any.

    Raises:
        BadRequest: it is empty or too long.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= KEY_LIMIT:
        raise BadRequest(f"An idempotency key has 1 to {KEY_LIMIT} characters.")
    return Asker(owner=owner_of(request), key=key)


def int_query(
    request: web.Request, name: str, *, low: int = 0, high: int = 2**63 - 1
) -> int | None:
    """Return a whole number of the query string, None when it is not there.

    Raises:
        BadRequest: it is not a number between `low` and `high`.
    """
    text = request.query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not low <= int(text) <= high:
        raise BadRequest(f"{name} is a whole number from {low} to {high}.", field=name)
    return int(text)


def path_id(request: web.Request, name: str) -> int:
    """Return a numeric id of the path.

    Raises:
        BadRequest: it is not a number.
    """
    text = request.match_info[name]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadRequest(f"{text} is no id: it is a whole number.", field=name)
    return int(text)


def bool_query(request: web.Request, name: str) -> bool:
    """Return a yes or no of the query string; no when it is not there.

    Raises:
        BadRequest: it is neither true nor false.
    """
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(f"{name} is true or false.", field=name)
    return text == "true"
