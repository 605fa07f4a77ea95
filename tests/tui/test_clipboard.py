"""How a text is copied, and that the notice states this and nothing uncertain."""

import os
import pty
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from palaver_tui.platform.clipboard import MOST_OSC_52, Clipboard
from palaver_tui.text.visible import encodable
from support.require import require
from support.tmux import tmux

HOSTILE = "**a**\x1b[31m\u202e\x9b b\r\n[/x]"


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def sent() -> list[str]:
    return []


def clipboard(
    folder: Path,
    sent: list[str],
    environment: Mapping[str, str],
    programs: Sequence[Path] = (),
    platform: str = "linux",
) -> Clipboard:
    known = {path.name: str(path) for path in programs}

    def which(name: str) -> str | None:
        return known.get(name)

    return Clipboard(environment, sent.append, folder / "kept", which=which, platform=platform)


@pytest.fixture
def wl_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = program(
        tmp_path,
        "wl-copy",
        f"import sys; open({str(tmp_path / 'taken')!r}, 'wb').write(sys.stdin.buffer.read())",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return path


async def test_the_systems_own_tool_is_given_the_text_as_it_is(
    tmp_path: Path, sent: list[str], wl_copy: Path
) -> None:
    copied = await clipboard(tmp_path, sent, {"WAYLAND_DISPLAY": "x"}, [wl_copy]).copy(HOSTILE)
    assert (tmp_path / "taken").read_bytes() == HOSTILE.encode()
    assert copied.words("the code") == "Copied the code to the clipboard (wl-copy)."
    assert sent == []


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY"])
async def test_over_ssh_it_goes_through_the_terminal(
    tmp_path: Path, sent: list[str], wl_copy: Path, variable: str
) -> None:
    environment = {"WAYLAND_DISPLAY": "x", variable: "y"}
    copied = await clipboard(tmp_path, sent, environment, [wl_copy]).copy(HOSTILE)
    assert sent == [HOSTILE]
    assert "OSC 52" in copied.words("it")
    assert "only the terminal knows" in copied.words("it")


async def test_a_tool_that_fails_is_passed_over(
    tmp_path: Path, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = program(tmp_path, "wl-copy", "raise SystemExit(1)")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    copied = await clipboard(tmp_path, sent, {"WAYLAND_DISPLAY": "x"}, [bad]).copy("text")
    assert copied.way == "terminal"
    assert sent == ["text"]


async def test_what_no_terminal_takes_goes_into_a_file_of_its_owner(
    tmp_path: Path, sent: list[str]
) -> None:
    text = HOSTILE + "x" * MOST_OSC_52
    copied = await clipboard(tmp_path, sent, {}).copy(text)
    path = tmp_path / "kept" / "copied.txt"
    assert path.read_bytes() == text.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in copied.words("it")
    assert sent == []


async def test_lone_surrogates_are_replaced_and_nothing_else(
    tmp_path: Path, sent: list[str]
) -> None:
    await clipboard(tmp_path, sent, {}).copy("a\udce4b👨‍👩‍👧")
    assert sent == ["a\ufffdb👨‍👩‍👧"]


def test_a_pair_of_surrogates_becomes_its_character() -> None:
    assert encodable("\ud83d\ude00") == "😀"


@pytest.mark.parametrize(
    ("environment", "platform", "names"),
    [
        ({}, "linux", []),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"WAYLAND_DISPLAY": "x", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({}, "darwin", ["pbcopy"]),
    ],
)
def test_tools_are_used_where_they_work(
    tmp_path: Path, sent: list[str], environment: dict[str, str], platform: str, names: list[str]
) -> None:
    programs = [tmp_path / name for name in ("wl-copy", "xclip", "xsel", "pbcopy")]
    found = clipboard(tmp_path, sent, environment, programs, platform).tools()
    assert [command[0] for command in found] == names


@pytest.mark.parametrize("environment", [{"DISPLAY": ":0"}, {"TMUX": "x"}])
async def test_path_is_not_looked_through_on_the_event_loop(
    tmp_path: Path, sent: list[str], environment: dict[str, str]
) -> None:
    threads = []

    def which(name: str) -> None:
        threads.append(threading.current_thread())

    way = Clipboard(environment, sent.append, tmp_path / "kept", which=which, platform="linux")
    assert (await way.copy("text")).way == "terminal"
    assert threads
    assert threading.main_thread() not in threads


COPY = """
import asyncio, os, pathlib
from palaver_tui.platform.clipboard import Clipboard
copied = asyncio.run(Clipboard(os.environ, print, pathlib.Path(%r)).copy(%r))
print(copied.words("it"))
"""


@pytest.mark.process
@pytest.mark.parametrize("setting", ["external", "on", "off"])
@pytest.mark.parametrize("term", [None, "xterm-256color", "screen"])
def test_in_tmux_it_goes_into_its_buffer_and_on_to_a_terminal_that_has_a_clipboard(
    tmp_path: Path, setting: str, term: str | None
) -> None:
    require("tmux")
    script = tmp_path / "said.py"
    script.write_text(COPY % (str(tmp_path), HOSTILE))
    remote = f"SSH_TTY=x {sys.executable} {script}"
    with tmux(tmp_path, "sh", (200, 20)) as pane:
        pane("set-option", "-s", "set-clipboard", setting)
        with attached(tmp_path / "tmux", term) as written:
            if term is not None:
                pane.until(lambda: pane("list-clients").strip(), "nobody is attached")
            pane("send-keys", remote, "Enter")
            pane.until(lambda: "Copied it" in "".join(pane.rows()), "not copied")
            pane("save-buffer", str(tmp_path / "taken"))
            assert (tmp_path / "taken").read_bytes() == HOSTILE.encode()
            said = "".join(pane.rows())
            assert ("sent it on" in said) is (term == "xterm-256color")
            assert ("prefix ]" in said) is (term != "xterm-256color")
            pane.until(lambda: (b"\x1b]52;" in written()) is (term == "xterm-256color"), "OSC 52")


@pytest.mark.process
@pytest.mark.parametrize("setting", ["external", "on", "off"])
def test_in_a_tmux_within_another_it_is_said_what_the_outer_one_does_with_it(
    tmp_path: Path, setting: str
) -> None:
    require("tmux")
    script = tmp_path / "said.py"
    script.write_text(COPY % (str(tmp_path), HOSTILE))
    (tmp_path / "outer").mkdir()
    with tmux(tmp_path / "outer", "sh", (210, 30)) as outer:
        outer("set-option", "-s", "set-clipboard", setting)
        with (
            attached(tmp_path / "outer" / "tmux", "xterm-256color") as written,
            tmux(tmp_path, "sh", (200, 20)) as pane,
        ):
            inner = f"env -u TMUX tmux -u -S {tmp_path / 'tmux'} attach"
            outer("send-keys", inner, "Enter")
            # tmux asks the terminal around it for its type, which responds a moment later.
            around = ("list-clients", "-F", "#{client_termtype}")
            pane.until(lambda: pane(*around).startswith("tmux"), "nobody is attached")
            pane("send-keys", f"SSH_TTY=x {sys.executable} {script}", "Enter")
            pane.until(lambda: "Copied it" in "".join(pane.rows()), "not copied")
            said = "".join(pane.rows())
            assert "prefix ]" in said
            assert "the tmux around, which takes it where its set-clipboard is on." in said
            pane("save-buffer", str(tmp_path / "taken"))
            assert (tmp_path / "taken").read_bytes() == HOSTILE.encode()
            if setting == "on":
                outer.until(lambda: outer("list-buffers").strip(), "the outer one took nothing")
                outer("save-buffer", str(tmp_path / "taken too"))
                assert (tmp_path / "taken too").read_bytes() == HOSTILE.encode()
                outer.until(lambda: b"\x1b]52;" in written(), "nor handed it on")
            else:  # the notice comes after the text was sent to the outer tmux
                outer.until(lambda: "Copied it" in "".join(outer.rows()), "not shown")
                assert not outer("list-buffers").strip()
                assert b"\x1b]52;" not in written()


@contextmanager
def attached(socket: Path, term: str | None) -> Iterator[Callable[[], bytes]]:
    """Attach a terminal with TERM `term` unless None; yield a function that returns its output."""
    if term is None:
        yield lambda: b""
        return
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": term}
        environment.pop("TMUX", None)
        os.execvpe("tmux", ["tmux", "-u", "-S", str(socket), "attach"], environment)
    got = bytearray()

    def written() -> bytes:
        while select.select([terminal], [], [], 0)[0]:
            got.extend(os.read(terminal, 65_536))
        return bytes(got)

    try:
        yield written
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


async def test_a_tmux_that_is_gone_is_passed_over(
    tmp_path: Path, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = program(tmp_path, "tmux", "raise SystemExit(1)")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    copied = await clipboard(tmp_path, sent, {"TMUX": "x"}, [bad]).copy("text")
    assert (copied.way, sent) == ("terminal", ["text"])
