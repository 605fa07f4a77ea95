"""Two users at two real terminals, one over ssh and one over https, in one chat."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from network.test_killed_far_daemon import free_port
from support.certificates import Authority
from support.namespace import until
from support.process import CONFIG
from support.require import require
from support.sshd import Box
from support.tmux import Tmux, tmux
from support.tokens import make_token

pytestmark = pytest.mark.process

PROGRAM = (sys.executable, "-m", "palaver")
BOUND_S = 60.0


class House:
    """A box with a daemon and an sshd, and what each of two laptops needs to reach it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.box = Box(self._made("box"))
        self.box.install()
        self.authority = Authority(folder)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.token = folder / "token"

    def _made(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made

    def start(self) -> None:
        model = self._running(
            *("palaverd.simulator", "--until-eof", "--rate", "10"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert model.stdout is not None
        certificate, key = self.authority.issue()
        config, data = self.box.folder / "config.toml", self.box.folder / "data"
        config.write_text(
            CONFIG.format(url=model.stdout.readline().split('"')[3])
            + f'[server]\ntls_cert = "{certificate}"\ntls_key = "{key}"\n'
        )
        where = ("--data-dir", str(data), "--config", str(config))
        log = self.folder / "log"
        with log.open("w") as written:
            daemon = self._running(
                *("palaverd", "serve", *where, "--listen", f"127.0.0.1:{self.port}"),
                stderr=written,
            )
        until(lambda: '"ready"' in log.read_text(), daemon)
        self._ends(subprocess.Popen(self.box.command(), stderr=subprocess.DEVNULL, text=True))
        self.token.touch(0o600)
        self.token.write_text(asyncio.run(make_token(data / "palaverd.sock")).secret)

    def _running(self, module: str, *arguments: str, **how: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *arguments]
        process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **how)
        return self._ends(process)

    def _ends(self, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        self._stack.enter_context(process)  # waits for it, and closes its pipes
        self._stack.callback(process.kill)
        return process

    @property
    def by_https(self) -> tuple[str, ...]:
        trusting = ("--ca-file", str(self.authority.file), "--token-file", str(self.token))
        return *PROGRAM, *trusting, "--server", self.url

    def terminal(self, name: str, *command: str) -> Tmux:
        """Open a terminal on a laptop, and run a command in it."""
        laptop = self._made(name)
        path = f"{self.box.folder / 'bin'}:{os.environ['PATH']}"
        own = (f"PATH={path}", f"PALAVER_DATA_DIR={laptop}", f"XDG_CONFIG_HOME={laptop}")
        return self._stack.enter_context(tmux(laptop, " ".join(["env", *own, *command]), (100, 30)))


@pytest.fixture
def house() -> Iterator[House]:
    require("tmux")
    require("sshd")
    with TemporaryDirectory(prefix="pv") as folder, ExitStack() as stack:
        made = House(Path(folder), stack)
        made.start()
        yield made


def test_both_see_each_message_the_queue_the_countdown_and_the_stop(house: House) -> None:
    one = house.terminal("one", *PROGRAM, "--server", "ssh://box")

    def text_of(pane: Tmux) -> str:
        return "\n".join(pane.rows())

    def shows(pane: Tmux, word: str) -> None:
        pane.until(lambda: word in text_of(pane), word)

    def shows_no(pane: Tmux, word: str) -> None:
        pane.until(lambda: word not in text_of(pane), f"no {word}")

    def all_show(*words: str, of: tuple[Tmux, ...]) -> None:
        for pane in of:
            for word in words:
                shows(pane, word)

    def say(pane: Tmux, text: str) -> None:
        pane("send-keys", "-l", text)
        pane("send-keys", "Enter")

    all_show("Write a message", "sonnet", of=(one,))
    say(one, "[[length=300]] Tell me a long story")
    all_show("Tell me a long story", "is answering", of=(one,))
    listed = subprocess.run(
        [*house.by_https, "ls", "--json"], capture_output=True, text=True, timeout=BOUND_S
    )
    chat_id = msgspec.json.decode(listed.stdout.splitlines()[0])["id"]
    two = house.terminal("two", *house.by_https, "attach", chat_id)
    both = (one, two)
    all_show("Tell me a long story", "is answering", of=both)
    # Each sends while the answer streams: both see both messages in the queue.
    say(two, "[[echo]] said over https")
    all_show("Queue · 1", "said over https", of=both)
    say(one, "[[echo]] said over ssh")
    all_show("Queue · 2", "said over ssh", of=both)
    # One stops the other's turn.
    two("send-keys", "Escape")
    all_show("stopped here", "held", of=both)
    # The other continues the queue: all messages are answered.
    say(one, "/hold")
    all_show("sonnet ·", of=both)
    for pane in both:
        shows_no(pane, "Queue")
    say(one, "[[529 times=1 retry-after=600]] And then?")
    all_show("And then?", "Retrying in", of=both)
    two("send-keys", "Escape")
    for pane in both:
        shows_no(pane, "Retrying in")
