"""Gives memory back to the system that one long answer needed for a moment.

Python returns a freed block to the C library, and glibc keeps it: it raises the size from which
a block is mapped on its own to the largest one that was ever freed, so that a prompt of 40 MB
makes every later block part of a heap, which is returned only from its end. Measured with a
chat of 100 answers of 200 KB each: 368 MB were kept.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

# mallopt(3). A size that is set stays; left alone, it grows as said above.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_THRESHOLD = 256 * 1024  # bytes; what is larger is rare, and mapping it costs a few microseconds
_ARENAS = 2  # heaps; threads hold the interpreter's lock for most of what they allocate


def keep_little() -> None:
    """Let the C library keep little of what is freed. Where it is not glibc, nothing happens."""
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _THRESHOLD)
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free pages inside the heaps. Takes milliseconds: call it in a thread."""
    malloc_trim = _function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


@cache
def _function(name: str) -> Callable[..., int] | None:
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
