"""An import of aiohttp that reads no certificates, for processes that are Palaver's own.

When it is imported, aiohttp reads the system's certificates twice, for connectors without an SSL
context. This takes 45 ms of CPU time, a sixth of what `palaver ls` takes, and commands talk to a
Unix socket. Ours give each connector to a TLS server a context.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from palaver.garbage import loading

if TYPE_CHECKING:
    import ssl

_PROGRAMS: set[str] = set()  # the name of the one that this process is, if it is ours


def begin_program(name: str) -> None:
    """Say that this process is the program `name`, in which only Palaver uses aiohttp.

    Not to be called in a library: another user of aiohttp would trust nobody.
    """
    _PROGRAMS.add(name)


def import_aiohttp() -> None:
    """Import aiohttp, in a program of ours without certificates and searches for garbage."""
    if _PROGRAMS and "aiohttp" not in sys.modules:
        with loading(), without_certificates():
            import aiohttp  # noqa: F401


@contextmanager
def without_certificates() -> Iterator[None]:
    """Have SSL contexts that this thread creates in the `with` block trust nobody."""
    import ssl

    importing = threading.get_ident()
    load = ssl.SSLContext.set_default_verify_paths

    def trust_nobody(context: ssl.SSLContext) -> None:
        if threading.get_ident() != importing:
            load(context)

    # A method of the C class, hidden by the Python class that inherits it.
    method: Any = trust_nobody
    ssl.SSLContext.set_default_verify_paths = method  # type: ignore[method-assign]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths
