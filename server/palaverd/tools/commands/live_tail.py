"""What people see of a command while it runs: its first output whole, of much more only pieces."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import Callable
from pathlib import Path

from palaver.clock import Clock
from palaverd.tools.commands.command import Command
from palaverd.tools.commands.folding import folded

# Bytes that are shown as they come: two thousand lines are more than anybody reads live.
FIRST = 64 * 1024
# Bytes per second behind them: a line in a tenth of a second, faster than it is read. A command
# that prints no more is shown whole.
RATE = 4 * 1024
# Bytes of one piece of an output that comes faster.
PIECE = 1024
# Seconds between two looks at the file; what a person takes for "at once".
TICK_S = 0.1


async def follow(
    command: Command, seconds: float, say: Callable[[str], None], clock: Clock
) -> bool:
    """Show what a command prints until it is over, at most `seconds`; return whether it is."""
    tail = LiveTail(command.files.output, clock)
    end = clock.monotonic() + seconds
    while not command.over.is_set() and (left := end - clock.monotonic()) > 0:
        await command.wait(min(TICK_S, left))
        say(await asyncio.to_thread(tail.read))
    say(await asyncio.to_thread(tail.read))
    return command.over.is_set()


class LiveTail:
    """A growing file, and how much of it was shown."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._at = 0
        self._allowed = float(FIRST)
        self._since = clock.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """Return what is to be shown now, perhaps nothing. Blocks."""
        try:
            file = self._path.open("rb", buffering=0)
        except FileNotFoundError:
            return ""
        with file:
            new = os.fstat(file.fileno()).st_size - self._at
            self._earn()
            if new <= 0 or self._allowed < min(new, PIECE):
                return ""
            if new <= self._allowed or self._at == 0:
                return self._take(file.fileno(), int(min(new, self._allowed)))
            left_out = new - PIECE
            self._at += left_out
            self._decoder.reset()
            # From the next line on; a line longer than a piece from anywhere.
            shown = self._take(file.fileno(), PIECE)
            return (
                f"\n[{left_out:,} bytes are not shown here]\n{shown.partition(chr(10))[2] or shown}"
            )

    def _earn(self) -> None:
        now = self._clock.monotonic()
        self._allowed = min(FIRST, self._allowed + RATE * (now - self._since))
        self._since = now

    def _take(self, file: int, size: int) -> str:
        data = os.pread(file, size, self._at)
        self._at += len(data)
        self._allowed -= len(data)
        # A bar that is drawn over itself ends a line here: what follows is another piece.
        end = "\n" if data.endswith(b"\r") else ""
        return folded(self._decoder.decode(data)) + end
