"""Targets that keys and clicks act on: folds, links, code, pictures, messages. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal, NamedTuple

from palaver.wire.messages import Picture
from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.spans import FOREVER, Line
from palaver_tui.transcript.blocks import Block, Spot, line_in
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.column import Column
from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.section import Section

Kind = Literal["fold", "link", "code", "picture", "message"]


class Target(NamedTuple):
    """A target on a line, from character `start` to `end`. `address` is the URL of a link.

    `height` is its number of lines.
    """

    kind: Kind
    key: Hashable  # of its section
    spot: Spot
    start: int
    end: int
    address: str = ""
    fold: FoldKey | None = None
    height: int = 1


def targets_in(section: Section) -> Iterator[Target]:
    """Yield the targets in a section that is laid out, top to bottom."""
    for block, first, height in section.stack.heights():
        margin = len(block.margin.text)
        link = ""
        in_code = False
        for number in range(height):
            line = section.stack.lines[first + number]
            spot = section.stack.spot(first + number)
            if (fold := section.fold_at(first + number)) is not None:
                text = line.text.rstrip()
                yield Target("fold", section.key, spot, margin, len(text), fold=fold)
            for start, end, target in _links(line):
                # A link that was wrapped is one target.
                if target != link or start > margin:
                    yield Target("link", section.key, spot, start, end, target)
                link = target
            at = block.laid.picture_at if isinstance(block.laid, CallBlock) else range(0)
            if at and number == at.start:
                start = len(line.text) - len(line.text.lstrip())
                end = len(line.text)
                yield Target("picture", section.key, spot, start, end, height=len(at))
            begins = line.fill == "code" and not in_code
            in_code = line.fill == "code"
            if begins and isinstance(block.laid, MarkdownDocument):
                yield Target("code", section.key, spot, line.inset, len(line.text))


def _links(line: Line) -> Iterator[tuple[int, int, str]]:
    at = 0
    start, target = 0, ""
    for span in line.spans:
        if span.face.link != target:
            if target:
                yield start, at, target
            start, target = at, span.face.link
        at += len(span.text)
    if target:
        yield start, at, target


def place_of_target(column: Column, target: Target) -> int | None:
    """Return the line that a target is on now; None if it is gone."""
    index = column.index(target.key)
    if index is None:
        return None
    column.expect(index)
    section = column.sections[index]
    if section.key != target.key:
        return None  # it is in a folded run of steps now
    if target.kind == "message":
        return column.start(index)
    while (line := section.stack.line_of(target.spot)) is not None:
        if not column.look(index, line, line + 1):
            return column.start(index) + line
    return None


def neighbour(column: Column, y: int, start: int, step: int) -> Target | None:
    """Return the next target (`step` 1) or the one before (-1), from character `start` of `y` on.

    Lays out sections on the way; None at the end of the loaded messages.
    """
    if not column.sections:
        return None
    index = column.at(max(0, min(y, column.height - 1)))
    while 0 <= index < len(column.sections):
        column.measure_one(index)
        section = column.sections[index]
        top = column.start(index)
        found = list(targets_in(section))
        for target in found if step > 0 else reversed(found):
            at = (top + (section.stack.line_of(target.spot) or 0), target.start)
            if (at > (y, start)) if step > 0 else (at < (y, start)):
                return target
        index += step
        y, start = (-1, -1) if step > 0 else (FOREVER, 0)
    return None


def picture_of(column: Column, target: Target) -> Picture | None:
    """Return the picture of a target; None if it is no picture, or gone."""
    index = column.index(target.key)
    if target.kind != "picture" or index is None:
        return None
    column.measure_one(index)
    found = column.sections[index].stack.named(target.spot.block)
    laid = found[0].laid if found is not None else None
    return laid.picture.picture if isinstance(laid, CallBlock) and laid.picture else None


def copied(column: Column, target: Target) -> str:
    """Return the text to copy of a target: code, a link's address, a call's result."""
    index = column.index(target.key)
    if target.kind == "link" or index is None:
        return target.address
    column.measure_one(index)
    found = column.sections[index].stack.named(target.spot.block)
    if found is None:
        return ""
    block: Block = found[0]
    if isinstance(block.laid, MarkdownDocument) and target.kind == "code":
        return block.laid.source_map().code_at(line_in(block.laid, target.spot)) or ""
    if isinstance(block.laid, CallBlock):
        return block.laid.copied
    return "\n".join(line.text for line in block.laid.lines[1:])
