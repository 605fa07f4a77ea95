"""Signals that end the client: the terminal is given back first, then the process ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Final

# A shell's convention: 128 and the number of the signal.
ENDINGS: Final[dict[signal.Signals, int]] = {
    sign: 128 + sign for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
}


def on_ending_signals(leave: Callable[[int], None]) -> Callable[[], None]:
    """Call `leave` with the exit code when a signal asks to end; return what undoes this.

    A handler that somebody else has installed for SIGTERM or SIGHUP stays: who runs the client
    as a part of something greater knows what must be done besides.
    """
    loop = asyncio.get_running_loop()
    ours = []
    hung_up = False

    def end(sign: signal.Signals) -> None:
        nonlocal hung_up
        hung_up = hung_up or sign is signal.SIGHUP
        leave(ENDINGS[sign])

    for sign in ENDINGS:
        # Python itself handles SIGINT, and asyncio after it; theirs would tear the screen.
        if sign is signal.SIGINT or signal.getsignal(sign) is signal.SIG_DFL:
            loop.add_signal_handler(sign, end, sign)
            ours.append(sign)

    def undo() -> None:
        for sign in ours:
            loop.remove_signal_handler(sign)
        if hung_up:
            # It comes again when the terminal is really gone; whoever cleans up must survive it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    return undo
