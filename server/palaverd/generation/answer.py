"""Collects the blocks of one answer, for the commit and for live output."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from palaver.clock import Clock
from palaver.wire.messages import Part, Reasoning, Text, ToolCall
from palaverd.providers.neutral import BlockEnd, BlockStart, Completed, Delta, ModelEvent
from palaverd.stream.episode import Block, Episode
from palaverd.stream.growing_text import GrowingText


class _Open(msgspec.Struct):
    """A block of the answer. Its text may be longer than what the episode keeps."""

    start: BlockStart
    call_id: str | None
    began: float
    said: GrowingText
    private: str | None = None
    duration_ms: int | None = None


class Answer:
    """The blocks of one model call. `take` receives the provider's events one by one.

    `episode` is a new one: the provider's numbers of blocks are those of the episode, too.
    """

    def __init__(self, episode: Episode, clock: Clock, new_call_id: Callable[[], str]) -> None:
        self._episode = episode
        self._clock = clock
        self._new_call_id = new_call_id
        self._blocks: list[_Open] = []
        self.completed: Completed | None = None

    def take(self, event: ModelEvent) -> None:
        """Add one event to the answer and to the episode."""
        if type(event) is Delta:
            self._blocks[event.block].said.append(event.text)
            self._episode.append(event.block, event.text)
        elif type(event) is BlockStart:
            if event.kind != "reasoning":
                self._end_reasoning()
            call_id = self._new_call_id() if event.kind == "tool_call" else None
            number = self._episode.open_block(event.kind, name=event.name, call_id=call_id)
            assert number == event.block == len(self._blocks)
            self._blocks.append(_Open(event, call_id, self._clock.monotonic(), GrowingText()))
        elif type(event) is BlockEnd:
            block = self._blocks[event.block]
            block.private = event.private
            self._time(block)
        elif type(event) is Completed:
            self.completed = event

    def _end_reasoning(self) -> None:
        """Stop reasoning's timer when another block begins: llama.cpp ends reasoning late."""
        for block in self._blocks:
            if block.start.kind == "reasoning":
                self._time(block)

    def _time(self, block: _Open) -> None:
        if block.duration_ms is None:
            block.duration_ms = int((self._clock.monotonic() - block.began) * 1000)

    def parts(self) -> tuple[list[Part], dict[str, str]]:
        """Return the parts of the whole answer, and the private data to return with each."""
        parts: list[Part] = []
        private: dict[str, str] = {}
        for block in self._blocks:
            part = _part(block, block.said.text)
            if part is None and block.private is None:
                continue
            if block.private is not None:
                private[str(len(parts))] = block.private
            parts.append(part if part is not None else Reasoning(text=""))
        return parts, private


def _part(block: _Open, text: str) -> Part | None:
    if block.start.kind == "tool_call":
        return ToolCall(id=block.call_id or "", name=block.start.name or "", arguments=text)
    if not text:
        return None
    if block.start.kind == "reasoning":
        return Reasoning(text=text, duration_ms=block.duration_ms)
    return Text(text)


def shown_parts(blocks: list[Block]) -> list[Part]:
    """Return live output as the parts of an interrupted answer.

    Tool calls are left out: their arguments may be incomplete.
    """
    parts: list[Part] = []
    for block in blocks:
        if not block.length:
            continue
        if block.kind == "text":
            parts.append(Text(block.text))
        elif block.kind == "reasoning":
            parts.append(Reasoning(text=block.text))
    return parts


def remark_on(completed: Completed, provider: str) -> str | None:
    """Return the notice for an answer that ended with an unknown finish word; None without one."""
    if completed.word is None:
        return None
    return (
        f'{provider} ended this answer with "{completed.word}", a word that is not known here.'
        " It may not be whole."
    )
