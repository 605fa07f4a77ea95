"""A chat with a workspace runs on the machine that has it, and says why it waits elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from palaver.client import Client, Refused
from palaver.wire.chats import Chat, ChosenWorkspace, CreateChat, Interrupt, SendMessage, Workspace
from palaver.wire.queue import ChangeChat
from palaverd.daemon import Daemon
from palaverd.store.check import violations
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import running_pair

ELSEWHERE = ChosenWorkspace(path="/src", host="elsewhere")


async def reaches(client: Client, chat_id: str, status: str, pending: str | None = None) -> Chat:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            chat = await client.chat(chat_id)
            if (chat.status, chat.pending) == (status, pending):
                return chat
            await asyncio.sleep(0.005)


async def sound(daemon: Daemon, chat_id: str) -> None:
    assert await daemon.database.read(lambda c: violations(c, chat_id)) == []


async def test_a_chat_waits_for_the_machine_with_its_files_and_runs_once_it_has_others_here(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] hi", workspace=ELSEWHERE))
        chat = await reaches(client, sent.chat.id, "pending", "wrong_host")
        assert chat.pending_since == clock.now()
        assert chat.workspace == Workspace(path="/src", host="elsewhere")
        here = ChosenWorkspace(path=str(tmp_path))
        changed = await client.change_chat(chat.id, ChangeChat(workspace=here))
        assert changed.workspace is not None
        assert changed.workspace.host not in (None, "elsewhere")
        await reaches(client, chat.id, "waiting")
        await sound(daemon, chat.id)


async def test_a_stop_is_carried_out_here_and_what_is_queued_then_waits_for_its_machine() -> None:
    async with running_pair() as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="one", workspace=ELSEWHERE))
        chat = await reaches(client, sent.chat.id, "pending", "wrong_host")
        await client.send(chat.id, SendMessage(content="two"))
        await client.interrupt(chat.id, Interrupt(turn_version=chat.versions.turn))
        await until(lambda: daemon.worker.running == 0)
        later = await reaches(client, chat.id, "pending", "wrong_host")
        assert later.queue_length == 0
        assert later.versions.turn > chat.versions.turn
        assert simulator.requests == []
        await sound(daemon, chat.id)


@pytest.mark.parametrize(
    ("path", "says"), [("src", "absolute"), ("/no/such/directory", "There is no directory")]
)
async def test_a_workspace_that_is_not_there_is_refused_with_its_field(
    path: str, says: str
) -> None:
    async with running_pair() as (_, client, _sim):
        with pytest.raises(Refused, match=says) as refused:
            await client.create_chat(CreateChat(content="hi", workspace=ChosenWorkspace(path=path)))
        assert refused.value.problem.field == "workspace.path"


async def test_a_mode_is_changed_alone_and_a_mode_that_is_none_is_refused() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] hi"))
        before = await reaches(client, sent.chat.id, "waiting")
        changed = await client.change_chat(sent.chat.id, ChangeChat(mode="full-auto"))
        assert changed.mode == "full-auto"
        assert (changed.title, changed.model) == (before.title, before.model)
        assert changed.versions.history == before.versions.history
        with pytest.raises(Refused, match="read-only") as refused:
            await client.change_chat(sent.chat.id, ChangeChat(mode="all"))  # type: ignore[arg-type]
        assert refused.value.problem.field == "mode"
        assert (await client.chat(sent.chat.id)).mode == "full-auto"
        await sound(daemon, sent.chat.id)
