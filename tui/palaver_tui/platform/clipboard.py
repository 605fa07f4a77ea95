"""Copying to the system's clipboard, by OSC 52 through the terminal, or into a file."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from palaver_tui.text.visible import encodable
from palaver_tui.timing import CLIPBOARD_TOOL_S

Way = Literal["tool", "tmux", "terminal", "file"]
# Programs that copy their standard input to the clipboard, and the variable that each needs.
TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
MAC_TOOL = ("pbcopy",)
# tmux ignores OSC 52 from a program unless `set-clipboard` is `on`, which is not the default. This
# command stores a buffer in tmux, and with -w (tmux 3.2) also sends it to the terminal's clipboard.
TMUX = ("tmux", "load-buffer", "-w", "-")
TMUX_BEFORE_3_2 = ("tmux", "load-buffer", "-")
# Prints type and features of the terminal around tmux. tmux sends a buffer to a terminal that has
# the feature `clipboard`, whatever its own `set-clipboard` is, and to no other, such as a Linux
# console. An outer tmux has the feature, but accepts the text only if its `set-clipboard` is `on`.
TMUX_AROUND = ("tmux", "display-message", "-p", "#{client_termtype} #{client_termfeatures}")
# Variables of a remote login: the user does not sit at this machine and has another clipboard.
REMOTE = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
# Bytes of base64. Terminals truncate or ignore a longer OSC 52; the limits of tmux and, by default,
# of xterm are about this.
MOST_OSC_52 = 74_994
FILE_NAME = "copied.txt"


class Copied(msgspec.Struct, frozen=True):
    """The way a text was copied.

    `name` is the program or the file; with the way `tmux`, what tmux has sent the text to: the
    `terminal`, an outer `tmux`, or empty for nothing.
    """

    way: Way
    name: str = ""

    def words(self, what: str) -> str:
        """Return the sentence for the notice about `what`; it states only what is certain."""
        match self.way:
            case "tool":
                return f"Copied {what} to the clipboard ({self.name})."
            case "tmux" if self.name == "tmux":
                return (
                    f"Copied {what} into tmux's buffer: its paste key (prefix ]) inserts it."
                    " Sent it on to the tmux around, which takes it where its set-clipboard is on."
                )
            case "tmux" if self.name:
                return (
                    f"Copied {what} into tmux's buffer, and sent it on to your terminal's"
                    " clipboard. Whether it took it, only the terminal knows."
                )
            case "tmux":
                return f"Copied {what} into tmux's buffer; tmux's paste key (prefix ]) inserts it."
            case "terminal":
                return (
                    f"Sent {what} to your terminal's clipboard (OSC 52)."
                    " Whether it took it, only the terminal knows."
                )
            case "file":
                return f"Saved {what} to {self.name}: no clipboard takes that much."


class Clipboard:
    """Copies text by the first way that works.

    `send` writes OSC 52 to the terminal; `folder` is the folder for the file.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        send: Callable[[str], None],
        folder: Path,
        *,
        which: Callable[[str], str | None] = shutil.which,
        platform: str = sys.platform,
    ) -> None:
        self._environment = environment
        self._send = send
        self._folder = folder
        self._which = which
        self._platform = platform

    def tools(self) -> list[Sequence[str]]:
        """Return the commands that reach the user's clipboard; none in a remote login."""
        if any(self._environment.get(name) for name in REMOTE):
            return []
        found: list[Sequence[str]] = [
            command
            for variable, command in TOOLS
            if self._environment.get(variable) and self._which(command[0])
        ]
        if self._platform == "darwin" and self._which(MAC_TOOL[0]):
            found.insert(0, MAC_TOOL)
        return found

    async def copy(self, text: str) -> Copied:
        """Copy `text` unchanged. Raises `OSError` if only a file was left and it failed."""
        content = encodable(text)
        for command in await asyncio.to_thread(self.tools):  # searching PATH reads from disk
            if await _run(command, content.encode()):
                return Copied("tool", command[0])
        if (copied := await self._by_tmux(content.encode())) is not None:
            return copied
        if len(content.encode()) * 4 / 3 <= MOST_OSC_52:
            self._send(content)
            return Copied("terminal")
        path = self._folder / FILE_NAME
        await asyncio.to_thread(_write, path, content)
        return Copied("file", str(path))

    async def _by_tmux(self, content: bytes) -> Copied | None:
        """Copy `content` into tmux's buffer; return None outside of tmux, or if tmux fails."""
        if not self._environment.get("TMUX"):
            return None
        if not await asyncio.to_thread(self._which, TMUX[0]):
            return None
        handed_on = await _run(TMUX, content)
        if not handed_on and not await _run(TMUX_BEFORE_3_2, content):
            return None
        around, _, features = (await _answer(TMUX_AROUND)).decode().strip().rpartition(" ")
        fits = len(content) * 4 / 3 <= MOST_OSC_52
        if not (handed_on and fits and "clipboard" in features.split(",")):
            return Copied("tmux")
        return Copied("tmux", "tmux" if around.startswith("tmux") else "terminal")


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(content, encoding="utf-8", newline="")


async def _run(command: Sequence[str], content: bytes) -> bool:
    """Run a program with `content` as its input; return whether it exited with 0."""
    # No pipe for its output: a child that stays to serve the clipboard would keep it open.
    code, _ = await _talk(command, content, asyncio.subprocess.DEVNULL)
    return code == 0


async def _answer(command: Sequence[str]) -> bytes:
    """Return a program's output; empty if it fails."""
    code, said = await _talk(command, b"", asyncio.subprocess.PIPE)
    return said if code == 0 else b""


async def _talk(command: Sequence[str], content: bytes, said_to: int) -> tuple[int | None, bytes]:
    """Run a program with `content` as its input; return its exit code and its output.

    The code is None if it did not start. It is killed after `CLIPBOARD_TOOL_S`.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=said_to,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None, b""
    said: bytes | None = None
    try:
        async with asyncio.timeout(CLIPBOARD_TOOL_S):
            said, _ = await process.communicate(content)
    except TimeoutError:
        process.kill()
        await process.wait()
    return process.returncode, said or b""
