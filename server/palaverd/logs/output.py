"""Structured logs on standard error: readable on a terminal, JSON elsewhere.

Log records of libraries, warnings and uncaught exceptions go through here as well.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from palaverd.logs.log_file import RotatedFile
from palaverd.logs.repeats import Repeats


def configure_logs(*, debug: bool) -> None:
    """Send the logs of the daemon and of its libraries to standard error."""
    level = logging.DEBUG if debug else logging.INFO
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            LeaveOut(Repeats(time.monotonic)),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(sys.stderr),
    )
    # The level is set on the handler, not the logger: ANTHROPIC_LOG and OPENAI_LOG make the SDKs
    # log whole requests and responses, and a response may contain the API key.
    libraries = _Libraries(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def rotate_log(path: Path) -> None:
    """Rotate the log when it is full, if it is written to the file at `path`.

    To be called by the process that holds the data directory, and by no other.
    """
    _Lines.rotated = RotatedFile.find(path, sys.stderr)


# Fields that distinguish two lines of the same event.
_WHOSE = ("logger", "chat", "provider", "doing", "path")


class LeaveOut:
    """A structlog processor that drops repeated warnings and errors; the next one counts them.

    Two lines are the same if event, kind of error and the fields in `_WHOSE` are equal.
    """

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats

    def __call__(self, _logger: object, method: str, event: EventDict) -> EventDict:
        """Return the event, with `left_out` if lines were dropped; raise `DropEvent` to drop it."""
        if method in ("debug", "info"):
            return event
        first_line = str(event.get("event", "")).partition("\n")[0]
        whose = (event.get(name) for name in _WHOSE)
        left_out = self._repeats.passes((method, first_line, _kind_of_error(event), *whose))
        if left_out is None:
            raise structlog.DropEvent
        if left_out:
            event["left_out"] = left_out
        return event


def _kind_of_error(event: EventDict) -> type | None:
    found = event.get("exc_info")
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    return type(error) if isinstance(error, BaseException) else None


class _Libraries(logging.Handler):
    """Forwards log records of libraries to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record through structlog."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong format in a library; log its text
            said = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, said, **fields)


class _Lines:
    """Writes whole lines, one at a time."""

    _lock = threading.Lock()
    rotated: RotatedFile | None = None

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        """Write a line."""
        # A full disk or a closed pipe must not end the daemon, and there is nowhere else to
        # report it.
        with self._lock, suppress(OSError, ValueError):
            self._file.write(f"{line}\n")
            self._file.flush()
            if self.rotated is not None:
                self.rotated.rotate_if_full()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    structlog.get_logger().error("uncaught exception", exc_info=(kind, error, traceback))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        name = found.thread.name if found.thread is not None else None
        structlog.get_logger().error(
            "uncaught exception in a thread", thread=name, exc_info=found.exc_value
        )


def _unraisable(found: sys.UnraisableHookArgs) -> None:
    structlog.get_logger().error(
        found.err_msg or "exception ignored", of=repr(found.object), exc_info=found.exc_value
    )
