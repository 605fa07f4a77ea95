"""Parse requests strictly, and write responses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from aiohttp import web

from palaver.clock import deadline
from palaver.misfits import Misfit, find_json_misfit, in_bounds, shown, suggestion
from palaverd.api.access import owner_of
from palaverd.api.connections import CONNECTIONS, connection_of
from palaverd.api.limits import BODY_LIMIT, BODY_S, KEY_LIMIT
from palaverd.api.problems import BadRequest, sentence
from palaverd.api.services import SERVICES
from palaverd.usecases.keyed_requests import Asker

T = TypeVar("T")


async def read_body(request: web.Request, kind: type[T]) -> T:
    """Decode the JSON body.

    Raises:
        BadRequest: it is not JSON, or of another type; the field is named. Or it did not arrive.
    """
    body = await _whole_body(request)
    try:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            misfit = find_json_misfit(body, kind)
    except RecursionError:
        raise BadRequest("The body is not readable: it is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    raise _refusal(misfit)


def _refusal(misfit: Misfit) -> BadRequest:
    """Return the refusal of a body or of a parameter; its field is named."""
    return BadRequest(_explain(misfit), field=misfit.path or None)


def _explain(misfit: Misfit) -> str:
    """Return what is wrong with a body or a parameter, as a sentence."""
    if misfit.problem == "unknown":
        hint = suggestion(misfit.name, misfit.allowed)
        return f"There is no field {misfit.path}.{hint} Allowed: {', '.join(misfit.allowed)}."
    if misfit.problem == "missing":
        return f"{misfit.path} is missing."
    if misfit.problem == "repeated":
        return f"{misfit.path} is given more than once."
    place = misfit.path or "The body"
    return f"{place} is {shown(misfit.value)}: it must be {misfit.wanted}."


async def _whole_body(request: web.Request) -> bytes:
    connections, connection = request.app[CONNECTIONS], connection_of(request)
    if (request.content_length or 0) > BODY_LIMIT:  # refused before reading
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length or 0)
    try:
        with connections.waits_for_body(connection):
            async with deadline(request.app[SERVICES].clock, BODY_S):
                return await request.read()
    except TimeoutError:
        raise BadRequest(
            f"The body was not whole after {BODY_S:g} seconds.", code="too_slow", status=408
        ) from None
    except web.RequestPayloadError as error:
        raise BadRequest(f"The body cannot be read: {sentence(str(error))}") from None


def answer(value: object, status: int = 200) -> web.Response:
    """Return a JSON response."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def asker(request: web.Request) -> Asker:
    """Return the owner of a request, and its idempotency key, if any.

    Raises:
        BadRequest: the key is empty or too long.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= KEY_LIMIT:
        raise BadRequest(f"An idempotency key has 1 to {KEY_LIMIT} characters.")
    return Asker(owner=owner_of(request), key=key)


def chat_id_of(request: web.Request) -> str:
    """Return the chat's id in the path."""
    return request.match_info["chat_id"]


def int_query(
    request: web.Request, name: str, *, low: int = 0, high: int = 2**63 - 1
) -> int | None:
    """Return an integer of the query string, None if it is missing.

    Raises:
        BadRequest: it is not an integer between `low` and `high`.
    """
    text = request.query.get(name)
    if text is None:
        return None
    value = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else text
    if isinstance(value, int) and low <= value <= high:
        return value
    raise _refusal(Misfit(name, "wrong", value, in_bounds("a whole number", ge=low, le=high)))


def path_id(request: web.Request, name: str) -> int:
    """Return a numeric id in the path.

    Raises:
        BadRequest: it is not a number.
    """
    text = request.match_info[name]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadRequest(f"{text} is no id: it is a whole number.", field=name)
    return int(text)


def moment(given: datetime, field: str) -> datetime:
    """Return a time of a body in UTC.

    Raises:
        BadRequest: it has no time zone, or is outside the years 1 to 9999 in UTC.
    """
    if given.tzinfo is None:
        raise BadRequest(f"{field} needs a time zone, as in 2030-01-01T09:00:00Z.", field=field)
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise BadRequest(f"{field} is not in the years 1 to 9999 in UTC.", field=field) from None


def bool_query(request: web.Request, name: str) -> bool:
    """Return a boolean of the query string; False if it is missing.

    Raises:
        BadRequest: it is neither true nor false.
    """
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise _refusal(Misfit(name, "wrong", text, "true or false"))
    return text == "true"
