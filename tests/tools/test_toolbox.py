"""Which tools a chat has."""

from __future__ import annotations

from palaver.wire.chats import Mode
from palaverd.chatstate.states import State
from palaverd.store.rows import ChatRow
from palaverd.tools.built_in import BUILT_IN
from palaverd.tools.toolbox import Toolbox, Unavailable
from support.store import memory_store, plant


def row_with(mode: Mode, workspace: str | None = "/w") -> ChatRow:
    with memory_store() as connection:
        return plant(connection, State.R0, mode=mode, workspace_path=workspace)


def offered(mode: Mode, workspace: str | None = "/w") -> set[str]:
    return {spec.name for spec in Toolbox(BUILT_IN).offered(row_with(mode, workspace))}


def test_a_chat_that_only_reads_has_no_commands() -> None:
    assert "execute" in offered("full-auto")
    assert not offered("read-only") & {"execute", "process_signal", "write_file", "edit_files"}
    refused = Toolbox(BUILT_IN).find("execute", row_with("read-only"))
    assert refused == Unavailable("This chat is read-only: execute would change something.")


def test_a_chat_without_a_workspace_has_no_commands() -> None:
    assert not offered("full-auto", None) & {"execute", "process_output", "read_file"}
