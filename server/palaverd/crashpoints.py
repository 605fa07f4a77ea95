"""Named crash points at which a test kills the daemon: before and after a transition's commit.

Set by an environment variable, which is read once at the start. SIGKILL leaves no chance to clean
up, as a power failure would.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

# "<transition>:<before|after>:<n>": die at the n-th commit (from 1) of this transition.
VARIABLE = "PALAVER_CRASH_POINT"

When = Literal["before", "after"]
# Called before and after each commit with the transitions that it applies.
Reached = Callable[[When, Sequence[str]], None]


def never(_when: When, _transitions: Sequence[str]) -> None:
    """Do nothing: the callback when no crash point is set."""


def armed(environment: Mapping[str, str]) -> Reached:
    """Return a callback that kills this process at the crash point in `environment`, if one is set.

    Raises:
        ValueError: the variable is malformed.
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
