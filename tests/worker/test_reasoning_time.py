"""How long a model reasoned: until other output begins, whenever the block is closed."""

from __future__ import annotations

from palaver.wire.messages import Reasoning, Usage
from palaverd.generation.answer import Answer
from palaverd.providers.neutral import BlockEnd, BlockStart, Completed, Delta
from palaverd.stream.episode import Episode
from support.clock import ManualClock


def thought_for(*, closed_early: bool) -> int | None:
    clock = ManualClock()
    answer = Answer(Episode("1.1"), clock, lambda: "call")
    answer.take(BlockStart(0, "reasoning"))
    answer.take(Delta(0, "hm"))
    clock.advance(3)
    if closed_early:
        answer.take(BlockEnd(0))
    answer.take(BlockStart(1, "text"))
    answer.take(Delta(1, "so"))
    clock.advance(60)
    if not closed_early:
        answer.take(BlockEnd(0))
    answer.take(BlockEnd(1))
    answer.take(Completed("stop", Usage()))
    reasoning = answer.parts()[0][0]
    assert isinstance(reasoning, Reasoning)
    return reasoning.duration_ms


def test_thinking_ends_where_the_text_begins() -> None:
    """llama.cpp closes the block of reasoning after the text."""
    assert thought_for(closed_early=True) == 3000
    assert thought_for(closed_early=False) == 3000
