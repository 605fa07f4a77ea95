"""Ids on the command line: a prefix that fits one chat is enough, for every command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import click
import pytest

from cli.test_commands_with_daemon import Shell
from palaver.cli.completion import complete_chats
from palaver.cli.main import COMMANDS, palaver
from palaverd.chatstate.states import State
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from support.daemon import running_pair
from support.store import plant

# The chats of a daemon: two ids with a common prefix, a unique one, and an id that is a prefix
# of others.
CHATS = {
    "abcd11": State.W,
    "abcd22": State.W,
    "wxyz33": State.W,
    "abcd": State.W,
    "old44": State.XW,
}


HELLO = ["hello"]


def taking_an_id() -> Iterator[tuple[str, click.Command]]:
    """Yield each command that has an ID among its arguments."""
    context = click.Context(palaver)
    for name in COMMANDS:
        command = palaver.get_command(context, name)
        assert command is not None
        if any(one.metavar == "ID" for one in command.params):
            yield name, command


BY_ID = dict(taking_an_id())


def argv(name: str, chat: str) -> list[str]:
    """Return a command line that names a chat; other arguments are 1, a number or a word."""
    words = [name]
    for one in BY_ID[name].params:
        if one.metavar == "ID" and isinstance(one, click.Option):
            words += [one.opts[0], chat]
        elif isinstance(one, click.Argument) and (one.required or one.metavar == "ID"):
            words.append(chat if one.metavar == "ID" else "1")
    # Options for commands that would read text, or never end.
    options = {"tail": ["--until-idle"], "answer": ["--option", "1"]}
    return words + {**options, "run": HELLO, "send": HELLO, "edit": HELLO}.get(name, [])


@pytest.fixture
async def shell() -> AsyncIterator[Shell]:
    async with running_pair() as (daemon, client, _):
        await plant_all(daemon)
        yield Shell(client)


async def plant_all(daemon: Daemon) -> None:
    def write(connection):  # type: ignore[no-untyped-def]
        for chat_id, state in CHATS.items():
            plant(connection, state, chat_id=chat_id, owner=LOCAL_OWNER, title=f"about {chat_id}")

    await daemon.database.write(write)


def test_every_command_about_a_chat_is_among_them() -> None:
    assert {"show", "tail", "send", "stop", "queue", "attach", "run"} <= set(BY_ID)


@pytest.mark.parametrize("name", BY_ID)
def test_the_shell_completes_every_id(name: str) -> None:
    (parameter,) = [one for one in BY_ID[name].params if one.metavar == "ID"]
    assert parameter._custom_shell_complete is complete_chats


@pytest.mark.process
async def test_an_id_that_fits_no_chat_or_several_is_a_sentence(shell: Shell) -> None:
    none = "palaver: There is no chat %, and none whose id begins so.\n"
    several = (
        "palaver: Several chats have an id that begins with ab:\n"
        "  abcd22  about abcd22\n  abcd11  about abcd11\n  abcd  about abcd\n"
    )
    for name in sorted(BY_ID.keys() - {"attach"}):  # which needs a terminal
        ended = await shell(*argv(name, "ab"), code=1)
        assert (name, ended.out, ended.err) == (name, "", several)
    for name in ("show", "send"):
        assert (await shell(*argv(name, "%"), code=1)).err == none


@pytest.mark.process
async def test_a_beginning_that_fits_one_chat_is_enough(shell: Shell) -> None:
    for named, meant in {
        "w": "wxyz33",
        "WXYZ33": "wxyz33",
        "abcd1": "abcd11",
        "abcd": "abcd",  # complete, though a prefix of others
        "o": "old44",  # archived
    }.items():
        assert [line["id"] for line in (await shell.lines("show", named))[:1]] == [meant]
    assert "Sent." in (await shell("send", "w", "[[length=3]] hello")).err
    assert (await shell("tail", "w", "--until-idle")).code == 0
    assert (await shell.lines("run", "[[length=3]] hi", "--chat", "wx"))[-1]["chat_id"] == "wxyz33"
    assert "running" in (await shell("stop", "w")).err
    assert (await shell("queue", "w")).code == 0
