"""Signals that end the client: the terminal is restored before the process ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Final

# Exit codes by the convention of shells: 128 plus the number of the signal.
ENDINGS: Final[dict[signal.Signals, int]] = {
    sign: 128 + sign for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
}


def on_ending_signals(leave: Callable[[int], None]) -> Callable[[], None]:
    """Call `leave` with the exit code on a signal of `ENDINGS`; return a function to undo this.

    A handler that is already installed for SIGTERM or SIGHUP stays: a program that runs the client
    as a part of itself may have more to do.
    """
    loop = asyncio.get_running_loop()
    ours = []
    hung_up = False

    def end(sign: signal.Signals) -> None:
        nonlocal hung_up
        hung_up = hung_up or sign is signal.SIGHUP
        leave(ENDINGS[sign])

    for sign in ENDINGS:
        # SIGINT is always replaced: the handlers of Python and asyncio would damage the screen.
        if sign is signal.SIGINT or signal.getsignal(sign) is signal.SIG_DFL:
            loop.add_signal_handler(sign, end, sign)
            ours.append(sign)

    def undo() -> None:
        for sign in ours:
            loop.remove_signal_handler(sign)
        if hung_up:
            # It is sent again when the terminal is closed; the process must survive it to clean up.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    return undo
