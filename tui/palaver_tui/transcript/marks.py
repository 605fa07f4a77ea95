"""Marks in the text: matches, selection, cursor, target, dropped messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.column import Column

# Later ones are drawn over earlier ones.
MarkKind = Literal["dropped", "found", "here", "target", "selected", "cursor"]
ORDER: tuple[MarkKind, ...] = get_args(MarkKind)


class Mark(NamedTuple):
    """Characters `start` to `end` of a line."""

    start: int
    end: int
    kind: MarkKind


def dropped_marks(column: Column, message_id: int | None, y: int) -> Iterator[Mark]:
    """Yield the mark of line `y` if its message is the edited one, or is dropped by the edit."""
    if message_id is None or not column.sections:
        return
    first, here = column.index(message_id), column.at(y)
    # An edited message that is not loaded any more is above all loaded ones: all are dropped.
    if first is None or here > first:
        yield Mark(0, FOREVER, "dropped")
    elif here == first:
        yield Mark(0, FOREVER, "target")
