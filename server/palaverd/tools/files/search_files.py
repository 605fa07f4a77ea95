"""`search_files`: lines of the text files of a workspace that fit a regular expression."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.tools.files.finding import orders
from palaverd.tools.files.finding.process import look as look_for
from palaverd.tools.running import Running
from palaverd.tools.tool import Outcome, Reader, reading, telling

MOST_LINES = 1000
MOST_CONTEXT = 20


class SearchFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to search for, and where."""

    pattern: Annotated[
        str, Meta(description="A regular expression, which fits within one line.", min_length=1)
    ]
    path: Annotated[str, Meta(description="A directory or a file, relative to the workspace.")] = (
        "."
    )
    glob: Annotated[
        str | None,
        Meta(
            description="Only files that fit it, as *.py or src/**/*.{ts,tsx}; with ! before it, "
            "only others. Without a slash it is about names in any directory; with one, about "
            "paths from `path` on."
        ),
    ] = None
    literal: Annotated[bool, Meta(description="The pattern is plain text.")] = False
    ignore_case: Annotated[bool, Meta(description="Capital and small letters are the same.")] = (
        False
    )
    context: Annotated[
        int, Meta(ge=0, le=MOST_CONTEXT, description="Lines to show around each.")
    ] = 0
    names_only: Annotated[
        bool, Meta(description="Show the files, with how many lines fit in each.")
    ] = False
    limit: Annotated[
        int, Meta(ge=1, le=MOST_LINES, description="The most lines, or files, to show.")
    ] = 100
    ignored: Annotated[bool, Meta(description="Also what .gitignore leaves out.")] = False


async def look(running: Running, given: SearchFiles) -> Outcome:
    """Return the lines by file, and how many there are beyond those.

    Raises:
        ToolError: the pattern is not valid, or there is no such file or directory.
    """
    asked = msgspec.convert(given, orders.SearchFiles, from_attributes=True)
    return Outcome(await look_for(running.root, asked))


SEARCH_FILES: Reader[SearchFiles] = Reader(
    "search_files",
    telling(
        "search_files",
        """
        Search text files for lines that fit a regular expression. Returns the lines by file, with
        their numbers. Hidden files are searched; binary ones, .git and what .gitignore names are
        not. Links are not followed.
        """,
        SearchFiles,
    ),
    reading("search_files", SearchFiles),
    look,
    needs_workspace=True,
)
