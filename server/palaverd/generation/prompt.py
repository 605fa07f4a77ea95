"""Build the provider-neutral request from stored history, which it does not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from palaver.wire.chats import Mode
from palaver.wire.messages import File, Part, Text, ToolCall, ToolResult
from palaverd.generation.attachments import placeholder
from palaverd.generation.catalog import Chosen
from palaverd.generation.surroundings import Surroundings
from palaverd.providers.neutral import Attachment, ModelRequest, PromptPart, ToolSpec, Turn
from palaverd.store import codec
from palaverd.store.prompt import History, PromptMessage
from palaverd.store.rows import ChatRow

_AGENT_TEXT = (
    "You are a helpful assistant in a terminal. Answer in Markdown. "
    "Be direct: start with the answer, then the reasons. "
    "Where you have tools, look before you claim, and say what you changed."
)
_NO_WORKSPACE = (
    "This chat has no workspace: there are no files and no commands here. If the task needs some, "
    "say that the chat needs a workspace, which the person can give it."
)
_MODES: Final[Mapping[Mode, str]] = {
    "read-only": "The mode is read-only: you can look at things, and change nothing. If something "
    "is to be changed, say what; the person can set the mode to full-auto.",
    "full-auto": "The mode is full-auto: what you call is done at once, without a question. Do "
    "what was asked for, and nothing beyond it that cannot be undone.",
}
_UNKNOWN_RESULT = "The call gave no result."


def build_request(
    history: History,
    chosen: Chosen,
    tools: list[ToolSpec],
    around: Surroundings,
    files: Mapping[str, Text | Attachment],
) -> ModelRequest:
    """Return the request for the next model call of a chat; `files` are by `read_files`.

    Providers' prompt caches hold the longest common beginning, so what changes least is first. All
    of it is constant within a turn, as long as nobody changes the chat's settings.
    """
    system = [_AGENT_TEXT]
    if history.row.system_prompt:
        system.append(history.row.system_prompt)
    system += [f"Instructions from {one.path}:\n\n{one.text}" for one in around.instructions]
    return ModelRequest(
        model=chosen.config.model,
        called=chosen.name,
        system="\n\n".join(system),
        facts=_facts(history.row, around),
        turns=_turns(history.messages, files),
        max_output_tokens=chosen.config.max_output_tokens,
        reasoning=chosen.config.reasoning,
        context_limit=chosen.config.context_limit,
        terms=chosen.terms,
        tools=tools,
    )


def began_on(history: History) -> date:
    """Return the day (UTC) on which the current turn began.

    What was sent later and joined it does not count: the day must not change within a turn.
    """
    row = history.row
    began = [
        one.created_at
        for one in history.messages
        if one.role == "user" and one.revision <= row.turn_version
    ]
    return codec.from_ms(max(began, default=row.created_at)).date()


def _facts(row: ChatRow, around: Surroundings) -> str:
    facts = [f"Platform: {around.platform}", f"Date: {around.today.isoformat()} (UTC)"]
    if row.workspace_path is None:
        facts.append(_NO_WORKSPACE)
    else:
        facts.insert(1, f"Workspace: {row.workspace_path}")
        if around.branch is not None:
            facts.append(f"Git branch: {around.branch}")
    return "\n".join([*facts, _MODES[row.mode]])


def _turns(messages: Sequence[PromptMessage], files: Mapping[str, Text | Attachment]) -> list[Turn]:
    """Return the turns; close open tool calls and drop orphan results, which providers refuse."""
    turns: list[Turn] = []
    asked: dict[str, ToolCall] = {}
    for message in messages:
        if message.role == "tool":
            parts = _known_results(message.parts, asked)
            if parts:
                turns.append(Turn(role="tool", parts=parts))
            continue
        _close_calls(turns, asked)
        asked.update({part.id: part for part in message.parts if isinstance(part, ToolCall)})
        if message.role == "user":
            turns.append(Turn(role="user", parts=_with_files(message.parts, files)))
        elif message.role == "assistant" and message.parts:
            turns.append(Turn(role="assistant", parts=message.parts, private=message.private))
    _close_calls(turns, asked)
    return turns


def _with_files(parts: Sequence[Part], files: Mapping[str, Text | Attachment]) -> list[PromptPart]:
    """Return a user's parts; the files' contents come first, which models read best that way."""
    attached = [part for part in parts if isinstance(part, File)]
    contents: list[PromptPart] = [files.get(file.id) or placeholder(file) for file in attached]
    return contents + [part for part in parts if not isinstance(part, File)]


def _known_results(parts: Sequence[Part], asked: dict[str, ToolCall]) -> list[Part]:
    return [
        part
        for part in parts
        if isinstance(part, ToolResult) and asked.pop(part.call_id, None) is not None
    ]


def _close_calls(turns: list[Turn], asked: dict[str, ToolCall]) -> None:
    if asked:
        results: list[Part] = [
            ToolResult(call_id=call_id, text=_UNKNOWN_RESULT, is_error=True) for call_id in asked
        ]
        turns.append(Turn(role="tool", parts=results))
        asked.clear()
