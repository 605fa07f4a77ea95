"""Answers that are written piece by piece, and files that a browser saves and never opens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web

from palaver.clock import deadline
from palaverd.api.connections import connection_of
from palaverd.api.limits import SEND_STALL_S
from palaverd.api.services import SERVICES

log = structlog.get_logger("palaverd.api")

# Bytes; what a client must take within `SEND_STALL_S`.
_PIECE: Final = 64 * 1024


async def send_pieces(
    request: web.Request, response: web.StreamResponse, pieces: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Send a response whose body is `pieces`; a client that takes nothing is closed.

    An error in the middle closes the connection, so that what was sent is not taken for the whole.
    """
    clock = request.app[SERVICES].clock
    async with aclosing(pieces):
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                async for piece in pieces:
                    for start in range(0, len(piece), _PIECE):
                        async with deadline(clock, SEND_STALL_S):
                            await response.write(piece[start : start + _PIECE])
            await response.write_eof()
        except TimeoutError:
            log.info("client took nothing", seconds=SEND_STALL_S, path=request.path)
            connection_of(request).cut()
        except BaseException:
            connection_of(request).cut()
            raise
    return response


def saved_as(name: str) -> dict[str, str]:
    """Return the headers with which a browser saves a response as a file, and never runs it."""
    return {
        # RFC 6266; a client that reads no other encoding makes up a name.
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-cache",
    }
