"""The event stream of Anthropic's Messages interface (platform.claude.com/docs, "Streaming").

Events and deltas that are not listed are ignored, as the interface's versioning asks of clients.
"""

from __future__ import annotations

from typing import Any

import msgspec

from palaver.wire.messages import Finish, Usage
from palaverd.providers.errors import (
    FilteredError,
    MalformedEventError,
    StreamFailedError,
    WindowExceededError,
)
from palaverd.providers.loose import LooseDelta, loose
from palaverd.providers.neutral import BlockEnd, BlockStart, Completed, Delta, ModelEvent
from palaverd.providers.private import AnthropicRedacted, AnthropicThinking, seal
from palaverd.providers.sse import ServerEvent

FINISHES: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}

# --- wire -------------------------------------------------------------------------------------


class OutputDetails(msgspec.Struct):
    """How the output tokens divide."""

    thinking_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """Counts so far; a later event overrides an earlier one, field by field."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class StartedMessage(msgspec.Struct):
    """The message as it begins: without content."""

    model: str | None = None
    usage: WireUsage | None = None


class Block(msgspec.Struct):
    """A content block as it begins, of any type."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str | None = None
    name: str | None = None


class TextDelta(msgspec.Struct, tag="text_delta"):
    """Text."""

    text: str


class InputDelta(msgspec.Struct, tag="input_json_delta"):
    """A piece of a tool call's arguments."""

    partial_json: str


class ThinkingDelta(msgspec.Struct, tag="thinking_delta"):
    """Thinking, as far as it is shown."""

    thinking: str


class SignatureDelta(msgspec.Struct, tag="signature_delta"):
    """The signature of a thinking block."""

    signature: str


class StopDelta(msgspec.Struct):
    """Why the message ends."""

    stop_reason: str | None = None


class MessageStart(msgspec.Struct, tag="message_start"):
    """First event."""

    message: StartedMessage


class ContentBlockStart(msgspec.Struct, tag="content_block_start"):
    """A block begins."""

    index: int
    content_block: Block


class ContentBlockDelta(msgspec.Struct, tag="content_block_delta"):
    """A block grows."""

    index: int
    delta: TextDelta | InputDelta | ThinkingDelta | SignatureDelta


class ContentBlockStop(msgspec.Struct, tag="content_block_stop"):
    """A block is whole."""

    index: int


class MessageDelta(msgspec.Struct, tag="message_delta"):
    """Stop reason and counts."""

    delta: StopDelta
    usage: WireUsage | None = None


class MessageStop(msgspec.Struct, tag="message_stop"):
    """The terminal event."""


class Ping(msgspec.Struct, tag="ping"):
    """Nothing new."""


class ErrorEvent(msgspec.Struct, tag="error"):
    """The answer failed, with status 200 long gone out."""

    error: Any = None
    request_id: str | None = None


WireEvent = (
    ContentBlockDelta
    | MessageStart
    | ContentBlockStart
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
)
_KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)
_KNOWN_DELTAS = frozenset({"text_delta", "input_json_delta", "thinking_delta", "signature_delta"})


_DECODE = msgspec.json.Decoder(WireEvent).decode

# --- dialect ----------------------------------------------------------------------------------


class _Open(msgspec.Struct):
    """A block that was begun: its neutral number, and what it wants kept."""

    block: int
    signature: str = ""
    redacted: str = ""


