"""A command's output and end, as a model reads them: within its budget, always valid text."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import BinaryIO

from palaverd.tools.commands.call_files import (
    Ended,
    Nothing,
    Prevented,
    Runs,
    State,
    Vanished,
)
from palaverd.tools.commands.folding import first_bytes, is_binary, text_of
from palaverd.tools.output import OUTPUT_SCHEME
from palaverd.tools.tool import Outcome

# Bytes. A longer output is read in two parts of this size, its head and its tail.
PART = 1024 * 1024
# Bytes of the budget for what is said about the output.
_REST = 1024


def printed(path: Path, budget: int, call_id: str, start: int = 0, end: int | None = None) -> str:
    """Return what a command printed from byte `start` to `end`, in at most `budget` bytes.

    Blocks.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:  # it has not begun to print
        return ""
    with file:
        size = (os.fstat(file.fileno()).st_size if end is None else end) - start
        if size <= 0:
            return ""
        head = _at(file, start, min(size, 2 * PART))
        tail = _at(file, start + size - PART, PART) if size > 2 * PART else b""
    where = f"All of it is in {OUTPUT_SCHEME}{call_id}, which read_file reads."
    if is_binary(head) or is_binary(tail):
        return f"[The output is binary: {size:,} bytes, from {first_bytes(head)} on. {where}]"
    first = text_of(head)
    last = text_of(tail)
    room = max(0, budget - _REST)
    if not tail and len(first.encode()) <= room:
        return first
    mark = f"\n[The middle of {size:,} bytes is left out here. {where}]\n"
    return _front(first, room * 2 // 3) + mark + _back(last or first, room // 3)


def how_it_ended(ended: Ended) -> str:
    """Return a sentence in brackets about the end of a command."""
    how = (
        f"Ended with exit code {ended.code}"
        if ended.signal is None
        else f"Ended by signal {ended.signal} ({_name(ended.signal)})"
    )
    because = f", because {ended.reason}" if ended.reason else ""
    left = ""
    if ended.left and not ended.reason:
        which = "process" if ended.left == 1 else "processes"
        left = (
            f" {ended.left} {which} that it left running ended with it; background=true is for "
            "what has to go on."
        )
    return f"[{how} after {ended.seconds:.1f} s{because}.{left}]"


def outcome_of(text: str, ended: Ended) -> Outcome:
    """Return the result of a command that ended."""
    said = how_it_ended(ended)
    shown = f"{text.rstrip()}\n{said}" if text.strip() else f"[It printed nothing.]\n{said}"
    return Outcome(shown, is_error=ended.code != 0 or ended.reason is not None)


def state_said(state: State, now: float) -> str:
    """Return a sentence in brackets about a command; `now` is in seconds since the epoch."""
    match state:
        case Ended():
            return how_it_ended(state)
        case Vanished():
            return "[It ended, and nobody saw how: its supervisor was killed.]"
        case Runs(since=since):
            return f"[Runs, for {max(0.0, now - since):.1f} s now.]"
        case Nothing():
            return "[Begins.]"
        case Prevented():
            return "[It was ended before it began.]"


def _at(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _front(text: str, budget: int) -> str:
    return text.encode()[:budget].decode("utf-8", "ignore")


def _back(text: str, budget: int) -> str:
    return text.encode()[-budget:].decode("utf-8", "ignore") if budget else ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
