"""Numbered lines, as many as fit."""

from __future__ import annotations

from collections.abc import Iterable

from palaverd.tools.failures import ToolError

# Bytes that are kept for the line that says how to go on.
_REST = 200


def page(path: str, lines: Iterable[str], first: int, limit: int, budget: int) -> str:
    """Return lines from the `first`, from 1, with their numbers: at most `limit`, and at most
    `budget` bytes of UTF-8, but always one.

    Raises:
        ToolError: there is no line of that number.
    """
    shown: list[tuple[int, str]] = []
    left = budget - _REST
    total, full = 0, False
    for total, line in enumerate(lines, 1):
        if total < first or full:
            continue
        left -= len(line.encode("utf-8", "replace")) + len(str(total)) + 2
        full = len(shown) == limit or (left < 0 and bool(shown))
        if not full:
            shown.append((total, line))
    if not total:
        return f"{path} is empty."
    if not shown:
        raise ToolError(f"{path} has {total:,} lines, so there is no {first:,}th.")
    end = shown[-1][0]
    width = len(str(end))
    text = [f"{number:>{width}}\t{line}" for number, line in shown]
    if end < total:
        text.append(f"[Lines {first} to {end} of {total}; offset={end + 1} goes on.]")
    return "\n".join(text)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as editors and compilers count them: a line ends with LF or CRLF.

    `str.splitlines` also ends lines at form feeds and at separators of Unicode.
    """
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]
