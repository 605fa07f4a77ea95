"""Each prompt of a chat begins with the one before, byte for byte: providers' caches hold that."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from palaver.client import Client
from palaver.wire.chats import ChosenWorkspace, CreateChat, SendMessage
from palaver.wire.queue import ChangeChat
from palaverd.config.types import ProviderKind
from palaverd.simulator import Simulator
from support.clock import ManualClock
from support.daemon import running_pair
from support.scene import Scene

DAY_S = 86_400.0
READ = '[[tool=read_file calls=3 args={"path":"a.txt"}]]'


def pieces(body: Any) -> list[str]:
    """Return what a cache compares, in its order: tools, system text, then message by message."""
    body = json.loads(json.dumps(body))
    messages = body.get("messages") or body.get("input")
    system = body.get("system") or body.get("instructions")
    said = [json.dumps(body.get("tools"))]
    said += [text["text"] for text in system] if isinstance(system, list) else [str(system)]
    for message in messages:
        content = message.get("content")
        for block in content if isinstance(content, list) else [message]:
            block.pop("cache_control", None)
            said.append(json.dumps([message.get("role"), block]))
    return said


def marks(body: Any) -> list[Any]:
    """Return the blocks of an Anthropic request that are marked for the cache."""
    blocks = [*body["system"], *(one for m in body["messages"] for one in m["content"])]
    return [block for block in blocks if "cache_control" in block]


async def sends(s: Scene, client: Client, text: str) -> None:
    await client.send(s.chat_id, SendMessage(text))
    await s.reaches("waiting")


@pytest.mark.parametrize("kind", get_args(ProviderKind))
async def test_every_prompt_begins_with_the_one_before(kind: ProviderKind, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "AGENTS.md").write_text("Be brief.")
    clock = ManualClock()
    async with running_pair(clock=clock, kind=kind) as (daemon, client, simulator):
        workspace = ChosenWorkspace(path=str(tmp_path))
        new = CreateChat(content=f"{READ} one", workspace=workspace, system_prompt="In English.")
        sent = await client.create_chat(new)
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await s.reaches("waiting")
        await sends(s, client, f"{READ} two")
        (tmp_path / "AGENTS.md").write_text("Be long.")  # within the five minutes
        await sends(s, client, "three")
        asked = [pieces(request.body) for request in simulator.requests]
        assert len(asked) == 5
        for before, after in pairwise(asked):
            assert after[: len(before)] == before
            assert len(after) > len(before)
        system = "\n\n".join(asked[0][1:3]) if kind == "anthropic" else _system(simulator)
        places = [
            system.index(text)
            for text in (
                "You are",
                "In English.",
                f"Instructions from {tmp_path}/AGENTS.md:\n\nBe brief.",
                f"Workspace: {tmp_path}",
                "Date: 2025-01-01",
                "The mode is read-only",
            )
        ]
        assert places == sorted(places)


def _system(simulator: Simulator) -> str:
    body = simulator.requests[0].body
    return str(body.get("instructions") or body["messages"][0]["content"])


async def test_what_changes_comes_after_what_stays_and_at_most_four_places_are_marked(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        workspace = ChosenWorkspace(path=str(tmp_path))
        sent = await client.create_chat(CreateChat(content=f"{READ} one", workspace=workspace))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await s.reaches("waiting")
        clock.advance(DAY_S)
        async with Client(client.endpoint) as again:  # the other one's connection was idle
            s = Scene(daemon, again, simulator, clock, s.chat_id)
            await sends(s, again, "two")
            await again.change_chat(s.chat_id, ChangeChat(mode="full-auto"))
            await sends(s, again, "three")
        first, step, second, third = (request.body for request in simulator.requests)
        stays, facts = (text["text"] for text in first["system"])
        assert step["system"] == first["system"]
        assert [body["system"][0]["text"] for body in (second, third)] == [stays, stays]
        assert second["system"][1]["text"] == facts.replace("2025-01-01", "2025-01-02")
        assert "The mode is full-auto" in third["system"][1]["text"]
        assert {tool["name"] for tool in third["tools"]} > {tool["name"] for tool in first["tools"]}
        # The end of what stays, the end of the request before, and the end.
        assert marks(first) == [first["system"][0], first["messages"][0]["content"][-1]]
        assert marks(step) == [
            step["system"][0],
            step["messages"][0]["content"][-1],
            step["messages"][2]["content"][-1],
        ]
        assert all(len(marks(body)) <= 4 for body in (second, third))


async def test_without_a_workspace_the_model_is_told_what_that_means() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="one"))
        await Scene(daemon, client, simulator, clock, sent.chat.id).reaches("waiting")
        facts = simulator.requests[0].body["system"][1]["text"]
        assert "no workspace" in facts
        assert "Git branch" not in facts
