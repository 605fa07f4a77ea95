"""Standard output: what a command answers, on a terminal or in a pipe, for people or programs."""

from __future__ import annotations

import re
import sys
from typing import Final, TextIO

from palaver.cli import exits
from palaver.cli.words import for_stream, lead_nowhere

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


class OutputError(Exception):
    """Standard output takes nothing more; the text says why. Not an OSError: click has its own way.

    `code` is the exit code of the command.
    """

    code: int = exits.FAILED


class ReaderGoneError(OutputError):
    """Whoever read standard output closed it: no failure, and nothing to say."""

    code = exits.BROKEN_PIPE


# The encodings of standard output that could not show all that was written to it.
_lacking: list[str] = []


def write(text: str) -> None:
    """Write to standard output at once; untrusted text cannot drive a terminal.

    What its encoding lacks is written as Python writes it (`\\u2026`), which `lacking` tells of.

    Raises:
        OutputError: it is closed or full, or nobody reads it any more.
    """
    # What a process is started without is None, whatever its type says.
    output: TextIO | None = sys.stdout
    if output is None:
        raise OutputError("Standard output is closed: there is nowhere to write to.")
    text = for_stream(text, output)
    if not _can_show(text, output):
        _lacking.append(output.encoding)
        text = text.encode(output.encoding, "backslashreplace").decode(output.encoding)
    try:
        output.write(text)
        output.flush()
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        raise OutputError(f"Standard output could not be written: {error.strerror}.") from error


def _can_show(text: str, output: TextIO) -> bool:
    if text.isascii():
        return True
    try:
        text.encode(output.encoding, output.errors or "strict")
    except UnicodeEncodeError:
        return False
    return True


def lacking() -> str | None:
    """Return what to say of characters that standard output could not show; None if it could."""
    if not _lacking:
        return None
    return (
        f"Standard output takes {_lacking[-1]} only: other characters stand as \\u… in it."
        " Set PYTHONIOENCODING=utf-8."
    )


def give_up_output() -> None:
    """Let go what standard output did not take."""
    lead_nowhere(sys.stdout, 1)


def write_line(line: str) -> None:
    """Write one line to standard output at once."""
    write(line + "\n")


def write_json(value: object) -> None:
    """Write a value as one line of JSON, in ASCII where standard output has no more."""
    import msgspec

    line = msgspec.json.encode(value).decode()
    output: TextIO | None = sys.stdout
    if output is not None and not _can_show(line, output):
        line = _NOT_ASCII.sub(_escaped, line)
    write_line(line)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
