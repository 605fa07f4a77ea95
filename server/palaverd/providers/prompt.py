"""Rules about prompts that all protocols share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from palaver.wire.messages import Reasoning, Text, ToolCall, ToolResult
from palaverd.providers.neutral import Attachment, ModelRequest, PromptPart, ToolSpec, Turn
from palaverd.providers.private import Private, unseal

# Anthropic's rule for ids of tool calls, the strictest of the three; OpenAI accepts the length.
_ILLEGAL_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_ID = 64

# An answer gets at least this fraction (1/8) of the context; a prompt that leaves less is too long.
_LEAST_SHARE = 8
# Tokens for framing, roles and the error of the estimate.
_MARGIN = 64
_PER_TURN = 8


# Pictures in one request; older ones are words. Anthropic takes sides of at most 2,000 pixels where
# there are more (docs.anthropic.com, vision), and twenty of the largest are 27 of its 32 MB.
MOST_PICTURES = 20
# So many older ones become words at once: the beginning of the prompt changes, and with it what a
# provider's cache holds of it.
_PICTURES_TOGETHER = 10
# Tokens, of the largest size that Anthropic does not scale (docs.anthropic.com, vision).
_PICTURE_TOKENS = 1600


def legal_id(call_id: str) -> str:
    """Return a call's id in a form that every provider accepts. Deterministic."""
    return _ILLEGAL_IN_ID.sub("_", call_id)[:_MAX_ID] or "_"


def parts_of(turn: Turn) -> Iterator[tuple[PromptPart, Private | None]]:
    """Yield the parts of a turn, each with its private data."""
    for index, part in enumerate(turn.parts):
        yield part, unseal(turn.private.get(str(index)))


def shown(request: ModelRequest) -> list[Turn]:
    """Return the turns with the pictures that the model is shown: the newest ones, or none."""
    count = sum(_has_picture(part) for turn in request.turns for part in turn.parts)
    if not count:
        return request.turns
    hidden = count if not request.terms.pictures else 0
    while count - hidden > MOST_PICTURES:
        hidden += _PICTURES_TOGETHER
    turns = []
    for turn in request.turns:
        pictures = sum(map(_has_picture, turn.parts))
        if pictures and hidden > 0:
            parts, hidden = _in_words(turn.parts, hidden)
            turn = msgspec.structs.replace(turn, parts=parts)
        turns.append(turn)
    return turns


def _has_picture(part: PromptPart) -> bool:
    if isinstance(part, Attachment):
        return part.is_picture
    return isinstance(part, ToolResult) and part.picture is not None


def _in_words(parts: Sequence[PromptPart], hidden: int) -> tuple[list[PromptPart], int]:
    """Return parts whose first `hidden` pictures are words, and how many are left to hide."""
    result: list[PromptPart] = []
    for part in parts:
        if isinstance(part, Attachment) and part.is_picture and hidden:
            part = Text(f"[The picture {part.name} is not shown to you.]")
            hidden -= 1
        elif isinstance(part, ToolResult) and part.picture is not None and hidden:
            part = msgspec.structs.replace(part, text=part.in_words, picture=None)
            hidden -= 1
        result.append(part)
    return result, hidden


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
    turns = shown(request)
    texts = [request.told, *(_said(part) for turn in turns for part in turn.parts)]
    texts += [_json(tool) for tool in request.tools]
    tokens = sum(_tokens(text) for text in texts)
    tokens += _PICTURE_TOKENS * sum(_has_picture(part) for turn in turns for part in turn.parts)
    return tokens + _MARGIN + _PER_TURN * len(request.turns)


def _json(tool: ToolSpec) -> str:
    return msgspec.json.encode(tool).decode()


def _tokens(text: str) -> int:
    """Return the estimated tokens: one for three ASCII characters (prose: four), 1.5 for others."""
    others = len(text) - len(text.encode("ascii", "ignore"))
    return (len(text) - others) // 3 + others * 3 // 2


def _said(part: PromptPart) -> str:
    match part:
        case Text(text) | Reasoning(text) | ToolResult(text=text):
            return text
        case ToolCall(name=name, arguments=arguments):
            return name + arguments
        case _:
            return ""
