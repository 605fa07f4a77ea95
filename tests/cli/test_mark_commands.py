"""Labels, pins, unread chats and the filters of the list, as processes against a real daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web

from cli.test_commands import palaver as run_palaver
from cli.test_commands import server as server
from cli.test_commands_with_daemon import Shell
from client.protocol_server import INFO, Handler, ProtocolServer, answer, refusal
from palaver.cli.ls import row
from palaver.wire.chats import ChatPage
from palaver.wire.protocol import CHAT_MARKS, STEERING
from palaverd.chatstate.states import State
from palaverd.daemon import Daemon
from support.chats import plant_member
from support.daemon import running_pair
from tui.replay import chat

pytestmark = pytest.mark.process


@pytest.fixture
async def palaver() -> AsyncIterator[Shell]:
    async with running_pair(rate=400) as (daemon, client, _):
        shell = Shell(client)
        await plant_family(daemon)
        yield shell


async def plant_family(daemon: Daemon) -> None:
    """Insert the chats a, with the child b, and c, which has failed."""

    def plant(connection):  # type: ignore[no-untyped-def]
        plant_member(connection, State.W, "a", root="a")
        plant_member(connection, State.W, "b", "a")
        plant_member(connection, State.E0, "c", root="c")

    await daemon.database.write(plant)


async def ids(palaver: Shell, *options: str) -> list[str]:
    return [chat["id"] for chat in await palaver.lines("ls", *options)]


async def test_chats_are_labelled_pinned_and_found_by_it(palaver: Shell) -> None:
    said = await palaver("label", "a", "urgent", "team=docs")
    assert said.err == "Labels of “t”: team=docs, urgent.\n"
    await palaver("label", "c", "team=infra")
    assert (await palaver("label", "a")).out == "team=docs\nurgent\n"
    assert set(await ids(palaver, "--label", "team")) == {"a", "c"}
    assert await ids(palaver, "--label", "team=docs", "-l", "urgent") == ["a"]
    assert "[team=docs urgent]" in (await palaver("ls", "--label", "urgent")).out
    assert await ids(palaver, "--status", "failed") == ["c"]
    assert set(await ids(palaver, "-s", "idle", "-s", "error")) == {"a", "b", "c"}
    assert await ids(palaver, "--parent", "a") == ["b"]
    await palaver("label", "a", "--remove", "urgent", "team=qa")
    assert (await palaver("label", "a")).out == "team=qa\n"
    pinned = await palaver("pin", "b", "a")
    assert pinned.err == "Pinned “t” at place 1.\nPinned “t” at place 2.\n"
    assert await ids(palaver) == ["b", "a", "c"]
    assert (await palaver("pin", "c", "--place", "2")).err == "Pinned “t” at place 2.\n"
    assert (await palaver("unpin", "b")).err == "“t” is not pinned any more.\n"
    assert await ids(palaver) == ["c", "a", "b"]


async def test_what_a_terminal_has_shown_is_read_and_what_went_into_a_pipe_is_not(
    palaver: Shell,
) -> None:
    piped = (await palaver.lines("run", "[[echo]] one"))[-1]["chat_id"]
    await palaver("show", piped)
    await palaver.at_a_terminal("run", "[[echo]] two")
    assert await ids(palaver, "--unread") == [piped]
    assert (await palaver("ls")).out.count(" *  ") == 1
    await palaver.at_a_terminal("show", piped)
    assert await ids(palaver, "--unread") == []
    again = [(await palaver.lines("run", "[[echo]] x"))[-1]["chat_id"] for _ in range(2)]
    assert (await palaver("read", again[0])).err == "“x” is read.\n"
    assert (await palaver("read", "--all")).err == "1 chat is read.\n"
    assert (await palaver("read", "--all")).err == "Nothing was unread.\n"
    assert "--all" in (await palaver("read", code=2)).err


async def test_an_answer_at_a_terminal_leaves_what_nobody_has_seen_unread(palaver: Shell) -> None:
    unseen = (await palaver.lines("run", "[[echo]] one"))[-1]["chat_id"]
    seen = (await palaver.lines("run", "[[echo]] two"))[-1]["chat_id"]
    await palaver("read", seen)
    for chat_id in (unseen, seen):
        await palaver.at_a_terminal("run", "[[echo]] more", "--chat", chat_id)
    assert await ids(palaver, "--unread") == [unseen]


async def test_an_older_daemon_which_would_list_all_chats_is_not_asked(
    server: ProtocolServer,
) -> None:
    older = [name for name in INFO.capabilities if name not in {CHAT_MARKS, STEERING}]

    async def info(_: web.Request) -> web.Response:
        return answer(msgspec.structs.replace(INFO, capabilities=older))

    server.routes["GET", "/api/v1/info"] = info
    for command in (("ls", "--unread"), ("ls", "--label", "x"), ("read", "--all")):
        ended = await run_palaver(server, *command)
        assert (ended.code, ended.out) == (1, "")
        assert "knows no labels" in ended.err
    ended = await run_palaver(server, "send", "c1", "x", "--steer")
    assert (ended.code, ended.out) == (1, "")
    assert "has no messages that steer" in ended.err


@pytest.mark.parametrize(("gone", "said"), [({"b"}, "2 chats are read."), ({"a", "b", "c"}, "")])
async def test_chats_that_are_deleted_while_all_are_marked_as_read_do_not_stop_it(
    server: ProtocolServer, gone: set[str], said: str
) -> None:
    marked: list[str] = []

    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat(name, f"Chat {name}", unread=True) for name in "abc"]))

    def reads(name: str) -> Handler:
        async def read(_: web.Request) -> web.Response:
            if name in gone:
                return refusal(404, "chat_not_found", "There is no such chat.")
            marked.append(name)
            return answer(chat(name, name))

        return read

    server.routes["GET", "/api/v1/chats"] = chats
    for name in "abc":
        server.routes["POST", f"/api/v1/chats/{name}/read"] = reads(name)
    ended = await run_palaver(server, "read", "--all")
    refused = [f"palaver: “Chat {name}”: There is no such chat." for name in sorted(gone)]
    assert ended.err.splitlines() == [*refused, *([said] if said else [])]
    assert ended.code == 1
    assert marked == sorted({"a", "b", "c"} - gone)


async def test_marking_all_as_read_stops_where_each_would_be_refused(
    server: ProtocolServer,
) -> None:
    async def chats(_: web.Request) -> web.Response:
        return answer(ChatPage([chat(name, f"Chat {name}", unread=True) for name in "abc"]))

    async def read(_: web.Request) -> web.Response:
        return refusal(403, "forbidden", "This token cannot change chats.")

    server.routes["GET", "/api/v1/chats"] = chats
    server.routes["POST", "/api/v1/chats/a/read"] = read
    ended = await run_palaver(server, "read", "--all")
    assert (ended.code, ended.err) == (1, "palaver: This token cannot change chats.\n")


def test_a_line_shows_marks_and_labels() -> None:
    plain = row(chat("c1", "A title"))
    assert plain.startswith("c1    idle")
    assert plain.endswith("  A title")
    marked = row(chat("c1", "A title", unread=True, pin_order=0, labels={"b": "1", "a": ""}))
    assert marked.startswith("c1 *^ idle")
    assert marked.endswith("  A title  [a b=1]")
