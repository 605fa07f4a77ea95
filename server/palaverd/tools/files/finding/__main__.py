"""Read an order from standard input, and write the answer to standard output."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import msgspec

from palaverd.platform.descriptors import allow
from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.listing import list_files
from palaverd.tools.files.finding.orders import Answer, ListFiles, Order
from palaverd.tools.files.finding.searching import Search
from palaverd.tools.files.finding.timing import TimeUp, limit
from palaverd.tools.workspace import Workspace

# More than the files that are searched together, and the directories on the way to them.
_DESCRIPTORS = 1024
# Behind what serves people.
_NICENESS = 10


def main() -> None:
    """Take one order."""
    os.nice(_NICENESS)
    allow(_DESCRIPTORS)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        limit(order.seconds)
        found = answer(order)
    except TimeUp:
        why = "The time was up before the search began: the machine or its disk is slow."
        found = Answer(why, is_error=True)
    sys.stdout.buffer.write(msgspec.json.encode(found))


def answer(order: Order) -> Answer:
    """Return what was found, or why nothing was looked for.

    Raises:
        TimeUp: before the search began.
    """
    workspace = Workspace(Path(os.fsdecode(order.root)))
    try:
        if isinstance(order.asked, ListFiles):
            return Answer(list_files(workspace, order.asked))
        ripgrep = None if order.ripgrep is None else shutil.which(order.ripgrep)
        return Answer(Search(order.asked, ripgrep).run(workspace))
    except ToolError as error:
        return Answer(str(error), is_error=True)


if __name__ == "__main__":
    main()
