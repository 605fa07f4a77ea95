"""`read_file`: numbered lines of a text file."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.tools.failures import ToolError
from palaverd.tools.files.opened import read_whole, text_of
from palaverd.tools.running import Running
from palaverd.tools.tool import Outcome, Reader, reading, telling

MOST_LINES = 2000


class ReadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines to read."""

    path: Annotated[str, Meta(description="Relative to the workspace, or absolute inside it.")]
    offset: Annotated[int, Meta(ge=1, description="The first line, from 1.")] = 1
    limit: Annotated[int, Meta(ge=1, le=MOST_LINES, description="How many lines.")] = MOST_LINES


async def look(running: Running, given: ReadFile) -> Outcome:
    """Return the lines with their numbers, and how many there are if not all are shown.

    Raises:
        ToolError: there is no such text file, or no such line in it.
    """
    content = await asyncio.to_thread(read_whole, running.root, given.path)
    text, _ = text_of(content.path, content.data)
    lines = text.splitlines()
    if not lines:
        return Outcome(f"{content.path} is empty.")
    if given.offset > len(lines):
        raise ToolError(f"{content.path} has {len(lines)} lines, so there is no {given.offset}th.")
    end = min(given.offset - 1 + given.limit, len(lines))
    width = len(str(end))
    shown = [f"{number:>{width}}\t{lines[number - 1]}" for number in range(given.offset, end + 1)]
    if end < len(lines):
        shown.append(f"[Lines {given.offset} to {end} of {len(lines)}; offset={end + 1} goes on.]")
    return Outcome("\n".join(shown))


READ_FILE: Reader[ReadFile] = Reader(
    "read_file",
    telling(
        "read_file",
        f"""
        Read a text file. Returns numbered lines, at most {MOST_LINES} at a time; number and tab
        are not part of the file.
        """,
        ReadFile,
    ),
    reading("read_file", ReadFile),
    look,
    needs_workspace=True,
)
