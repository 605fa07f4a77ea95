"""Read the bodies of requests strictly, and who sent them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from palaver.misfits import find_json_misfit
from palaverd.api.access import owner_of
from palaverd.api.limits import BODY_LIMIT, BODY_S, KEY_LIMIT
from palaverd.api.problems import BadRequest
from palaverd.api.received import arriving
from palaverd.api.refusals import refusal
from palaverd.usecases.keyed_requests import Asker

T = TypeVar("T")
_KEY: Final = "Idempotency-Key"


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
    raise refusal(misfit, "field")


async def _whole_body(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_LIMIT:  # refused before reading
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, request.content_length or 0)
    async with arriving(request, f"The body was not whole after {BODY_S:g} seconds."):
        return await request.read()


def asker(request: web.Request) -> Asker:
    """Return the owner of a request, and its idempotency key, if any.

    Raises:
        BadRequest: the key is empty, too long or no text, or there are several.
    """
    keys = request.headers.getall(_KEY, ())
    if not keys:
        return Asker(owner=owner_of(request))
    if len(keys) > 1:
        raise BadRequest(f"{_KEY} is given more than once.", field=_KEY)
    (key,) = keys
    if not 0 < len(key) <= KEY_LIMIT:
        raise BadRequest(f"An idempotency key has 1 to {KEY_LIMIT} characters.", field=_KEY)
    if not _is_text(key):
        raise BadRequest("The idempotency key is not UTF-8.", field=_KEY)
    return Asker(owner=owner_of(request), key=key)


def _is_text(header: str) -> bool:
    """Return whether a header is UTF-8: aiohttp keeps other bytes as halves of surrogates."""
    try:
        header.encode()
    except UnicodeEncodeError:
        return False
    return True


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
