"""Archive, delete, rename, edit, fork and clear, as processes."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, update

from cli.test_commands_with_daemon import Shell
from palaverd.store.tables import chats
from support.daemon import running_pair
from support.forkserver import fork

pytestmark = pytest.mark.process


@pytest.fixture
async def palaver() -> AsyncIterator[Shell]:
    async with running_pair(rate=400) as (_, client, _):
        yield Shell(client)


async def chat_of(palaver: Shell, *texts: str) -> str:
    """Get questions answered in a new chat; return its id."""
    chat = str((await palaver.lines("run", texts[0]))[-1]["chat_id"])
    for text in texts[1:]:
        await palaver("run", text, "--chat", chat)
    return chat


async def said(palaver: Shell, chat: str) -> list[str]:
    shown = await palaver.lines("show", chat)
    return [message["parts"][0].get("text", "") for message in shown[1:]]


async def test_chats_are_archived_listed_apart_and_brought_back(palaver: Shell) -> None:
    one, two = await chat_of(palaver, "[[echo]] one"), await chat_of(palaver, "[[echo]] two")
    archived = await palaver("archive", one, two)
    assert archived.err == "Archived “one”.\nArchived “two”.\n"
    assert archived.out == (await palaver("ls")).out == ""
    assert {item["id"] for item in await palaver.lines("ls", "--archived")} == {one, two}
    assert (await palaver("unarchive", one)).err == "“one” is back.\n"
    assert [item["id"] for item in await palaver.lines("ls")] == [one]


async def test_one_that_refuses_keeps_no_other_from_being_archived(palaver: Shell) -> None:
    busy = (await palaver("run", "[[length=20000]] hello", "--detach")).out.strip()
    quiet = await chat_of(palaver, "[[echo]] quiet")
    ended = await palaver("archive", busy, "nope", quiet, code=1)
    first, second, third = ended.err.splitlines()
    assert "stop it first" in first
    assert "nope" in second
    assert third == "Archived “quiet”."


async def test_a_chat_is_deleted_only_by_who_says_so(palaver: Shell) -> None:
    chat = await chat_of(palaver, "[[echo]] one")
    refused = await palaver("rm", chat, code=2)
    assert "say --yes if you mean it" in refused.err
    assert len(await palaver.lines("ls")) == 1
    assert (await palaver("rm", "--yes", chat)).err == "Deleted “one”.\n"
    assert (await palaver("ls")).out == (await palaver("ls", "--archived")).out == ""


async def remove(palaver: Shell, chat: str, reply: str) -> tuple[str, int | None]:
    """Remove a chat at a terminal; return the question, and the exit code after the reply."""
    ours, theirs = pty.openpty()
    try:
        process = await fork(
            *("palaver", "--socket", str(palaver.client.endpoint.socket), "rm", chat), stdin=theirs
        )
        async with asyncio.timeout(60):
            assert process.stderr is not None
            asked = await process.stderr.readuntil(b"[y/N]: ")
            os.write(ours, f"{reply}\n".encode())
            await process.communicate()
    finally:
        os.close(ours)
        os.close(theirs)
    return asked.decode(), process.returncode


@pytest.mark.parametrize(("reply", "left"), [("y", 0), ("n", 1), ("", 1)])
async def test_at_a_terminal_it_is_asked_first(palaver: Shell, reply: str, left: int) -> None:
    chat = await chat_of(palaver, "[[echo]] one")
    asked, code = await remove(palaver, chat, reply)
    assert asked.startswith("Delete “one” for good, with all its messages?")
    assert code == (130 if left else 0)
    page = (await palaver.client.chats()).chats
    assert len(page) == left


@pytest.mark.parametrize(
    ("parents", "goes"),
    [
        ([], ""),
        ([0], ", and the chat under it"),
        ([0, 1, 0], ", and the 3 chats under it"),  # one of them under another one
    ],
)
async def test_what_is_asked_names_the_chats_that_go_with_it(parents: list[int], goes: str) -> None:
    async with running_pair(rate=0) as (daemon, client, _):
        palaver = Shell(client)
        made = [await chat_of(palaver, f"[[echo]] {number}") for number in range(len(parents) + 1)]

        def belong(connection: Connection) -> None:
            for chat, parent in zip(made[1:], parents, strict=True):
                changed = update(chats).where(chats.c.id == chat)
                connection.execute(changed.values(parent_id=made[parent], root_id=made[0]))

        await daemon.database.write(belong)
        asked, _ = await remove(palaver, made[0], "n")
        assert asked.startswith(f"Delete “0” for good, with all its messages{goes}?")


async def test_a_chat_is_renamed(palaver: Shell) -> None:
    chat = await chat_of(palaver, "[[echo]] one")
    assert (await palaver("rename", chat, "A plan")).err == "“one” is called “A plan” now.\n"
    assert (await palaver.client.chat(chat)).title == "A plan"
    assert "1 to 200 characters" in (await palaver("rename", chat, " ", code=1)).err


async def test_a_message_is_said_anew_and_what_came_after_it_is_dropped(palaver: Shell) -> None:
    chat = await chat_of(palaver, "[[echo]] one", "[[echo]] two", "[[echo]] three")
    anew = await palaver("edit", chat, "[[echo]] four", "--yes")
    assert anew.err == "Sent. Dropped for it: 1 message after it.\n"
    await palaver("tail", chat, "--until-idle")
    assert (await said(palaver, chat))[-2:] == ["[[echo]] four", "four"]
    first = (await palaver.lines("show", chat))[1]["id"]
    assert "--yes" in (await palaver("edit", chat, "x", code=2)).err
    assert "none of yours" in (await palaver("edit", chat, "x", "--message", "999", code=1)).err
    (edited,) = await palaver.lines("edit", chat, "[[echo]] five", "--message", str(first), "--yes")
    assert len(edited["dropped"]) == 6
    await palaver("tail", chat, "--until-idle")
    assert await said(palaver, chat) == ["[[echo]] five", "five"]


async def test_a_fork_prints_the_chat_that_it_begins(palaver: Shell) -> None:
    chat = await chat_of(palaver, "[[echo]] one", "[[echo]] two")
    whole = (await palaver("fork", chat)).out.strip()
    assert await said(palaver, whole) == await said(palaver, chat)
    second = (await palaver.lines("show", chat))[2]["id"]
    (part,) = await palaver.lines("fork", chat, "--message", str(second), "--title", "half")
    assert part["chat"]["title"] == "half"
    assert await said(palaver, part["chat"]["id"]) == ["[[echo]] one", "one"]


async def test_a_cleared_chat_is_forgotten_by_the_model_alone(palaver: Shell) -> None:
    chat = await chat_of(palaver, "[[echo]] one")
    assert "You still do." in (await palaver("clear", chat)).err
    assert "--- cleared ---" in (await palaver("show", chat)).out
    busy = (await palaver("run", "[[length=20000]] hello", "--detach")).out.strip()
    refused = await palaver("clear", busy, code=1)
    assert refused.err == "palaver: It is busy; stop it first.\n"
    await palaver("archive", chat)
    refused = await palaver("send", chat, "more", code=1)
    assert refused.err == "palaver: It is archived; bring it back first.\n"


@pytest.mark.parametrize(
    "command",
    [("rename", "x"), ("edit", "x", "--yes"), ("fork",), ("clear",), ("archive",), ("rm", "--yes")],
)
async def test_an_unknown_chat_is_a_sentence(palaver: Shell, command: tuple[str, ...]) -> None:
    name, *rest = command
    ended = await palaver(name, "nope", *rest, code=1)
    assert ended.err.startswith("palaver: There is no chat")
