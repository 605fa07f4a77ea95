"""A chat is exported to a file and imported from one, with a real daemon."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widgets import Input

from palaver.wire.chats import CreateChat
from palaver_tui.actions.documents import suggested
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.daemon import running_pair
from tui.screen import Client
from tui.test_end_to_end import at, quiet

__all__ = ["quiet"]  # a fixture


@pytest.fixture
async def daemon() -> AsyncIterator[tuple[Daemon, str]]:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        sent = await client.create_chat(CreateChat("Why is the sky blue?", title="The sky: a/b"))
        yield daemon, sent.chat.id


async def command(me: Client, name: str) -> None:
    me.composer.focus()
    await me.write(f"/{name}")
    await me.press("enter")


async def fill(me: Client, text: str) -> None:
    """Replace what is in the field of the dialog, like a paste."""
    await me.press("end", "ctrl+u")
    me.app.screen.query_one(Input).insert_text_at_cursor(text)
    await me.pilot.pause()


async def test_a_chat_is_exported_where_the_dialog_says_and_imported_again(
    daemon: tuple[Daemon, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, chat_id = daemon
    work = tmp_path / "w"
    work.mkdir()
    monkeypatch.chdir(work)
    async with at(served.socket, tmp_path, chat_id) as me:
        await me.shows("Why is the sky blue?")
        await command(me, "export")
        await me.shows("Export this chat to", "The-sky-a-b.md")
        await me.press("enter")
        await me.shows("Exported to")
        exported = work / "The-sky-a-b.md"
        await me.until(exported.exists)
        assert "> Why is the sky blue?" in exported.read_text()
        # A file that is there is never replaced.
        await command(me, "export")
        await me.shows("The-sky-a-b-2.md")
        await fill(me, "The-sky-a-b.md")
        await me.press("enter")
        await me.shows("There is a file of this name.")
        await fill(me, "no/a.md")
        await me.press("enter")
        await me.shows("There is no directory")
        await fill(me, "sky.json")
        await me.press("enter")
        await me.until((work / "sky.json").exists)
        assert json.loads((work / "sky.json").read_text())["format"] == "palaver-chat"
        await command(me, "import")
        await me.shows("Import a chat from")
        await fill(me, "none.json")
        await me.press("enter")
        await me.shows("There is no file of this name.")
        await fill(me, "sky.json")
        await me.press("enter")
        await me.shows("which was imported")
        assert me.view.chat_id not in (None, chat_id)
        me.app.clear_notifications()  # they lie on the message
        await me.shows("Why is the sky blue?")
        # What is no export is refused with what is wrong.
        (work / "bad.json").write_text('{"format": "other"}')
        await command(me, "import")
        await fill(me, "bad.json")
        await me.press("enter")
        await me.shows("palaver-chat")


async def test_a_name_is_one_of_the_home_directory_if_the_working_directory_is_gone(
    daemon: tuple[Daemon, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, chat_id = daemon
    home, work = tmp_path / "h", tmp_path / "w"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    async with at(served.socket, tmp_path, chat_id) as me:
        await me.shows("Why is the sky blue?")
        work.rmdir()
        await command(me, "export")
        await me.shows("The-sky-a-b.md")
        await me.press("enter")
        await me.until((home / "The-sky-a-b.md").exists)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd.md"),
        ("", "chat.md"),
        ("...", "chat.md"),
        ("Über \x1b[31mrot\n", "Über-31mrot.md"),
        ("x" * 300, "x" * 60 + ".md"),
        ("taken", "taken-3.md"),
    ],
)
def test_a_title_becomes_the_name_of_a_new_file(title: str, name: str, tmp_path: Path) -> None:
    for taken in ("taken.md", "taken-2.md"):
        (tmp_path / taken).touch()
    assert suggested(title, tmp_path) == tmp_path / name
