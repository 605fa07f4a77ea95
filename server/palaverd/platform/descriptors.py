"""The limit of open file descriptors, and errors that mean it is exhausted."""

from __future__ import annotations

import errno
import os
import resource

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})  # of the process, of the machine


def allow(wanted: int) -> int:
    """Raise the soft limit of open files towards `wanted`; return the limit that now applies."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        return soft  # some systems have a lower limit than the hard one
    return raised


def none_left(error: BaseException) -> bool:
    """Return whether an error means that no file descriptor was left.

    A compiled module that cannot be opened raises `ImportError` with the operating system's
    message.
    """
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED
    return isinstance(error, ImportError) and any(
        os.strerror(number) in str(error) for number in _EXHAUSTED
    )
