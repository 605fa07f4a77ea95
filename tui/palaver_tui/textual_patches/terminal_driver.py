"""Terminal driver: parsing of keys and pastes, and output with cursor positions.

Without this, Textual 8.2 parses two keys with Alt in one read as a circumflex and a letter, and
text after an Escape in a paste as keys; a byte that is no UTF-8, or a sequence that its parser
fails on, ends reading with a traceback.
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
LOOK_S: Final = 0.1  # between checks whether an Escape is a key by itself, and whether to end
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
_ALT = re.compile("\x1b([a-z0-9])")


class KeyParser(XTermParser):
    """Parses the input from a terminal into keys and pastes."""

    _pasted: str | None = None  # the paste so far, perhaps with a part of its end; None if none

    def feed(self, data: str) -> Iterable[Message]:
        """Yield the messages in `data`, which may end in the middle of a sequence."""
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
    """Return a letter with Alt as a sequence of the kitty protocol, whose end is unambiguous."""
    return f"\x1b[{ord(found[1])};3u"


class Terminal(LinuxDriver):
    """The driver of the terminal that the client runs in."""

    def write(self, data: str) -> None:
        """Write `data`, with cursor positions around characters of unsure width."""
        super().write(placed(data))

    def run_input_thread(self) -> None:
        """Read and parse input until the client ends or the terminal is gone."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        parser = KeyParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = b""
                if selector.select(LOOK_S):
                    data = os.read(self.fileno, READ)
                    if not data:
                        return  # the terminal is gone; another part notices and ends the client
                try:
                    self._hand_on(parser.feed(decode(data)) if data else ())
                    self._hand_on(parser.tick())
                except (ParseError, ValueError, LookupError, ArithmeticError):
                    parser = KeyParser(self._debug)  # no input of a user: reset the parser

    def _hand_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)
