"""Rules about prompts that the protocols share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from palaver.wire.messages import Part
from palaverd.providers.neutral import Turn
from palaverd.providers.private import Private, unseal

# Anthropic's rule for ids of tool calls, the strictest of the three; also a length that OpenAI
# takes.
_ILLEGAL_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_ID = 64


def legal_id(call_id: str) -> str:
    """Return a call's id as every provider accepts it. The same id gives the same result."""
    return _ILLEGAL_IN_ID.sub("_", call_id)[:_MAX_ID] or "_"


def parts_of(turn: Turn) -> Iterator[tuple[Part, Private | None]]:
    """Yield the parts of a turn, each with what its provider wants back."""
    for index, part in enumerate(turn.parts):
        yield part, unseal(turn.private.get(str(index)))
