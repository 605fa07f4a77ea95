"""Parse docs/api.md into its examples, and compare their answers with real ones.

An example is a block of commands, and the answer to its last one: a block with JSON, with a status
and headers before it, or with lines of text. `…` stands for what is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PATH: Final = ROOT / "docs" / "api.md"
REST: Final = "…"
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_SCENE: Final = re.compile(r"<!-- (\w+): (.+?) -->")
_SET: Final = re.compile(r"(\w+)=(\S+)\s+# ([\w.]+)")


@dataclass(frozen=True)
class Scene:
    """From here on a variable is the id of a chat in a state that the page describes."""

    variable: str
    state: str


@dataclass(frozen=True)
class Program:
    """A program that later commands run."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A line for a shell."""

    text: str


@dataclass(frozen=True)
class Variable:
    """A variable that the reader sets to a part of the last answer; the page shows a sample."""

    name: str
    sample: str
    place: str


@dataclass(frozen=True)
class Answer:
    """The answer to the last command."""

    language: str
    text: str


Step = Scene | Program | Command | Variable | Answer


def steps() -> Iterator[Step]:
    """Yield what the page says, in order."""
    pieces = _BLOCK.split(PATH.read_text("utf-8"))
    for prose, language, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False):
        yield from (Scene(*found) for found in _SCENE.findall(prose))
        if language == "console":
            for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                found = _SET.fullmatch(command.strip())
                yield Variable(*found.groups()) if found else Command(command.strip())
        elif language == "python":
            name, _, rest = text.partition("\n")
            yield Program(name.removeprefix("# "), rest)
        else:
            yield Answer(language, text)


def table(first: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading, without the headings."""
    text = PATH.read_text("utf-8")
    (found,) = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", text, re.M)
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in found.splitlines()]


def expected(text: str) -> Any:
    """Return the value of JSON in which `…` stands for what is left out."""
    text = re.sub(r"([,{]\s*)…(?=\s*})", r'\1"…": "…"', text)
    return json.loads(re.sub(r'(?<!")…(?!")', '"…"', text))


def differs(wanted: Any, got: Any, place: str = "answer") -> str | None:
    """Return where an answer differs from what the page shows, None if it does not."""
    if wanted == REST:
        return None
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        names = set(wanted) - {REST}
        if missing := names - set(got):
            return f"{place} has no {', '.join(sorted(missing))}: {got}"
        if REST not in wanted and (more := set(got) - names):
            return f"{place} has {', '.join(sorted(more))}, too"
        return _first(differs(wanted[name], got[name], f"{place}.{name}") for name in names)
    if isinstance(wanted, list) and isinstance(got, list):
        whole = REST not in wanted
        wanted = [one for one in wanted if one != REST]
        if len(got) < len(wanted) or (whole and len(got) > len(wanted)):
            return f"{place} has {len(got)} items: {got}"
        return _first(
            differs(one, got[index], f"{place}[{index}]") for index, one in enumerate(wanted)
        )
    return None if wanted == got and type(wanted) is type(got) else f"{place} is {got!r}"


def lines_differ(wanted: str, got: str) -> str | None:
    """Return where lines of text, or of JSON, differ; a line `…` stands for any number of them."""
    left, skips = got.splitlines(), False
    for line in wanted.splitlines():
        if line == REST:
            skips = True
            continue
        while left and _line_differs(line, left[0]) and skips:
            left.pop(0)
        if not left or _line_differs(line, left[0]):
            return f"no line {line!r} where it should be in\n{got}"
        left.pop(0)
        skips = False
    return None if skips or not left else f"more lines: {left}"


def _line_differs(wanted: str, got: str) -> bool:
    if wanted.startswith("{") and got.startswith("{"):
        return differs(expected(wanted), json.loads(got)) is not None
    return re.fullmatch(re.escape(wanted).replace(REST, ".*"), got) is None


def _first(found: Iterator[str | None]) -> str | None:
    return next((one for one in found if one is not None), None)
