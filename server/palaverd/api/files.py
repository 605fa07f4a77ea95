"""Routes of files that clients send."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from aiohttp import hdrs, web

from palaver.wire.files import FILE_LIMIT, MEDIA_TYPES, SendFile, StoredFile
from palaverd.api.access import owner_of
from palaverd.api.declared import Reply
from palaverd.api.long_answers import saved_as, send_pieces
from palaverd.api.problems import BadRequest
from palaverd.api.received import pieces
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.file_folder import FileFolder
from palaverd.usecases.files import find_stored, keep_file

routes = Routes()

_PIECE: Final = 256 * 1024  # bytes in memory for a client that receives a file


@routes.post(
    "/api/v1/files",
    scope="chat",
    statuses=(201, 200),
    problems=("unknown_type",),
    receives="application/octet-stream",
)
async def post_file(request: web.Request, query: SendFile) -> Reply[StoredFile]:
    """Store a file; its type is recognised by its content. 200: it was stored before."""
    services = request.app[SERVICES]
    async with services.files.receive() as received:
        async for piece in pieces(request, FILE_LIMIT):
            await received.write(piece)
        kept = await keep_file(
            services.context, services.files, owner_of(request), query.name, received
        )
    return Reply(kept.file, 200 if kept.repeated else 201)


@routes.get(
    "/api/v1/files/{file_id}",
    scope="read",
    statuses=(200, 206, 304),
    problems=("file_not_found", "no_such_range"),
    media=", ".join(sorted(MEDIA_TYPES)),
)
async def get_file(request: web.Request, file_id: str) -> web.StreamResponse:
    """Read a file, or a part of it (`Range`). 304: the client has it (`If-None-Match`)."""
    services = request.app[SERVICES]
    file = await find_stored(services.context, services.files, file_id, owner_of(request))
    response = web.StreamResponse(headers=saved_as(file.name) | {"Accept-Ranges": "bytes"})
    response.etag = file.sha256
    response.content_type = file.media_type
    if file.media_type == "text/plain":
        response.charset = "utf-8"
    if any(tag.value in (file.sha256, "*") for tag in request.if_none_match or ()):
        response.set_status(304)
        start = stop = 0
    else:
        start, stop = _part(request, file.size, f'"{file.sha256}"')
        response.content_length = stop - start
        if stop - start < file.size:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    return await send_pieces(request, response, _read(services.files, file.id, start, stop))


def _part(request: web.Request, size: int, tag: str) -> tuple[int, int]:
    """Return the bytes that a request asks for: the first one, and the one after the last.

    The whole file where a range must be ignored (RFC 9110, 14.2 and 13.1.5), and for several
    ranges, which may be.

    Raises:
        BadRequest: the file does not have them.
    """
    unit, _, ranges = request.headers.get(hdrs.RANGE, "").partition("=")
    condition = request.headers.get(hdrs.IF_RANGE, tag).strip()
    if request.method != "GET" or unit.lower() != "bytes" or "," in ranges or condition != tag:
        return 0, size
    try:
        asked = request.http_range
    except ValueError:
        asked = slice(size, None)
    start = asked.start or 0
    if start < 0:
        return max(0, size + start), size
    stop = size if asked.stop is None else min(asked.stop, size)
    if start >= stop:
        raise BadRequest(
            f"The file has the bytes 0 to {size - 1}.",
            code="no_such_range",
            status=416,
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, stop


async def _read(folder: FileFolder, file_id: str, start: int, stop: int) -> AsyncGenerator[bytes]:
    for at in range(start, stop, _PIECE):
        yield await folder.read(file_id, at, min(_PIECE, stop - at))
