"""Receive bodies: long ones piece by piece, so that none is in memory as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from palaver.clock import deadline
from palaverd.api.connections import CONNECTIONS, connection_of
from palaverd.api.limits import BODY_LIMIT, BODY_S
from palaverd.api.malformed import unquoted
from palaverd.api.problems import BadRequest, sentence
from palaverd.api.services import SERVICES

_MIB = 1024 * 1024


async def pieces(request: web.Request, most: int) -> AsyncIterator[bytes]:
    """Yield a body of at most `most` bytes in pieces of about `BODY_LIMIT`.

    Each may take as long as a whole body elsewhere.

    Raises:
        BadRequest: it is too large, did not arrive in time, or is broken.
    """
    if (request.content_length or 0) > most:  # refused before reading
        raise _too_large(most)
    total = 0
    while piece := await _piece(request):
        total += len(piece)
        if total > most:
            raise _too_large(most)
        yield piece


async def _piece(request: web.Request) -> bytes:
    """Return the next piece, empty at the end."""
    piece = bytearray()
    late = f"In {BODY_S:g} seconds fewer than {BODY_LIMIT // 1024} KiB of the body came."
    async with arriving(request, late):
        while len(piece) < BODY_LIMIT and (some := await request.content.readany()):
            piece += some
    return bytes(piece)


@asynccontextmanager
async def arriving(request: web.Request, late: str) -> AsyncIterator[None]:
    """Mark the connection as waiting for a body within a `with` block of at most `BODY_S`.

    Raises:
        BadRequest: it took longer, which the sentence `late` says; or the body is broken.
    """
    connections, connection = request.app[CONNECTIONS], connection_of(request)
    try:
        with connections.waits_for_body(connection):
            async with deadline(request.app[SERVICES].clock, BODY_S):
                yield
    except TimeoutError:
        raise BadRequest(late, code="too_slow", status=408) from None
    except web.RequestPayloadError as error:
        said = sentence(unquoted(str(error)))
        raise BadRequest(f"The body cannot be read: {said}") from None


def _too_large(most: int) -> BadRequest:
    return BadRequest(
        f"This is larger than {most // _MIB} MiB, which is the most that is taken here; nothing was"
        " changed.",
        code="too_large",
        status=413,
    )
