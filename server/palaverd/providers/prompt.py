"""Rules about prompts that all protocols share."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from palaver.wire.messages import Part, Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import ModelRequest, ToolSpec, Turn
from palaverd.providers.private import Private, unseal

# Anthropic's rule for ids of tool calls, the strictest of the three; OpenAI accepts the length.
_ILLEGAL_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_ID = 64

# An answer gets at least this fraction (1/8) of the context; a prompt that leaves less is too long.
_LEAST_SHARE = 8
# Tokens for framing, roles and the error of the estimate.
_MARGIN = 64
_PER_TURN = 8


def legal_id(call_id: str) -> str:
    """Return a call's id in a form that every provider accepts. Deterministic."""
    return _ILLEGAL_IN_ID.sub("_", call_id)[:_MAX_ID] or "_"


def parts_of(turn: Turn) -> Iterator[tuple[Part, Private | None]]:
    """Yield the parts of a turn, each with its private data."""
    for index, part in enumerate(turn.parts):
        yield part, unseal(turn.private.get(str(index)))


def bounded(request: ModelRequest) -> int:
    """Return the output limit that fits behind the prompt, in tokens.

    The number of tokens of a prompt is not known before it is sent; the estimate is a little high.
    """
    terms = request.terms
    bounds = (request.max_output_tokens, terms.longest, terms.room)
    most = min(bound for bound in bounds if bound is not None)
    known = [limit for limit in (request.context_limit, terms.context) if limit is not None]
    if not known:
        return most
    room = min(known) - _estimate(request)
    return max(1, min(most, max(room, min(known) // _LEAST_SHARE)))


def _estimate(request: ModelRequest) -> int:
    texts = [request.told, *(_said(part) for turn in request.turns for part in turn.parts)]
    texts += [_json(tool) for tool in request.tools]
    tokens = sum(_tokens(text) for text in texts)
    return tokens + _MARGIN + _PER_TURN * len(request.turns)


def _json(tool: ToolSpec) -> str:
    return msgspec.json.encode(tool).decode()


def _tokens(text: str) -> int:
    """Return the estimated tokens: one for three ASCII characters (prose: four), 1.5 for others."""
    others = len(text) - len(text.encode("ascii", "ignore"))
    return (len(text) - others) // 3 + others * 3 // 2


def _said(part: Part) -> str:
    match part:
        case Text(text) | Reasoning(text) | ToolResult(text=text):
            return text
        case ToolCall(name=name, arguments=arguments):
            return name + arguments
        case _:
            return ""
