"""Rules about prompts that the protocols share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from palaver.wire.messages import Part, Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import ModelRequest, Turn
from palaverd.providers.private import Private, unseal

# Anthropic's rule for ids of tool calls, the strictest of the three; also a length that OpenAI
# takes.
_ILLEGAL_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_ID = 64

# Of a full context, an answer is left so much; a prompt that leaves less is too long by itself.
_LEAST_SHARE = 8
# What frames, roles and the estimate's error take, in tokens.
_MARGIN = 64
_PER_TURN = 8


def legal_id(call_id: str) -> str:
    """Return a call's id as every provider accepts it. The same id gives the same result."""
    return _ILLEGAL_IN_ID.sub("_", call_id)[:_MAX_ID] or "_"


def parts_of(turn: Turn) -> Iterator[tuple[Part, Private | None]]:
    """Yield the parts of a turn, each with what its provider wants back."""
    for index, part in enumerate(turn.parts):
        yield part, unseal(turn.private.get(str(index)))


def bounded(request: ModelRequest) -> int:
    """Return the most tokens that the answer may have, so that it fits behind its prompt.

    Nobody knows how many tokens a prompt has before it is sent: it is taken for a little more.
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
    texts = [request.system, *(_said(part) for turn in request.turns for part in turn.parts)]
    tokens = sum(_tokens(text) for text in texts)
    return tokens + _MARGIN + _PER_TURN * len(request.turns)


def _tokens(text: str) -> int:
    """Three letters of ASCII make a token (four in English prose), others up to one and a half."""
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
