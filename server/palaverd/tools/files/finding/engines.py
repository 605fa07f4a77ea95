"""Which lines of files fit a pattern: by ripgrep, or by Python's own engine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.expressions import check_lines, compiled
from palaverd.tools.files.finding.orders import SearchFiles
from palaverd.tools.files.finding.texts import TextFile

_OPTIONS = (
    "--no-config",
    "--no-messages",
    "--no-mmap",  # a file that shrinks would end it by a signal
    "--text",  # what is binary was left out before
    "--crlf",
    "--color=never",
    "--no-heading",
    "--with-filename",
    "--null",
    "--line-number",
    "--column",
    "--max-columns=1",  # lines are read and cut by the caller
)
_FOUND, _NOTHING = 0, 1


class Hit(msgspec.Struct, frozen=True):
    """A line, from 1, and how many bytes of UTF-8 of it come before what fits."""

    line: int
    before: int


# From open files, and a bound for the hits in each, to the hits of each, in this order.
Engine = Callable[[Sequence[TextFile], int], Iterable[list[Hit]]]


def engine(asked: SearchFiles, ripgrep: str | None) -> Engine:
    """Return the engine for a search.

    Raises:
        ToolError: the pattern is not valid.
    """
    if not asked.pattern:
        raise ToolError("The pattern is empty.")
    if asked.literal and "\n" in asked.pattern:
        raise ToolError("The pattern has several lines, but lines are searched one by one.")
    if not asked.literal:
        check_lines(asked.pattern)
    if ripgrep is not None and _accepts(command := _command(asked, ripgrep)):
        return lambda files, most: (
            _by_ripgrep(command, files, most) or _all_by_python(_compiled(asked), files, most)
        )
    expression = _compiled(asked)
    return lambda files, most: _all_by_python(expression, files, most)


def _compiled(asked: SearchFiles) -> re.Pattern[str]:
    return compiled(asked.pattern, literal=asked.literal, ignore_case=asked.ignore_case)


def _command(asked: SearchFiles, ripgrep: str) -> list[str]:
    command = [ripgrep, *_OPTIONS]
    if asked.literal:
        command.append("--fixed-strings")
    if asked.ignore_case:
        command.append("--ignore-case")
    return [*command, "--regexp", asked.pattern]


def _accepts(command: Sequence[str]) -> bool:
    """Return whether ripgrep runs, understands the pattern, and reads open files."""
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _run([*command, "--", _name(nothing)], [nothing]) is not None
    except ValueError:  # a pattern with a zero byte is no argument
        return False
    finally:
        os.close(nothing)


def _run(command: Sequence[str], descriptors: Sequence[int]) -> bytes | None:
    """Return what ripgrep writes; None if it failed."""
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=descriptors,
            check=False,
        )
    except OSError:
        return None
    return run.stdout if run.returncode in (_FOUND, _NOTHING) else None


def _name(descriptor: int) -> str:
    return f"/dev/fd/{descriptor}"


def _by_ripgrep(
    command: Sequence[str], files: Sequence[TextFile], most: int
) -> list[list[Hit]] | None:
    """Search open files: named by their descriptors, so that nothing else can take their place.

    Returns None if ripgrep failed.
    """
    at = {_name(file.descriptor): number for number, file in enumerate(files)}
    command = [*command, f"--max-count={most}", "--", *at]
    written = _run(command, [file.descriptor for file in files])
    if written is None:
        return None
    hits: list[list[Hit]] = [[] for _ in files]
    for line in written.split(b"\n"):
        path, _, found = line.partition(b"\0")
        number, _, rest = found.partition(b":")
        column = rest.partition(b":")[0]
        if column.isdigit():
            hits[at[os.fsdecode(path)]].append(Hit(int(number), int(column) - 1))
    return hits


def _all_by_python(
    expression: re.Pattern[str], files: Sequence[TextFile], most: int
) -> Iterator[list[Hit]]:
    """Search one file after another, so that those before one that takes for ever are known."""
    for file in files:
        yield _by_python(expression, file, most)


def _by_python(expression: re.Pattern[str], file: TextFile, most: int) -> list[Hit]:
    hits: list[Hit] = []
    for number, line in enumerate(file.lines(), 1):
        if (found := expression.search(line)) is not None:
            hits.append(Hit(number, len(line[: found.start()].encode("utf-8", "replace"))))
            if len(hits) == most:
                break
    return hits
