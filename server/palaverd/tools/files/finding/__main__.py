"""Read an order from standard input, and write the answer to standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.listing import list_files
from palaverd.tools.files.finding.orders import Answer, ListFiles, Order
from palaverd.tools.files.finding.searching import Search
from palaverd.tools.files.finding.timing import TimeUp, limit
from palaverd.tools.workspace import Workspace

# Behind what serves people.
_NICENESS = 10


def main() -> None:
    """Take one order."""
    os.nice(_NICENESS)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    limit(order.seconds)
    sys.stdout.buffer.write(msgspec.json.encode(answer(order)))


def answer(order: Order) -> Answer:
    """Return what was found, or why nothing was looked for."""
    workspace = Workspace(Path(os.fsdecode(order.root)))
    try:
        if isinstance(order.asked, ListFiles):
            return Answer(list_files(workspace, order.asked))
        return Answer(Search(order.asked, order.ripgrep).run(workspace))
    except ToolError as error:
        return Answer(str(error), is_error=True)
    except TimeUp:
        return Answer("The time was up before the search began: the disk is slow.", is_error=True)


if __name__ == "__main__":
    main()
