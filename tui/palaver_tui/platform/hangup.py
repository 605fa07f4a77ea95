"""Ends the client when its terminal has hung up.

Not every hang-up sends a signal: a client whose terminal is not its controlling terminal gets
none, and would read end of file forever. `poll` reports the hang-up in any case.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import Final

EXIT_CODE: Final = 128 + signal.SIGHUP
# Time to save drafts and close connections; then the process is ended.
GRACE_S: Final = 5.0


def watch_terminal(fd: int, gone: Callable[[], None]) -> Callable[[], None]:
    """Call `gone` from another thread when the terminal on `fd` hangs up.

    Returns a function for the client to call when it has ended; if it does not within `GRACE_S`
    after the hang-up, the process exits with `EXIT_CODE`. Does nothing if `fd` is no terminal.
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
    poll.register(fd, 0)  # a hang-up is reported whatever events are requested
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        pass
    # Discard further output: an error would stop the thread that writes it, and block whatever
    # waits for that thread.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in terminals:
        os.dup2(nowhere, stream)
    gone()
    if not ended.wait(GRACE_S):
        os._exit(EXIT_CODE)
