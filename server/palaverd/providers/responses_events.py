"""The event stream of OpenAI's Responses interface (developers.openai.com, "Streaming").

Terminal events: `response.completed`, `response.incomplete`, `response.failed`, and `error`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from palaver.wire.messages import Finish, Usage
from palaverd.providers.errors import FilteredError, MalformedEventError, StreamFailedError
from palaverd.providers.loose import loose
from palaverd.providers.neutral import BlockEnd, BlockStart, Completed, Delta, ModelEvent
from palaverd.providers.private import OpenAIReasoning, seal
from palaverd.providers.sse import ServerEvent

_INCOMPLETE: dict[str, Finish] = {"content_filter": "content_filter"}

# --- wire -------------------------------------------------------------------------------------


class InputDetails(msgspec.Struct):
    """Parts of the input tokens."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(msgspec.Struct):
    """Parts of the output tokens."""

    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """Counts; the input's include what the cache gave."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class Item(msgspec.Struct):
    """An output item of any type."""

    type: str
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    encrypted_content: str | None = None


class IncompleteDetails(msgspec.Struct):
    """Why an answer is not complete."""

    reason: str | None = None


class WireResponse(msgspec.Struct):
    """The response as an event carries it."""

    model: str | None = None
    usage: WireUsage | None = None
    error: Any = None
    incomplete_details: IncompleteDetails | None = None


class Numbered(msgspec.Struct, kw_only=True):
    """Every event has a number, which tells a repeated one from a new one."""

    sequence_number: int | None = None


class Grown(Numbered):
    """Something of an item grew."""

    output_index: int = 0
    content_index: int = 0
    delta: str = ""


class TextDelta(Grown, tag="response.output_text.delta"):
    """Text."""


class RefusalDelta(Grown, tag="response.refusal.delta"):
    """Text that says why there is no other text."""


class SummaryDelta(Grown, tag="response.reasoning_summary_text.delta"):
    """Reasoning, summarised."""


class ReasoningDelta(Grown, tag="response.reasoning_text.delta"):
    """Reasoning, as models with open weights show it."""


class ArgumentsDelta(Grown, tag="response.function_call_arguments.delta"):
    """A piece of a call's arguments."""


class SummaryPart(Numbered, tag="response.reasoning_summary_part.added"):
    """A paragraph of the summary begins."""

    output_index: int = 0
    summary_index: int = 0


class ItemAdded(Numbered, tag="response.output_item.added"):
    """An item begins."""

    item: Item
    output_index: int = 0


class ItemDone(Numbered, tag="response.output_item.done"):
    """An item is whole."""

    item: Item
    output_index: int = 0


class Created(Numbered, tag="response.created"):
    """First event."""

    response: WireResponse | None = None


class Done(Numbered, tag="response.completed"):
    """The terminal event of a whole answer."""

    response: WireResponse


class Incomplete(Numbered, tag="response.incomplete"):
    """The terminal event of an answer that was cut short."""

    response: WireResponse


class Failed(Numbered, tag="response.failed"):
    """The terminal event of an answer that failed."""

    response: WireResponse


class ErrorEvent(Numbered, tag="error"):
    """The stream failed; the fields stand in the event, or in an `error` of its own."""

    code: Any = None
    message: Any = None
    error: Any = None


WireEvent = (
    TextDelta
    | RefusalDelta
    | SummaryDelta
    | ReasoningDelta
    | ArgumentsDelta
    | SummaryPart
    | ItemAdded
    | ItemDone
    | Created
    | Done
    | Incomplete
    | Failed
    | ErrorEvent
)
_KNOWN = frozenset(cls.__struct_config__.tag for cls in WireEvent.__args__)
_DECODE = msgspec.json.Decoder(WireEvent).decode

# --- dialect ----------------------------------------------------------------------------------

_TEXT = -1  # a block of an item that has one block only: reasoning, a call


