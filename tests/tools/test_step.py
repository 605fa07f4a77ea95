"""A step with tool calls: what the model is offered, and what it gets back."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from palaver.wire.chats import ChosenWorkspace, CreateChat
from palaver.wire.messages import ToolResult
from palaverd.config.types import ProviderKind
from support.clock import ManualClock
from support.daemon import running_pair
from support.scene import Scene

KINDS = get_args(ProviderKind)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_reads_a_file_of_the_workspace(kind: ProviderKind, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    clock = ManualClock()
    async with running_pair(clock=clock, kind=kind) as (daemon, client, simulator):
        sent = await client.create_chat(
            CreateChat(
                content='[[tool=read_file args={"path":"a.txt"}]] read',
                workspace=ChosenWorkspace(path=str(tmp_path)),
            )
        )
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await s.reaches("waiting")
        page = await client.messages(sent.chat.id)
        [result] = [
            part for m in page.messages for part in m.parts if isinstance(part, ToolResult)
        ]
        assert (result.text, result.is_error) == ("1\tone\n2\ttwo", False)
        assert len(simulator.requests) == 2
