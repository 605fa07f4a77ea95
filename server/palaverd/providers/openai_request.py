"""Convert a neutral request to arguments of `responses.create` and `chat.completions.create`."""

from __future__ import annotations

from typing import Any

from palaver.wire.messages import Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import ModelRequest, ToolSpec, Turn
from palaverd.providers.private import OpenAIReasoning
from palaverd.providers.prompt import legal_id, parts_of


def _in_turn(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge neighbours with the same role, which chat templates of local models refuse.

    They occur after an answer that failed, or was stopped before its first token.
    """
    joined: list[dict[str, Any]] = []
    for message in messages:
        last = joined[-1] if joined else {}
        if message.get("role") in ("user", "assistant") and message["role"] == last.get("role"):
            said = [one["content"] for one in (last, message) if one["content"]]
            joined[-1] = {**last, **message, "content": "\n\n".join(said) or None}
        else:
            joined.append(message)
    return joined


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


# --- Responses --------------------------------------------------------------------------------


def responses_arguments(request: ModelRequest) -> dict[str, Any]:
    """Return keyword arguments for `responses.create`. Nothing is stored at the provider."""
    result: dict[str, Any] = {
        "model": request.model,
        "input": _in_turn([item for turn in request.turns for item in _items(turn)]),
        "store": False,
        "stream": True,
    }
    if request.terms.limit != "none":
        result["max_output_tokens"] = request.max_output_tokens
    if request.told:
        result["instructions"] = request.told
    if request.tools:
        # Strict is this API's default; it requires that no parameter is optional.
        result["tools"] = [
            {"type": "function", **_function(tool), "strict": False} for tool in request.tools
        ]
    if request.reasoning is not None:
        result["reasoning"] = {"effort": request.reasoning, "summary": "auto"}
        result["include"] = ["reasoning.encrypted_content"]
    return result


def _items(turn: Turn) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    role = "assistant" if turn.role == "assistant" else "user"
    for part, private in parts_of(turn):
        match part:
            case Text(text) if text:
                # llama.cpp requires the type, OpenAI does not.
                items.append({"type": "message", "role": role, "content": text})
            case Reasoning(text) if isinstance(private, OpenAIReasoning):
                summary = [{"type": "summary_text", "text": text}] if text else []
                items.append(
                    {
                        "type": "reasoning",
                        "id": private.id,
                        "summary": summary,
                        "encrypted_content": private.encrypted,
                    }
                )
            case ToolCall(id=call_id, name=name, arguments=text):
                items.append(
                    {
                        "type": "function_call",
                        "call_id": legal_id(call_id),
                        "name": name,
                        "arguments": text or "{}",
                    }
                )
            case ToolResult(call_id=call_id):
                items.append(
                    {
                        "type": "function_call_output",
                        "call_id": legal_id(call_id),
                        "output": part.in_words,
                    }
                )
            case _:  # private data of another provider, which this one refuses
                pass
    # Trailing reasoning items are refused; the output limit can leave them.
    while items and items[-1]["type"] == "reasoning":
        items.pop()
    return items


# --- Chat Completions -------------------------------------------------------------------------


def chat_arguments(request: ModelRequest) -> dict[str, Any]:
    """Return keyword arguments for `chat.completions.create`.

    `max_tokens` is deprecated at OpenAI, but most compatible servers know only this name.
    """
    terms = request.terms
    messages: list[dict[str, Any]] = []
    if request.told:
        messages.append({"role": terms.system, "content": request.told})
    for turn in request.turns:
        messages.extend(_messages(turn))
    result: dict[str, Any] = {
        "model": request.model,
        "messages": _in_turn(messages),
        "stream": True,
    }
    if terms.limit != "none":
        result[terms.limit] = request.max_output_tokens
    if terms.usage:
        result["stream_options"] = {"include_usage": True}
    if request.tools:
        result["tools"] = [
            {"type": "function", "function": _function(tool)} for tool in request.tools
        ]
    if request.reasoning is not None:
        result["reasoning_effort"] = request.reasoning
    return result


def _messages(turn: Turn) -> list[dict[str, Any]]:
    text = "\n\n".join(part.text for part in turn.parts if isinstance(part, Text) and part.text)
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    messages: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": legal_id(result.call_id), "content": result.in_words}
        for result in results
    ]
    if turn.role != "assistant":
        if text:
            messages.append({"role": "user", "content": text})
        return messages
    calls = [
        {
            "id": legal_id(part.id),
            "type": "function",
            "function": {"name": part.name, "arguments": part.arguments or "{}"},
        }
        for part in turn.parts
        if isinstance(part, ToolCall)
    ]
    if text or calls:
        answer: dict[str, Any] = {"role": "assistant", "content": text or None}
        if calls:
            answer["tool_calls"] = calls
        messages.insert(0, answer)
    return messages
