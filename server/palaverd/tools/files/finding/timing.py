"""The end of a look whose time is up."""

from __future__ import annotations

import signal
from types import FrameType

# Seconds for what was found so far to be written, before the process is ended. It takes
# milliseconds, unless the machine is busy: the process is behind all others.
GRACE_S = 10.0


class TimeUp(Exception):
    """The time is up. Raised wherever the process is, also within a regular expression."""


def limit(seconds: float) -> None:
    """Let `TimeUp` be raised after some seconds, and end the process `GRACE_S` after that.

    So it ends also if nobody is left to end it.
    """

    def up(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        raise TimeUp

    signal.signal(signal.SIGALRM, up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
