"""Build the provider-neutral request from stored history, which it does not change."""

from __future__ import annotations

from collections.abc import Sequence

from palaver.wire.messages import Part, ToolCall, ToolResult
from palaverd.generation.catalog import Chosen
from palaverd.providers.neutral import ModelRequest, ToolSpec, Turn
from palaverd.store.prompt import History, PromptMessage

_AGENT_TEXT = (
    "You are a helpful assistant in a terminal. Answer in Markdown. "
    "Be direct: start with the answer, then the reasons."
)
_UNKNOWN_RESULT = "The call gave no result."


def build_request(history: History, chosen: Chosen, tools: list[ToolSpec]) -> ModelRequest:
    """Return the request for the next model call of a chat.

    The system text is constant within a turn, so that providers' prompt caches hit.
    """
    system = [_AGENT_TEXT]
    if history.row.system_prompt:
        system.append(history.row.system_prompt)
    return ModelRequest(
        model=chosen.config.model,
        called=chosen.name,
        system="\n\n".join(system),
        turns=_turns(history.messages),
        max_output_tokens=chosen.config.max_output_tokens,
        reasoning=chosen.config.reasoning,
        context_limit=chosen.config.context_limit,
        terms=chosen.terms,
        tools=tools,
    )


def _turns(messages: Sequence[PromptMessage]) -> list[Turn]:
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
            turns.append(Turn(role="user", parts=message.parts))
        elif message.role == "assistant" and message.parts:
            turns.append(Turn(role="assistant", parts=message.parts, private=message.private))
    _close_calls(turns, asked)
    return turns


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
