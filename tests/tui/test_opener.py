"""Opening a URL: which program, that it has no access to the terminal, the notice of the result."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.widgets._toast import Toast

from palaver_tui.platform import opener as opening
from palaver_tui.platform.opener import Opened, Opener
from tui.replay import ReplayClient, answer, user
from tui.screen import Client, client, settled
from tui.test_client import with_chat
from tui.test_clipboard import program

ADDRESS = "https://docs.example/x?" + "&".join(f"part{number}=of+it" for number in range(20))
ALL = {"wslview", "xdg-open", "open", "lynx", "w3m", "www-browser"}


def opener(
    environment: Mapping[str, str],
    *names: str,
    platform: str = "linux",
    folder: str | Path = "/bin",
) -> Opener:
    def which(name: str) -> str | None:
        return f"{folder}/{name}" if name in names else None

    return Opener(environment, which=which, platform=platform)


@pytest.mark.parametrize(
    ("environment", "platform", "names", "wanted"),
    [
        ({}, "linux", ALL, Opened(reason="there is no display here")),
        ({"BROWSER": "lynx"}, "linux", ALL, Opened(reason="there is no display here")),
        ({"DISPLAY": ":0"}, "linux", ALL, Opened("xdg-open")),
        ({"WAYLAND_DISPLAY": "x"}, "linux", ALL, Opened("xdg-open")),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ALL, Opened("wslview")),
        (
            {"WSL_DISTRO_NAME": "Debian", "DISPLAY": ":0"},
            "linux",
            {"xdg-open"},
            Opened("xdg-open"),
        ),
        ({"DISPLAY": ":0"}, "linux", {"lynx"}, Opened(reason="xdg-open is not installed")),
        ({}, "darwin", ALL, Opened("open")),
    ],
)
def test_only_what_has_a_window_of_its_own_is_asked(
    environment: dict[str, str], platform: str, names: set[str], wanted: Opened
) -> None:
    assert opener(environment, *names, platform=platform).program() == wanted


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_over_ssh_nobody_is_asked(variable: str, platform: str) -> None:
    found = opener({"DISPLAY": ":0", variable: "x"}, *ALL, platform=platform).program()
    assert found == Opened(reason="this is another machine than the one you sit at")


async def test_path_is_not_looked_through_on_the_event_loop() -> None:
    threads = []

    def which(name: str) -> None:
        threads.append(threading.current_thread())

    found = Opener({"DISPLAY": ":0"}, which=which, platform="linux")
    assert (await found.open("https://example.org")).reason == "xdg-open is not installed"
    assert threads
    assert threading.main_thread() not in threads


ASKED = """
import json, os, sys
def terminal():
    try:
        os.close(os.open("/dev/tty", os.O_RDWR)); return True
    except OSError:
        return False
found = {"arguments": sys.argv[1:], "leads": os.getsid(0) == os.getpid(), "terminal": terminal()}
found["files"] = [os.path.samestat(os.fstat(fd), os.stat(os.devnull)) for fd in range(3)]
json.dump(found, open(%r, "w"))
"""


@pytest.mark.process
async def test_who_is_asked_has_the_address_and_no_terminal(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    program(tmp_path, "xdg-open", ASKED % str(noted))
    done = await opener({"DISPLAY": ":0"}, "xdg-open", folder=tmp_path).open(ADDRESS)
    assert done == Opened("xdg-open")
    found = json.loads(noted.read_text())
    assert found.pop("arguments") == [ADDRESS]
    assert found == {"leads": True, "terminal": False, "files": [True] * 3}


@pytest.mark.process
async def test_a_failure_is_said(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open", "raise SystemExit(3)")
    done = await opener({"DISPLAY": ":0"}, "xdg-open", folder=tmp_path).open(ADDRESS)
    assert done == Opened(reason="xdg-open failed with code 3")
    done = await opener({"DISPLAY": ":0"}, "xdg-open", folder=tmp_path / "none").open(ADDRESS)
    assert done.reason.startswith("xdg-open did not start: ")


@pytest.mark.process
async def test_one_that_goes_on_running_is_left_alone_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "OPENER_S", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program(tmp_path, "xdg-open", f"open({str(pipe)!r}).read()")
    done = await opener({"DISPLAY": ":0"}, "xdg-open", folder=tmp_path).open(ADDRESS)
    assert done == Opened("xdg-open")
    with pipe.open("w"):
        pass  # the program still runs and reads this; now it ends


def notice(me: Client) -> str:
    """Return the text of the notice, without the line breaks of wrapping."""
    region = me.app.screen.query_one(Toast).content_region
    rows = me.text().split("\n")[region.y : region.bottom]
    return "".join(row[region.x : region.right].strip() for row in rows)


async def click_a_link(me: Client) -> None:
    await me.shows("here it is")
    await me.press("ctrl+t", "comma", "enter")


@pytest.fixture
def linked() -> ReplayClient:
    return with_chat(user(1, "where?"), answer(2, f"[here it is]({ADDRESS})"))


async def test_without_a_display_the_address_is_copied_and_shown_whole(
    tmp_path: Path, linked: ReplayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_arguments: Any, **_more: Any) -> None:
        raise AssertionError("started a browser")

    monkeypatch.setattr("webbrowser.open", never)
    async with client(tmp_path, daemon=linked, chat_id="a") as me:
        me.app.context.opener = opener({}, *ALL)
        await click_a_link(me)
        await me.shows("Not opened: there is no display here.", "OSC 52")
        assert me.app.clipboard == ADDRESS
        assert ADDRESS in notice(me)


async def test_what_was_opened_is_shown_whole_and_no_more_is_claimed(
    tmp_path: Path, linked: ReplayClient
) -> None:
    async with client(tmp_path / "data", daemon=linked, chat_id="a") as me:
        program(tmp_path, "xdg-open", "")
        me.app.context.opener = opener({"DISPLAY": ":0"}, "xdg-open", folder=tmp_path)
        await click_a_link(me)
        await settled(me.app, lambda: "Handed to xdg-open" in me.text())
        assert ADDRESS in notice(me)
        assert "Opened" not in me.text()
        assert me.app.clipboard == ""
