"""Convert a neutral request to arguments of `responses.create` and `chat.completions.create`."""

from __future__ import annotations

import base64
from typing import Any

from palaver.wire.messages import Picture, Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import Attachment, ModelRequest, ToolSpec, Turn
from palaverd.providers.private import OpenAIReasoning
from palaverd.providers.prompt import legal_id, parts_of, shown


def _in_turn(messages: list[dict[str, Any]], text_type: str = "text") -> list[dict[str, Any]]:
    """Merge neighbours with the same role, which chat templates of local models refuse.

    `text_type` is the type of a text among the parts of a message.

    They occur after an answer that failed, or was stopped before its first token.
    """
    joined: list[dict[str, Any]] = []
    for message in messages:
        last = joined[-1] if joined else {}
        if message.get("role") in ("user", "assistant") and message["role"] == last.get("role"):
            said = [one["content"] for one in (last, message) if one["content"]]
            joined[-1] = {**last, **message, "content": _joined(said, text_type)}
        else:
            joined.append(message)
    return joined


def _joined(contents: list[Any], text_type: str) -> Any:
    """Return texts as one; with a list of parts among them, as one list."""
    if all(isinstance(one, str) for one in contents):
        return "\n\n".join(contents) or None
    return [
        part
        for one in contents
        for part in (one if isinstance(one, list) else [{"type": text_type, "text": one}])
    ]


def _address(picture: Picture) -> str:
    """Return a picture as a URL that has its data (RFC 2397)."""
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


# --- Responses --------------------------------------------------------------------------------


def responses_arguments(request: ModelRequest) -> dict[str, Any]:
    """Return keyword arguments for `responses.create`. Nothing is stored at the provider."""
    result: dict[str, Any] = {
        "model": request.model,
        "input": _in_turn([item for turn in shown(request) for item in _items(turn)], "input_text"),
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
            case Attachment():
                items.append({"type": "message", "role": role, "content": [_attached(part)]})
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
                        "output": _output(part),
                    }
                )
            case _:  # private data of another provider, which this one refuses
                pass
    # Trailing reasoning items are refused; the output limit can leave them.
    while items and items[-1]["type"] == "reasoning":
        items.pop()
    return items


def _attached(attachment: Attachment) -> dict[str, Any]:
    if attachment.is_picture:
        return {"type": "input_image", "image_url": attachment.address}
    return {
        "type": "input_file",
        "filename": attachment.name,
        "file_data": attachment.address,
    }


def _output(result: ToolResult) -> str | list[dict[str, Any]]:
    if result.picture is None:
        return result.text
    text = [{"type": "input_text", "text": result.text}] if result.text else []
    return [*text, {"type": "input_image", "image_url": _address(result.picture)}]


# --- Chat Completions -------------------------------------------------------------------------


def chat_arguments(request: ModelRequest) -> dict[str, Any]:
    """Return keyword arguments for `chat.completions.create`.

    `max_tokens` is deprecated at OpenAI, but most compatible servers know only this name.
    """
    terms = request.terms
    messages: list[dict[str, Any]] = []
    if request.told:
        messages.append({"role": terms.system, "content": request.told})
    for turn in shown(request):
        messages.extend(_messages(turn))
    result: dict[str, Any] = {
        "model": request.model,
        "messages": _in_turn(_answered(messages) if terms.answered else messages),
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
    messages += _pictures([result.picture for result in results if result.picture is not None])
    if turn.role != "assistant":
        # Of files this protocol's servers know pictures only.
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": part.address}}
            for part in turn.parts
            if isinstance(part, Attachment) and part.is_picture
        ]
        if content:
            content += [{"type": "text", "text": text}] if text else []
            messages.append({"role": "user", "content": content})
        elif text:
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


def _pictures(pictures: list[Picture]) -> list[dict[str, Any]]:
    """Return the pictures of tool results as a user's message behind them: they have only text."""
    if not pictures:
        return []
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _address(one)}} for one in pictures
    ]
    one = len(pictures) == 1
    said = (
        "The picture of this result:" if one else "The pictures of these results, in their order:"
    )
    return [{"role": "user", "content": [{"type": "text", "text": said}, *parts]}]


def _answered(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages with an assistant's between a tool's and a user's."""
    result: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "user" and result and result[-1]["role"] == "tool":
            result.append({"role": "assistant", "content": "I have the results."})
        result.append(message)
    return result