class AnthropicDialect:
    """Reads one stream. Blocks of unknown types are skipped whole, with their deltas."""

    def __init__(self) -> None:
        self.completed: Completed | None = None
        self._model: str | None = None
        self._usage = WireUsage()
        self._stop: str | None = None
        self._blocks: dict[int, _Open | None] = {}
        self._ended: set[int] = set()
        self._count = 0

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append what `event` means; see `Dialect.decode`."""
        try:
            wire = _DECODE(event.data)
        except msgspec.ValidationError as error:
            return _other(event.data, error)
        if type(wire) is ContentBlockDelta:  # nine of ten events
            self._delta(wire, out)
        elif type(wire) is Ping:
            return False
        elif type(wire) is ContentBlockStart:
            self._start(wire, out)
        elif type(wire) is ContentBlockStop:
            self._stop_block(wire.index, out)
        elif type(wire) is MessageStart:
            self._model = wire.message.model
            self._count_usage(wire.message.usage)
        elif type(wire) is MessageDelta:
            self._stop = wire.delta.stop_reason or self._stop
            self._count_usage(wire.usage)
        elif type(wire) is MessageStop:
            self._complete()
        elif type(wire) is ErrorEvent:
            raise StreamFailedError({"error": wire.error, "request_id": wire.request_id})
        return True

    def _delta(self, wire: ContentBlockDelta, out: list[ModelEvent]) -> None:
        index, delta = wire.index, wire.delta
        if index not in self._blocks or index in self._ended:
            raise MalformedEventError(f"a delta for block {index}, which is not open")
        opened = self._blocks[index]
        if opened is None:
            return
        if type(delta) is TextDelta:
            text = delta.text
        elif type(delta) is InputDelta:
            text = delta.partial_json
        elif type(delta) is ThinkingDelta:
            text = delta.thinking
        else:
            assert type(delta) is SignatureDelta
            opened.signature += delta.signature
            return
        if text:
            out.append(Delta(opened.block, text))

    def _start(self, wire: ContentBlockStart, out: list[ModelEvent]) -> None:
        if wire.index in self._blocks:
            return  # delivered twice
        block = wire.content_block
        opened = _Open(self._count, block.signature, block.data)
        text = block.text
        if block.type == "text":
            out.append(BlockStart(opened.block, "text"))
        elif block.type in ("thinking", "redacted_thinking"):
            out.append(BlockStart(opened.block, "reasoning"))
            text = block.thinking
        elif block.type == "tool_use":
            out.append(BlockStart(opened.block, "tool_call", block.name, block.id))
        else:
            self._blocks[wire.index] = None
            return
        self._count += 1
        self._blocks[wire.index] = opened
        if text:
            out.append(Delta(opened.block, text))

    def _stop_block(self, index: int, out: list[ModelEvent]) -> None:
        if index not in self._blocks:
            raise MalformedEventError(f"the end of block {index}, which never began")
        opened = self._blocks[index]
        if index in self._ended or opened is None:
            return
        self._ended.add(index)
        private = None
        if opened.redacted:
            private = seal(AnthropicRedacted(opened.redacted))
        elif opened.signature:
            private = seal(AnthropicThinking(opened.signature))
        out.append(BlockEnd(opened.block, private))

    def _count_usage(self, usage: WireUsage | None) -> None:
        if usage is None:
            return
        for field in usage.__struct_fields__:
            value = getattr(usage, field)
            if value is not None:
                setattr(self._usage, field, value)

    def _complete(self) -> None:
        if not self._count and self._stop == "refusal":
            raise FilteredError
        if not self._count and self._stop == "model_context_window_exceeded":
            raise WindowExceededError
        usage, details = self._usage, self._usage.output_tokens_details
        self.completed = Completed(
            finish=FINISHES.get(self._stop or "", "stop"),
            usage=Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                reasoning_tokens=details.thinking_tokens if details else None,
                cache_write_tokens=usage.cache_creation_input_tokens,
                cache_read_tokens=usage.cache_read_input_tokens,
            ),
            model=self._model,
        )


def _other(data: bytes, error: msgspec.ValidationError) -> bool:
    """Judge an event that is none of the types above."""
    event = loose(data)
    if event.type == "content_block_delta":
        known = not isinstance(event.delta, LooseDelta) or event.delta.type in _KNOWN_DELTAS
    else:
        known = event.type in _KNOWN or not event.type
    if event.error is not None:
        raise StreamFailedError({"error": event.error}) from error
    if known:
        raise MalformedEventError(str(error)) from error
    return True
