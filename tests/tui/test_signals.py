"""The client as a process in a terminal of its own: however it ends, the terminal is restored."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.process import place, started

pytestmark = pytest.mark.process

LONG_S = 30  # timeout for a start, with imports, on a busy machine
QUIT = b"\x11"
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"  # the alternate screen
# A client whose screen cannot be composed.
BROKEN = """
from palaver.cli.main import main
from palaver_tui.screen.main_screen import MainScreen

def compose(self):
    raise RuntimeError("no screen")

MainScreen.compose = compose
main()
"""
# Clients that cannot draw lines, not even those of the notice of the error, or no screen at all,
# from the start or after it.
UNDRAWN = """
from palaver.cli.main import main
from textual.widget import Widget
from palaver_tui.app import PalaverApp
from palaver_tui.widgets.bar import Bar
from palaver_tui.textual_patches.row_compositor import RowCompositor

def fail(*_, **__):
    raise RuntimeError("not drawn")

def line():
    Widget.render_line = Bar.render_line = fail

def screen():
    RowCompositor._get_renders = fail

def begun(what, on_ready=PalaverApp.on_ready):
    def drawn(self):
        what()
        self.screen.refresh(layout=True)
    def ready(self):
        on_ready(self)
        self.call_after_refresh(drawn, self)
    PalaverApp.on_ready = ready

{what}
main()
"""
SIZE = struct.pack("HHHH", 24, 80, 0, 0)


class Terminal:
    """A pseudo-terminal in which `palaver` runs, and its output."""

    def __init__(self, master: int, slave: int, process: asyncio.subprocess.Process) -> None:
        self.process, self.slave = process, slave
        self.master: int | None = master
        self.written = bytearray()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        assert self.master is not None
        self.written += os.read(self.master, 65536)

    def type(self, keys: bytes) -> None:
        assert self.master is not None
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the terminal, as a window manager does."""
        if self.master is not None:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            self.master = None

    async def shows(self, *words: bytes) -> None:
        async with asyncio.timeout(LONG_S):
            while not all(word in self.written for word in words):
                await asyncio.sleep(0.02)

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.slave)

    async def ended(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        async with asyncio.timeout(LONG_S):
            return await self.process.wait()


@asynccontextmanager
async def terminal(
    data_dir: Path, *, owned: bool = True, program: Sequence[str] = ("-m", "palaver")
) -> AsyncIterator[Terminal]:
    """Run the client. It gets a signal at a hang-up only if its terminal is `owned`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)

    def own_terminal() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored if the tests run under nohup
        os.setsid()
        if owned:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        "--socket",
        str(data_dir / "palaverd.sock"),
        "--data-dir",
        str(data_dir),
        stdin=slave,
        stdout=slave,
        stderr=slave,  # which Textual writes to
        env=os.environ | {"TERM": "xterm-256color"},
        preexec_fn=own_terminal,
    )
    shown = Terminal(master, slave, process)
    try:
        yield shown
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        shown.hang_up()
        os.close(slave)


@pytest.mark.parametrize(
    ("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_the_client_and_restores_the_terminal(
    sign: signal.Signals, code: int
) -> None:
    async with place() as data_dir, started(data_dir), terminal(data_dir) as shown:
        before = shown.modes()
        await shown.shows(ENTERED, b"sonnet")
        assert shown.modes() != before
        shown.process.send_signal(sign)
        assert await shown.ended() == code
        await shown.shows(LEFT)
        assert b"Traceback" not in shown.written
        assert shown.modes() == before


@pytest.mark.parametrize("owned", [True, False])
async def test_a_terminal_that_goes_away_ends_the_client_quietly(owned: bool) -> None:
    async with (
        place() as data_dir,
        started(data_dir) as daemon,
        terminal(data_dir, owned=owned) as shown,
    ):
        await shown.shows(ENTERED, b"sonnet")
        shown.hang_up()
        assert await shown.ended() == 129
        await daemon.client.health()


@pytest.mark.parametrize(
    "program", [BROKEN, UNDRAWN.format(what="line()"), UNDRAWN.format(what="screen()")]
)
async def test_an_error_before_the_first_paint_ends_the_client_with_a_sentence(
    program: str,
) -> None:
    async with place() as data_dir, terminal(data_dir, program=("-c", program)) as shown:
        before = shown.modes()
        assert await shown.ended() == 1
        await shown.shows(LEFT, b"palaver: something went wrong in the client", b"A report is in ")
        assert b"Traceback" not in shown.written
        assert b"no screen" not in shown.written
        assert b"not drawn" not in shown.written
        assert shown.modes() == before


@pytest.mark.parametrize("what", ["line", "screen"])
async def test_a_client_that_cannot_draw_goes_on_and_gives_the_terminal_back(what: str) -> None:
    program = UNDRAWN.format(what=f"begun({what})")
    async with (
        place() as data_dir,
        started(data_dir) as daemon,
        terminal(data_dir, program=("-c", program)) as shown,
    ):
        before = shown.modes()
        await shown.shows(ENTERED)
        reports = data_dir / "client" / "reports"
        async with asyncio.timeout(LONG_S):
            while not any(reports.glob("*.txt")):
                await asyncio.sleep(0.02)
        shown.type(b"said blindly\r")
        async with asyncio.timeout(LONG_S):
            while not (await daemon.client.chats()).chats:
                await asyncio.sleep(0.02)
        shown.type(QUIT * 2)  # the first may only warn that the message is not sent yet
        assert await shown.ended() == 0
        await shown.shows(LEFT)
        assert b"Traceback" not in shown.written
        assert shown.modes() == before
