"""Convert a neutral request to the arguments of `messages.create`."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from palaver.wire.messages import Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import Attachment, ModelRequest, Turn
from palaverd.providers.private import AnthropicRedacted, AnthropicThinking
from palaverd.providers.prompt import legal_id, parts_of, shown

_CACHED = {"type": "ephemeral"}


def arguments(request: ModelRequest) -> dict[str, Any]:
    """Return keyword arguments for the SDK, which share nothing with `request`.

    Three places are marked for the prompt cache, of four that may be (docs.anthropic.com, prompt
    caching). The end of what stays the same for long: tools precede the system text, so that one
    mark covers both. The end of the prompt, with which the next one begins. And where the one
    before ended: a beginning is looked for in the twenty blocks before a mark, and the calls of one
    step may be more.
    """
    messages = _messages(shown(request))
    asked = [message for message in messages[:-1] if message["role"] == "user"]
    for marked in (*asked[-1:], *messages[-1:]):
        marked["content"][-1]["cache_control"] = _CACHED
    result: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "messages": messages,
        "stream": True,
    }
    texts: list[dict[str, Any]] = [
        {"type": "text", "text": text} for text in (request.system, request.facts) if text
    ]
    if texts:
        texts[0]["cache_control"] = _CACHED
        result["system"] = texts
    if request.tools:
        result["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    if request.reasoning is not None:
        result["thinking"] = {"type": "adaptive", "display": "summarized"}
        result["output_config"] = {"effort": request.reasoning}
    return result


def _messages(turns: list[Turn]) -> list[dict[str, Any]]:
    """Return messages with alternating roles: neighbours with the same role are merged."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        role = "assistant" if turn.role == "assistant" else "user"
        content = _content(turn)
        if not content:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"].extend(content)
        else:
            messages.append({"role": role, "content": content})
    return messages


def _content(turn: Turn) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for part, private in parts_of(turn):
        match part:
            case Text(text) if text.strip():  # an empty block is refused
                content.append({"type": "text", "text": text})
            case Attachment():
                content.append(_attached(part))
            case Reasoning(text) if isinstance(private, AnthropicThinking) and private.signature:
                content.append(
                    {"type": "thinking", "thinking": text, "signature": private.signature}
                )
            case Reasoning() if isinstance(private, AnthropicRedacted):
                content.append({"type": "redacted_thinking", "data": private.data})
            case ToolCall(id=call_id, name=name, arguments=text):
                content.append(
                    {
                        "type": "tool_use",
                        "id": legal_id(call_id),
                        "name": name,
                        "input": _object(text),
                    }
                )
            case ToolResult(call_id=call_id, is_error=is_error):
                content.append(
                    {
                        "type": "tool_result",
                        "tool_use_id": legal_id(call_id),
                        "content": _result(part),
                        "is_error": is_error,
                    }
                )
            case _:  # private data of another provider, which this one refuses
                pass
    while content and content[-1]["type"] in ("thinking", "redacted_thinking"):
        content.pop()  # a message must not end with it
    return content


def _attached(attachment: Attachment) -> dict[str, Any]:
    source = {
        "type": "base64",
        "media_type": attachment.media_type,
        "data": attachment.data,
    }
    if attachment.is_picture:
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": attachment.name}


def _result(result: ToolResult) -> str | list[dict[str, Any]]:
    picture = result.picture
    if picture is None:
        return result.text
    source = {
        "type": "base64",
        "media_type": picture.media_type,
        "data": base64.b64encode(picture.data).decode(),
    }
    content: list[dict[str, Any]] = [{"type": "image", "source": source}]
    if result.text.strip():  # an empty block is refused
        content.insert(0, {"type": "text", "text": result.text})
    return content


def _object(arguments_text: str) -> dict[str, Any]:
    """Return a call's arguments as an object, since the API accepts nothing else."""
    try:
        value = msgspec.json.decode(arguments_text or "{}")
    except msgspec.DecodeError:
        return {"unparsed": arguments_text}
    return value if isinstance(value, dict) else {"value": value}
