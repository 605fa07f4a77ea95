"""File descriptors: how many this process may have, and how it shows that there is none left."""

from __future__ import annotations

import errno
import os
import resource

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})  # of the process, of the machine


def allow(wanted: int) -> int:
    """Raise the soft limit towards `wanted`, as far as may be. Returns the limit that holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        return soft  # some systems have a limit below the hard one
    return raised


def none_left(error: BaseException) -> bool:
    """Say whether an error is that no descriptor was left.

    A compiled module that cannot be opened raises an `ImportError` with the system's sentence.
    """
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED
    return isinstance(error, ImportError) and any(
        os.strerror(number) in str(error) for number in _EXHAUSTED
    )
