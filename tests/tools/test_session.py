"""A session of several steps: each model call gets the results of the calls before."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from palaver.client import Client, Endpoint
from palaver.wire.chats import ChosenWorkspace, CreateChat
from palaver.wire.messages import Text, ToolResult
from palaverd.config.types import ProviderKind
from palaverd.simulator import Simulator
from palaverd.simulator.sessions import Called, Session, Step
from support.chats import reaches
from support.daemon import running_daemon, short_dir, simulator_config

FIX = Session(
    (
        Step(
            "Let me look.",
            (Called("read_file", {"path": "a.py"}), Called("read_file", {"path": "b.py"})),
        ),
        Step(
            calls=(
                Called(
                    "edit_files",
                    {"edits": [{"path": "a.py", "old_text": "x = 1", "new_text": "x = 2"}]},
                ),
                Called("read_file", {"path": "a.py"}),
            )
        ),
        Step("It is fixed."),
    )
)


@pytest.mark.parametrize("kind", get_args(ProviderKind))
async def test_a_model_reads_edits_and_ends(kind: ProviderKind, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    async with (
        short_dir() as data_dir,
        Simulator(rate=0, sessions={"fix": FIX}) as simulator,
        running_daemon(data_dir, simulator_config(simulator.url, kind)) as daemon,
        Client(Endpoint(socket=daemon.socket)) as client,
    ):
        sent = await client.create_chat(
            CreateChat(
                content="[[session=fix]] fix it",
                workspace=ChosenWorkspace(path=str(tmp_path)),
                mode="full-auto",
            )
        )
        await reaches(client, sent.chat.id, "waiting")
        page = await client.messages(sent.chat.id)
        parts = [part for message in reversed(page.messages) for part in message.parts]
        results = [part for part in parts if isinstance(part, ToolResult)]
        assert [(result.text, result.is_error) for result in results] == [
            ("1\tx = 1", False),
            ("There is no file b.py.", True),
            ("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n", False),
            ("1\tx = 2", False),
        ]
        texts = [part.text for part in parts if isinstance(part, Text)]
        assert texts == ["[[session=fix]] fix it", "Let me look.", "It is fixed."]
        assert (tmp_path / "a.py").read_text() == "x = 2\n"
        assert len(simulator.requests) == 3
