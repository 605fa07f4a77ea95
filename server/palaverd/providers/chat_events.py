"""The event stream of OpenAI's Chat Completions, as everything compatible speaks it.

It ends with a chunk that has a `finish_reason`, then perhaps one with the usage, then `[DONE]`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from palaver.wire.messages import Finish, Usage
from palaverd.providers.errors import FilteredError, StreamEndedError, StreamFailedError
from palaverd.providers.neutral import BlockEnd, BlockStart, Completed, Delta, ModelEvent
from palaverd.providers.responses_events import InputDetails, OutputDetails, WireUsage, usage_of
from palaverd.providers.sse import ServerEvent

FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}

# --- wire -------------------------------------------------------------------------------------


class Function(msgspec.Struct):
    """A function's name, and a piece of its arguments."""

    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A piece of a tool call."""

    index: int = 0
    id: str | None = None
    function: Function | None = None


class ChoiceDelta(msgspec.Struct):
    """What is new. Reasoning has two names: one of vLLM and DeepSeek, one of OpenRouter, Ollama."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class Choice(msgspec.Struct):
    """One answer; we ask for one."""

    index: int = 0
    delta: ChoiceDelta | None = None
    finish_reason: str | None = None


class ChunkUsage(msgspec.Struct):
    """Counts, by this protocol's names."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None


class Chunk(msgspec.Struct):
    """One event. An error comes without choices."""

    choices: list[Choice] = []
    model: str | None = None
    usage: ChunkUsage | None = None
    error: Any = None
    object: str | None = None
    message: Any = None
    code: Any = None
    type: Any = None


_DECODE = msgspec.json.Decoder(Chunk).decode
_DONE = b"[DONE]"

# --- dialect ----------------------------------------------------------------------------------


class ChatDialect:
    """Reads one stream. A block ends when another begins: the protocol has no word for it."""

    def __init__(self) -> None:
        self.completed: Completed | None = None
        self._model: str | None = None
        self._usage = Usage()
        self._finish: str | None = None
        self._kind: Literal["text", "reasoning"] | None = None  # of the open block
        self._block = -1
        self._count = 0
        self._calls: dict[int, tuple[int, str | None]] = {}  # index -> (block, id)
        self._called = False

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append what `event` means; see `Dialect.decode`."""
        if event.data == _DONE:
            self._complete()
            return True
        chunk = _DECODE(event.data)
        for choice in chunk.choices:
            if choice.index == 0:
                self._choice(choice, out)
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)
        if chunk.model is not None:
            self._model = chunk.model
        if chunk.error is not None:
            raise StreamFailedError({"error": chunk.error})
        if chunk.object == "error":  # older vLLM
            raise StreamFailedError(
                {"type": chunk.type, "code": chunk.code, "message": chunk.message}
            )
        return True

    def _choice(self, choice: Choice, out: list[ModelEvent]) -> None:
        delta = choice.delta
        if delta is not None:
            if thought := delta.reasoning_content or delta.reasoning:
                self._grow("reasoning", thought, out)
            if text := delta.content or delta.refusal:
                self._grow("text", text, out)
            for call in delta.tool_calls or ():
                self._call(call, out)
        if choice.finish_reason:
            self._finish = choice.finish_reason
            self._end_all(out)

    def _grow(self, kind: Literal["text", "reasoning"], text: str, out: list[ModelEvent]) -> None:
        if self._kind != kind:
            self._end_open(out)
            self._kind, self._block = kind, self._count
            self._count += 1
            out.append(BlockStart(self._block, kind))
        out.append(Delta(self._block, text))

    def _call(self, call: Call, out: list[ModelEvent]) -> None:
        function = call.function or Function()
        known = self._calls.get(call.index)
        # Some servers give every call the index 0, each with an id of its own.
        if known is None or (call.id and known[1] and call.id != known[1]):
            self._end_open(out)
            if known is not None:
                out.append(BlockEnd(known[0]))
            known = (self._count, call.id)
            self._calls[call.index] = known
            self._count += 1
            self._called = True
            out.append(BlockStart(known[0], "tool_call", function.name, call.id))
        if function.arguments:
            out.append(Delta(known[0], function.arguments))

    def _end_open(self, out: list[ModelEvent]) -> None:
        if self._kind is not None:
            self._kind = None
            out.append(BlockEnd(self._block))

    def _end_all(self, out: list[ModelEvent]) -> None:
        self._end_open(out)
        out.extend(BlockEnd(block) for block, _ in self._calls.values())
        self._calls.clear()

    def _complete(self) -> None:
        if self._finish is None:
            raise StreamEndedError  # the marker alone does not make an answer whole
        finish = FINISHES.get(self._finish, "stop")
        if finish == "content_filter" and not self._count:
            raise FilteredError
        if finish == "stop" and self._called:
            finish = "tool_calls"
        self.completed = Completed(finish, self._usage, self._model)


def _usage(usage: ChunkUsage) -> Usage:
    return usage_of(
        WireUsage(
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.prompt_tokens_details,
            usage.completion_tokens_details,
        )
    )
