"""Named points at which a test kills the daemon: before and after the commit of a transition.

Armed by an environment variable and else never looked at again. A process that is killed here
has had no chance to clean up, exactly as one that loses its power.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

# "<transition>:<before|after>:<n>": die at the n-th commit (from 1) of this transition.
VARIABLE = "PALAVER_CRASH_POINT"

When = Literal["before", "after"]
# Told at each commit: which side of it, and which transitions it applies.
Reached = Callable[[When, Sequence[str]], None]


def never(_when: When, _transitions: Sequence[str]) -> None:
    """Reach no point: the daemon as people run it."""


def armed(environment: Mapping[str, str]) -> Reached:
    """Return what kills this process at the point that the environment names, if it does.

    Raises:
        ValueError: the variable names no point.
    """
    wanted = environment.get(VARIABLE)
    if not wanted:
        return never
    transition, when, number = wanted.split(":")
    left = int(number)

    def reached(now: When, transitions: Sequence[str]) -> None:
        nonlocal left
        if now == when and transition in transitions:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
