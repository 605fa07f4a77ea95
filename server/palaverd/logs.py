"""Structured logs on standard error: for people on a terminal, JSON elsewhere.

Everything that a process of the daemon has to say goes through here, also what libraries log,
warnings, and exceptions that nobody caught.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from palaverd.repeats import Repeats

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


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
    # At the handler, not at the logger: ANTHROPIC_LOG and OPENAI_LOG make the SDKs log requests
    # and answers whole, and a provider may say back the key that it was sent.
    libraries = _Libraries(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


# Fields by which a line is about something else than another one of the same event.
_WHOSE = ("logger", "chat", "provider", "doing", "path")


class LeaveOut:
    """Drops a warning or an error that was logged a moment ago; the next one counts them.

    The same line has the same event and kind of error, and is about the same (`_WHOSE`).
    """

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats

    def __call__(self, _logger: object, method: str, event: EventDict) -> EventDict:
        """Return the line with `left_out`, if lines were. Raises: DropEvent."""
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
    """Hands what libraries log to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record as a line of ours."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's own mistake in a format; its text is left
            said = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, said, **fields)


class _Lines:
    """Writes whole lines, one at a time."""

    _lock = threading.Lock()

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        """Write a line."""
        # A log on a full disk, or one that nobody reads any more, must not end what it tells of;
        # and there is no other place to tell it.
        with self._lock, suppress(OSError, ValueError):
            self._file.write(f"{line}\n")
            self._file.flush()

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
