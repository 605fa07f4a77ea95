"""`read_file`: numbered lines of a text file or of an earlier output, or a picture."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.file_types import picture_type
from palaverd.tools.failures import ToolError
from palaverd.tools.files.opened import Binary, read_whole, text_of
from palaverd.tools.files.pages import lines_of, page
from palaverd.tools.files.pictures import picture_of
from palaverd.tools.files.whole_output import rows_of
from palaverd.tools.output import OUTPUT_SCHEME
from palaverd.tools.running import Running
from palaverd.tools.tool import Outcome, Reader, reading, telling

MOST_LINES = 2000


class ReadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines to read."""

    path: Annotated[
        str,
        Meta(
            description="Relative to the workspace, or absolute inside it; or output:ID, for the "
            "whole output of an earlier call."
        ),
    ]
    offset: Annotated[int, Meta(ge=1, description="The first line, from 1.")] = 1
    limit: Annotated[int, Meta(ge=1, le=MOST_LINES, description="How many lines.")] = MOST_LINES


async def look(running: Running, given: ReadFile) -> Outcome:
    """Return the lines with their numbers, and how to go on if not all are shown; or a picture.

    Raises:
        ToolError: there is no such file, or no such line in it; or it is neither text, nor a
            picture that can be shown.
    """
    return await asyncio.to_thread(_read, running, given)


def _read(running: Running, given: ReadFile) -> Outcome:
    path, first, limit = given.path, given.offset, given.limit
    if path.startswith(OUTPUT_SCHEME):
        rows = rows_of(running.folder.parent, path)
        return Outcome(page(path, rows, first, limit, running.budget))
    content = read_whole(running.root, path)
    try:
        text, _ = text_of(content.path, content.data)
    except Binary:
        return _picture(running, content.path, content.data)
    return Outcome(page(content.path, lines_of(text), first, limit, running.budget))


def _picture(running: Running, path: str, data: bytes) -> Outcome:
    """Return a file that is no text as a picture; raise `Binary` again if it is none."""
    media_type = picture_type(data)
    if media_type is None:
        raise Binary(path, len(data))
    picture = picture_of(path, media_type, data)
    if not running.sees:
        raise ToolError(
            f"{path} is a picture ({picture.kind}, {picture.width} x {picture.height} pixels), and "
            "this model is not shown pictures. If it understands them, the person can set "
            "vision = true for it in the configuration."
        )
    return Outcome(path, picture=picture)


READ_FILE: Reader[ReadFile] = Reader(
    "read_file",
    telling(
        "read_file",
        f"""
        Read a text file, or look at a picture (PNG, JPEG, GIF, WebP). Returns numbered lines, at
        most {MOST_LINES} at a time; number and tab are not part of the file.
        """,
        ReadFile,
    ),
    reading("read_file", ReadFile),
    look,
    needs_workspace=True,
)