class ResponsesDialect:
    """Reads one stream. Items of unknown types are skipped."""

    def __init__(self) -> None:
        self.completed: Completed | None = None
        self._model: str | None = None
        self._last = -1
        self._open: dict[tuple[int, int], int] = {}  # (output index, content index) -> block
        self._filled: set[int] = set()
        self._count = 0
        self._calls = 0
        self._refused = False

    def decode(self, event: ServerEvent, out: list[ModelEvent]) -> bool:
        """Append what `event` means; see `Dialect.decode`."""
        try:
            wire = _DECODE(event.data)
        except msgspec.ValidationError as error:
            return _other(event.data, error)
        number = wire.sequence_number
        if number is not None:
            if number <= self._last:
                return True  # delivered twice
            self._last = number
        if type(wire) is TextDelta:  # nine of ten events
            self._grow((wire.output_index, wire.content_index), wire.delta, "text", out)
        elif isinstance(wire, Grown):
            self._grow_other(wire, out)
        elif isinstance(wire, ItemAdded):
            self._begin(wire, out)
        elif isinstance(wire, ItemDone):
            self._end(wire, out)
        elif isinstance(wire, SummaryPart):
            block = self._open.get((wire.output_index, _TEXT))
            if wire.summary_index and block is not None:
                out.append(Delta(block, "\n\n"))
        elif isinstance(wire, (Done, Incomplete)):
            self._complete(wire, out)
        elif isinstance(wire, Created):
            self._model = wire.response.model if wire.response else None
        else:
            raise StreamFailedError(_error_of(wire))
        return True

    def _grow(self, key: tuple[int, int], text: str, kind: Any, out: list[ModelEvent]) -> None:
        block = self._open.get(key)
        if block is None:
            block = self._new(key, BlockStart(self._count, kind), out)
        if text:
            self._filled.add(block)
            out.append(Delta(block, text))

    def _grow_other(self, wire: Grown, out: list[ModelEvent]) -> None:
        if isinstance(wire, RefusalDelta):
            self._refused = True
            self._grow((wire.output_index, wire.content_index), wire.delta, "text", out)
        elif isinstance(wire, ArgumentsDelta):
            if (wire.output_index, _TEXT) not in self._open:
                raise MalformedEventError(f"arguments for item {wire.output_index}, not open")
            self._grow((wire.output_index, _TEXT), wire.delta, "tool_call", out)
        else:
            self._grow((wire.output_index, _TEXT), wire.delta, "reasoning", out)

    def _begin(self, wire: ItemAdded, out: list[ModelEvent]) -> None:
        item, key = wire.item, (wire.output_index, _TEXT)
        if item.type == "reasoning":
            self._new(key, BlockStart(self._count, "reasoning"), out)
        elif item.type == "function_call":
            self._calls += 1
            self._new(key, BlockStart(self._count, "tool_call", item.name, item.call_id), out)

    def _end(self, wire: ItemDone, out: list[ModelEvent]) -> None:
        item, private = wire.item, None
        block = self._open.get((wire.output_index, _TEXT))
        if item.type == "reasoning" and item.id and item.encrypted_content:
            private = seal(OpenAIReasoning(item.id, item.encrypted_content))
        if block is not None and item.arguments and block not in self._filled:
            out.append(Delta(block, item.arguments))  # sent whole, without deltas
        ended = [key for key in self._open if key[0] == wire.output_index]
        out.extend(BlockEnd(self._open.pop(key), private) for key in ended)

    def _new(self, key: tuple[int, int], start: BlockStart, out: list[ModelEvent]) -> int:
        self._open[key] = start.block
        self._count += 1
        out.append(start)
        return start.block

    def _complete(self, wire: Done | Incomplete, out: list[ModelEvent]) -> None:
        response = wire.response
        finish: Finish = "tool_calls" if self._calls else "stop"
        if isinstance(wire, Incomplete):
            details = response.incomplete_details
            finish = _INCOMPLETE.get(details.reason or "" if details else "", "length")
        elif self._refused:
            finish = "content_filter"
        if finish == "content_filter" and not self._filled:
            raise FilteredError
        out.extend(BlockEnd(block) for block in self._open.values())
        self._open.clear()
        self.completed = Completed(finish, usage_of(response.usage), response.model or self._model)


def usage_of(usage: WireUsage | None) -> Usage:
    """Return neutral counts: those of the input leave out what the cache gave or took."""
    if usage is None:
        return Usage()
    inputs = usage.input_tokens_details or InputDetails()
    outputs = usage.output_tokens_details or OutputDetails()
    fresh = usage.input_tokens
    if fresh is not None:
        fresh = max(0, fresh - (inputs.cached_tokens or 0) - (inputs.cache_write_tokens or 0))
    return Usage(
        input_tokens=fresh,
        output_tokens=usage.output_tokens,
        reasoning_tokens=outputs.reasoning_tokens,
        cache_write_tokens=inputs.cache_write_tokens,
        cache_read_tokens=inputs.cached_tokens,
    )


def _other(data: bytes, error: msgspec.ValidationError) -> bool:
    """Judge an event that is none of the types above."""
    event = loose(data)
    if event.error is not None:
        raise StreamFailedError({"error": event.error}) from error
    if event.type in _KNOWN or not event.type:
        raise MalformedEventError(str(error)) from error
    return True


def _error_of(wire: Failed | ErrorEvent) -> Any:
    if isinstance(wire, Failed):
        return {"error": wire.response.error or {"code": "server_error"}}
    return {"error": wire.error or {"code": wire.code, "message": wire.message}}
