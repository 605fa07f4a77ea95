"""`list_files`: the files and directories of a workspace."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.tools.files.finding import orders
from palaverd.tools.files.finding.process import look as look_for
from palaverd.tools.running import Running
from palaverd.tools.tool import Outcome, Reader, reading, telling


class ListFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to list."""

    path: Annotated[str, Meta(description="The directory, relative to the workspace.")] = "."
    depth: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="How many levels to go down; 1 lists only the directory itself."),
    ] = None
    pattern: Annotated[
        str | None,
        Meta(
            description="Only files that fit it, as *.py or src/**/*.{ts,tsx}. Without a slash it "
            "is about names in any directory; with one, about paths from `path` on."
        ),
    ] = None
    ignored: Annotated[bool, Meta(description="Also what .gitignore leaves out.")] = False


async def look(running: Running, given: ListFiles) -> Outcome:
    """Return the entries, those nearest to the top if there are too many.

    Raises:
        ToolError: there is no such directory, or the pattern is not valid.
    """
    asked = orders.ListFiles(given.path, given.depth, given.pattern, given.ignored)
    return Outcome(await look_for(running.root, asked))


LIST_FILES: Reader[ListFiles] = Reader(
    "list_files",
    telling(
        "list_files",
        """
        List files and directories, with everything below them, hidden ones too. Left out is what
        .gitignore names, and .git itself. Links are shown, not followed.
        """,
        ListFiles,
    ),
    reading("list_files", ListFiles),
    look,
    needs_workspace=True,
)
