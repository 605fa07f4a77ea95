"""No text of a model, tool or user controls the terminal: tests of the bytes a client writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from tui.hostile_client import EVIL, evil_daemon
from tui.screen import client

ROOT = Path(__file__).resolve().parents[2]
BOUND_S = 90  # timeout for a whole client that shows all its screens on a busy machine
# The sequences that this client and its library send to a terminal; all others are errors.
OURS = re.compile(
    r"\x1b\[[0-9;:]*m"  # colours and attributes
    r"|\x1b\[\d*(?:;\d*)?H"  # cursor position
    r"|\x1b\[\?(?:1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048|25|7)[hl]"  # modes
    r"|\x1b\[\?(?:2026|2048)\$p"  # queries of the terminal's modes
    r"|\x1b\[[<>=]\d*u|\x1b\[\?u|\x1b\[>\d+(?:;\d+)?[mu]"  # keyboard protocol
    r"|\x1b\[<u|\x1b\[>1u|\x1b\[c|\x1b\[\?6n|\x1b\[16t|\x1b\[14t"
    r"|\x1b\[2J|\x1b\[0?K|\x1b\[\d* q"  # clearing at the start and end, shape of the cursor
    r"|\x1b\]22;[a-z-]*\x07"  # shape of the pointer
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"  # copying, as base64
    r"|\x1b[78]|\x1b\(B|\x1b=|\x1b>"
)


def run_in_terminal(
    command: list[str], environment: dict[str, str], size: tuple[int, int] = (40, 120)
) -> bytes:
    """Run a program in a terminal of its own; return all that it wrote."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    written = b""
    end = time.monotonic() + BOUND_S
    try:
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    piece = os.read(terminal, 65_536)
                except OSError:  # the program has closed the terminal
                    piece = b""
                if not piece:
                    break
                written += piece
        else:
            os.kill(pid, signal.SIGKILL)
            pytest.fail("the client did not leave")
    finally:
        os.close(terminal)
        _, code = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(code) == 0, written[-3000:].decode(errors="replace")
    return written


@pytest.mark.process
def test_only_the_clients_own_sequences_reach_the_terminal(tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "tests"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SSH_TTY": "x",  # so that texts are copied through the terminal
    }
    command = [sys.executable, "-m", "tui.hostile_client", str(tmp_path)]
    written = run_in_terminal(command, environment)
    text = written.decode()  # raises an error if it is not UTF-8
    left = OURS.sub("", text)
    strange = sorted({f"U+{ord(one):04X}" for one in left if is_control(one)})
    around = [repr(left[max(0, m.start() - 30) : m.end() + 30]) for m in CONTROL.finditer(left)]
    assert strange == [], around[:5]
    copied = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", text)
    assert len(copied) == 1  # the client's own, not the one in a message
    assert "ZXZpbA==" not in copied
    shown = re.sub(r"\s", "", left)
    for name in EVIL:
        if name not in {"bidi", "zero", "surrogate", "return", "title"}:
            assert f"evil-{name}" in shown, name


CONTROL = re.compile(
    r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def is_control(character: str) -> bool:
    return CONTROL.match(character) is not None


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_no_control_is_on_the_screen_wherever_one_looks(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with client(tmp_path, daemon=evil_daemon(), chat_id="a", size=size) as me:
        await me.until(lambda: me.view.caught_up and me.app.session.models)
        me.transcript.viewport.set_folds(me.transcript.viewport.folds.all(True))
        me.transcript.viewport.to_start()
        for key in ["ctrl+o", "escape", "f3", "escape", "ctrl+f", "escape", "f4", "f1"]:
            await me.press(key)
            assert not CONTROL.search(me.text().replace("\n", ""))
        await me.press("escape")
        while not me.transcript.viewport.following:
            me.transcript.viewport.move(me.transcript.size.height)
            me.app.paint()
            await me.pilot.pause()
            assert not CONTROL.search(me.text().replace("\n", ""))


async def test_hostile_words_can_be_searched_for(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=evil_daemon(), chat_id="a") as me:
        await me.until(lambda: me.view.caught_up)
        for words in EVIL.values():
            me.transcript.search.begin(words)
            await me.until(lambda: me.transcript.search.matches)
