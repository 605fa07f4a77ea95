"""Return freed memory to the operating system after a long answer (glibc).

Python returns a freed block to the C library, and glibc keeps it: it raises the mmap threshold to
the largest block that was ever freed, so that a prompt of 40 MB makes every later block part of a
heap, which is returned only from its end. Measured with a chat of 100 answers of 200 KB each: 368
MB were kept.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

# mallopt(3). A threshold that is set stays fixed; otherwise glibc raises it as described above.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# Bytes. What is larger is mapped and unmapped, which is rare. It must be more than the 256 KiB that
# asyncio allocates for every read of a socket and shrinks to what has come: mapped, that took three
# system calls for each token.
_MAPPED = 512 * 1024
_KEPT = 1024 * 1024  # bytes at the end of a heap: more than such a read, or each would move the end
_ARENAS = 2  # heaps; threads hold the interpreter's lock for most of what they allocate


def keep_little() -> None:
    """Make glibc keep little freed memory. Does nothing with another C library."""
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free pages of the heaps to the system. Takes milliseconds: call it in a thread."""
    malloc_trim = _function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


@cache
def _function(name: str) -> Callable[..., int] | None:
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
