"""Which tools a chat has: by its mode, its workspace, and what its client declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from palaver.wire.chats import ClientTool
from palaverd.providers.neutral import ToolSpec
from palaverd.store.rows import ChatRow
from palaverd.tools.failures import Misused
from palaverd.tools.tool import Actor, Asker, Tool

# Seconds that a client has for the result of its tool; then the call is cancelled.
CLIENT_TOOL_S = 300.0


class Unavailable(msgspec.Struct, frozen=True):
    """A tool that a call named in vain. `why` is a sentence for the model."""

    why: str


class Toolbox:
    """The tools of this daemon, in the order in which models are told of them."""

    def __init__(self, tools: Sequence[Tool] = ()) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def offered(self, row: ChatRow) -> list[ToolSpec]:
        """Return the tools that the chat's model is told of, always in the same order."""
        mine = [tool.told() for tool in self._tools.values() if why_not(tool, row) is None]
        theirs = [_client_spec(tool) for tool in row.client_tools if tool.name not in self._tools]
        return mine + theirs

    def find(self, name: str, row: ChatRow) -> Tool | Unavailable:
        """Return the tool that a call names, or why the chat does not have it."""
        if (tool := self._tools.get(name)) is not None:
            why = why_not(tool, row)
            return tool if why is None else Unavailable(why)
        for declared in row.client_tools:
            if declared.name == name:
                return _client_tool(declared)
        known = ", ".join(spec.name for spec in self.offered(row)) or "none at all"
        return Unavailable(f"There is no tool {name}. The tools of this chat: {known}.")


def why_not(tool: Tool, row: ChatRow) -> str | None:
    """Return why a chat does not have a tool; None if it does."""
    if isinstance(tool, Actor) and row.mode == "read-only":
        return f"This chat is read-only: {tool.name} would change something."
    if not isinstance(tool, Asker) and tool.needs_workspace and row.workspace_path is None:
        return f"This chat has no workspace, and so no files: {tool.name} needs one."
    return None


def _client_spec(tool: ClientTool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, tool.parameters)


def _client_tool(tool: ClientTool) -> Asker[dict[str, Any]]:
    def read(arguments: str) -> dict[str, Any]:
        try:
            return msgspec.json.decode(arguments.strip() or "{}", type=dict[str, Any])
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Misused(f"The arguments of {tool.name} are no JSON object: {error}.") from None

    return Asker(
        tool.name, lambda: _client_spec(tool), read, CLIENT_TOOL_S, exclusive=tool.exclusive
    )
