"""Imports of libraries without the parts of them that the daemon does not use.

These parts take a fifth of the CPU time of a start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from palaver.lean_aiohttp import without_certificates


def import_libraries() -> None:
    """Import them. To be called before other modules do, in a process that is a daemon.

    structlog comes without rich, which formats its tracebacks on a terminal: the daemon's are texts
    by then (`logs/output.py`). aiohttp comes without its client, which no start needs, and its
    client without the certificates of the system: its connectors trust nobody, unless they are
    given a context, which they are.
    """
    with _absent("rich"):
        import structlog  # noqa: F401
    # Not before structlog, which it uses.
    from palaverd.lean_imports import with_sdk

    with_sdk("aiohttp", _import_server)


def _import_server() -> None:
    with without_certificates():  # if it is imported whole
        import aiohttp.web  # noqa: F401


def import_client() -> None:
    """Import aiohttp's client, which calls providers. Takes 25 ms of CPU time."""
    with without_certificates():
        from aiohttp import ClientSession  # noqa: F401 - a name of the whole


@contextmanager
def _absent(package: str) -> Iterator[None]:
    """Have an optional package be missing in this `with` block."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment] # documented: its import fails
    try:
        yield
    finally:
        del sys.modules[package]
