"""What is marked in the text: what was found, what is selected, where the cursor is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.column import Column

# Later ones lie over earlier ones.
MarkKind = Literal["dropped", "found", "here", "target", "selected", "cursor"]
ORDER: tuple[MarkKind, ...] = ("dropped", "found", "here", "target", "selected", "cursor")


class Mark(NamedTuple):
    """Characters `start` to `end` of a line."""

    start: int
    end: int
    kind: MarkKind


def dropped_marks(column: Column, message_id: int | None, y: int) -> Iterator[Mark]:
    """Yield the mark of line `y` if it is of the message that is said anew, or dropped for it."""
    if message_id is None or not column.sections:
        return
    first, here = column.index(message_id), column.at(y)
    # A message that was let go is far above what is here.
    if first is None or here > first:
        yield Mark(0, FOREVER, "dropped")
    elif here == first:
        yield Mark(0, FOREVER, "target")
