"""Write to standard output: safely on a terminal, unchanged in a pipe."""

from __future__ import annotations

import re
import sys
from typing import Final, TextIO

from palaver.cli import exits
from palaver.cli.words import for_stream, redirect_to_null

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


class OutputError(Exception):
    """Standard output cannot be written; the message says why.

    Not an OSError, since click handles these itself. `code` is the exit code of the command.
    """

    code: int = exits.FAILED


class ReaderGoneError(OutputError):
    """The reader closed the pipe: no failure, and no message."""

    code = exits.BROKEN_PIPE


# Encodings of standard output that lacked a character.
_lacking: list[str] = []


def write(text: str) -> None:
    """Write to standard output and flush; untrusted text cannot control a terminal.

    Characters that its encoding lacks are escaped as in Python (`\\u2026`), which `lacking`
    reports.

    Raises:
        OutputError: it is closed, full, or has no reader.
    """
    _write(for_stream(text, sys.stdout))


def write_coloured(text: str) -> None:
    """Write text with colours, whose untrusted parts were made visible; else like `write`.

    Raises:
        OutputError: like `write`.
    """
    _write(text)


def _write(text: str) -> None:
    # None if the process was started without it, whatever its type says.
    output: TextIO | None = sys.stdout
    if output is None:
        raise OutputError("Standard output is closed: there is nowhere to write to.")
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
    """Return the warning about characters that were escaped; None if there are none."""
    if not _lacking:
        return None
    return (
        f"Standard output takes {_lacking[-1]} only: other characters stand as \\u… in it."
        " Set PYTHONIOENCODING=utf-8."
    )


def give_up_output() -> None:
    """Redirect standard output to /dev/null, so that flushing it at exit does not fail."""
    redirect_to_null(sys.stdout, 1)


def write_line(line: str) -> None:
    """Write one line to standard output and flush."""
    write(line + "\n")


def write_json(value: object) -> None:
    """Write a value as one line of JSON, in ASCII if the encoding requires it."""
    import msgspec

    write_json_text(msgspec.json.encode(value).decode() + "\n")


def write_json_text(text: str) -> None:
    """Write a part of a JSON text, in ASCII if the encoding requires it."""
    output: TextIO | None = sys.stdout
    if output is not None and not _can_show(text, output):
        text = _NOT_ASCII.sub(_escaped, text)
    write(text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
