"""What comes from the terminal, and goes to it: keys told apart, everything in its place.

Without this, Textual 8.2 takes two keys with Alt in one read for a circumflex and a letter, and
what stands behind an Escape in a paste for keys; a byte that is no UTF-8, or a sequence that its
parser stumbles over, ends the reading with a traceback.
"""

from __future__ import annotations

import os
import re
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Final

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from palaver_tui.textual_patches.cell_positions import placed

READ: Final = 4096  # bytes at once
LOOK_S: Final = 0.1  # between two looks at whether an Escape stands alone, and whether to end
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
_ALT = re.compile("\x1b([a-z0-9])")


class KeyParser(XTermParser):
    """Turns what a terminal sends into keys and pastes."""

    _pasted: str | None = None  # so far, with what may be the beginning of its end; None: no paste

    def feed(self, data: str) -> Iterable[Message]:
        """Yield what `data` says; it may end in the middle of something."""
        if not data:
            yield from super().feed(data)
        while data:
            if self._pasted is None:
                typed, begun, data = data.partition(PASTE)
                if typed:
                    yield from super().feed(_ALT.sub(_told_apart, typed))
                self._pasted = "" if begun else None
            else:
                self._pasted += data
                text, ended, data = self._pasted.partition(PASTED)
                if ended:
                    self._pasted = None
                    yield events.Paste(text.replace("\x00", ""))


def _told_apart(found: re.Match[str]) -> str:
    """Say a letter with Alt as the kitty protocol does, which needs nothing after it to end."""
    return f"\x1b[{ord(found[1])};3u"


class Terminal(LinuxDriver):
    """The terminal that the client runs in."""

    def write(self, data: str) -> None:
        """Write `data`; a width that the terminal counts otherwise moves nothing."""
        super().write(placed(data))

    def run_input_thread(self) -> None:
        """Read until it is over."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        parser = KeyParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = b""
                if selector.select(LOOK_S):
                    data = os.read(self.fileno, READ)
                    if not data:
                        return  # the terminal is gone; whoever watches it ends the client
                try:
                    self._hand_on(parser.feed(decode(data)) if data else ())
                    self._hand_on(parser.tick())
                except (ParseError, ValueError, LookupError, ArithmeticError):
                    parser = KeyParser(self._debug)  # nothing that a person types

    def _hand_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)
