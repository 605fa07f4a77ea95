"""Ends a client whose terminal is gone.

Not every terminal that vanishes sends a signal: a client that does not own its terminal hears
nothing, and would read its end of file for ever. The kernel does tell whoever polls.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

EXIT_CODE: Final = 128 + signal.SIGHUP
# For drafts to be kept and connections to be closed; what hangs after that is cut off.
GRACE_S: Final = 5.0


def watch_terminal(fd: int, gone: Callable[[], None]) -> Callable[[], None]:
    """Call `gone`, from a thread, once the terminal on `fd` has hung up.

    Returns what the client calls when it has ended by itself; one that hangs is cut off. Does
    nothing where `fd` is no terminal.
    """
    ended = threading.Event()
    if os.isatty(fd):
        terminals = [stream for stream in (0, 1, 2) if os.isatty(stream)]
        watch = threading.Thread(
            target=_wait, args=(fd, terminals, gone, ended), name="terminal-watch", daemon=True
        )
        watch.start()
    return ended.set


def _wait(fd: int, terminals: list[int], gone: Callable[[], None], ended: threading.Event) -> None:
    poll = select.poll()
    poll.register(fd, 0)  # a hang-up is told to who asks for nothing, too
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        pass
    # Whatever is still drawn goes nowhere instead of failing, which would stop the drawing
    # thread and, with it, everybody who waits for it.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in terminals:
        os.dup2(nowhere, stream)
    gone()
    if not ended.wait(GRACE_S):
        os._exit(EXIT_CODE)
