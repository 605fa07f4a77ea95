"""Structured logs on standard error: for people on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(*, debug: bool) -> None:
    """Send the daemon's and its libraries' logs to standard error."""
    level = logging.DEBUG if debug else logging.INFO
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # At the handler, not at the logger: ANTHROPIC_LOG and OPENAI_LOG make the SDKs log requests
    # and answers whole, and a provider may say back the key that it was sent.
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])
