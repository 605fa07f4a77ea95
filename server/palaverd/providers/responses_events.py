"""The event stream of OpenAI's Responses API (developers.openai.com, "Streaming").

Terminal events: `response.completed`, `response.incomplete`, `response.failed`, and `error`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from palaver.wire.messages import Finish
from palaverd.providers.blocks import Kind
from palaverd.providers.dialect import Dialect, reported
from palaverd.providers.errors import StreamFailedError
from palaverd.providers.finish_words import word_of
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lenient import index, mapping, meaningful, said, string, thought
from palaverd.providers.responses_items import Items

# Events of text -> kind. Without `.delta` and `.done`.
_GROWING: dict[str, Kind] = {
    "response.output_text": "text",
    "response.text": "text",
    "response.refusal": "text",
    "response.reasoning_summary_text": "reasoning",
    "response.reasoning_text": "reasoning",
    "response.reasoning_summary": "reasoning",
    "response.reasoning": "reasoning",
    "response.function_call_arguments": "tool_call",
}
_PARTS: dict[str, Kind] = {
    "output_text": "text",
    "text": "text",
    "refusal": "text",
    "reasoning_text": "reasoning",
    "summary_text": "reasoning",
}
# Terminal events -> status, if the response has none.
_TERMINAL = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
    "response.done": "completed",  # some gateways
}
# Recent events to remember, by number, to detect a repeated one by its bytes.
_REMEMBERED = 64
_NEVER = -(10**9)  # less than any number


class _Usual(msgspec.Struct, tag="response.output_text.delta"):
    """A text delta, the most common event: nine of ten."""

    output_index: int
    content_index: int
    delta: str
    sequence_number: int | None = None
    error: None = None


class ResponsesDialect(Dialect):
    """Reads one stream. `limit` is the requested number of output tokens."""

    def __init__(self, limit: int | None = None, ignored: IgnoredData | None = None) -> None:
        super().__init__(ignored)
        self._limit = limit
        self._items = Items(self._blocks, lambda odd: self._ignored.note(odd, self._data))
        # Of the latest text delta, if it was the latest event: output index, content index, block.
        self._output: Any = None
        self._part_there: Any = None
        self._block_there = -1
        self._numbers = _Numbers()

    _READ_USUAL = staticmethod(msgspec.json.Decoder(_Usual).decode)

    def _grew(self, usual: _Usual) -> bool:
        if usual.output_index != self._output or usual.content_index != self._part_there:
            return False
        number = usual.sequence_number
        if number is None or not self._numbers.repeated(number, self._data):
            self._blocks.grow(self._block_there, usual.delta)
        return True

    def _take(self, wire: dict[str, Any], name: bytes) -> bool:
        number = wire.get("sequence_number")
        if type(number) is int and self._numbers.repeated(number, self._data):
            return True
        self._output = None
        kind, named = wire.get("type"), name.decode("ascii", "replace")
        return self._take_named(wire, kind if type(kind) is str else named, named)

    def _take_named(self, wire: dict[str, Any], kind: str, name: str) -> bool:
        if kind.endswith((".delta", ".done")) and kind.rpartition(".")[0] in _GROWING:
            self._grown(kind, wire)
        elif kind in _TERMINAL:
            self._terminal(kind, wire)
        elif kind == "response.output_item.added":
            self._items.begin(wire, mapping(wire.get("item")))
        elif kind == "response.output_item.done":
            self._items.done(wire, mapping(wire.get("item")))
        elif kind == "response.content_part.done":
            self._part(wire, mapping(wire.get("part")))
        elif kind == "response.reasoning_summary_part.added":
            self._items.paragraph(wire)
        elif (failure := reported(wire, name)) is not None:
            raise StreamFailedError(failure)
        elif kind in ("response.created", "response.in_progress"):
            self._model = string(mapping(wire.get("response")).get("model")) or self._model
        elif wire.get("object") == "response" and self._whole(wire):
            self.ended()
        elif not kind.startswith("response.") and kind not in ("ping", "keepalive"):
            self._ignored.note(f"an event of type {kind[:60]!r}", self._data)
        return kind not in ("ping", "keepalive")

    # --- items ----------------------------------------------------------------------------

    def _grow(self, wire: dict[str, Any], kind: Kind, value: Any) -> None:
        text = value if type(value) is str else thought(value)
        if text:
            item = self._items.find(wire, kind)
            block = self._items.block(item, index(wire.get("content_index")))
            self._blocks.grow(block, text)
            if wire.get("type") == _Usual.__struct_config__.tag:
                self._output = wire.get("output_index")
                self._part_there = wire.get("content_index")
                self._block_there = block

    def _grown(self, kind: str, wire: dict[str, Any]) -> None:
        name, _, what = kind.rpartition(".")
        if name == "response.refusal":
            self._items.refused = True
        if what == "delta":
            self._grow(wire, _GROWING[name], wire.get("delta"))
        elif _GROWING[name] == "reasoning":
            self._items.fill_thoughts(wire, wire.get("text"))
        else:
            names = ("arguments",) if _GROWING[name] == "tool_call" else ("text", "refusal")
            whole = next(filter(None, map(wire.get, names)), None)
            self._items.fill(wire, _GROWING[name], index(wire.get("content_index")), whole)

    def _part(self, wire: dict[str, Any], part: dict[str, Any]) -> None:
        kind = _PARTS.get(part.get("type"))  # type: ignore[arg-type]
        if kind == "text":
            self._items.refused |= part.get("type") == "refusal"
            self._items.fill(wire, kind, index(wire.get("content_index")), part)
        elif kind == "reasoning":
            self._items.fill_thoughts(wire, part)

    # --- the end --------------------------------------------------------------------------

    def _terminal(self, kind: str, wire: dict[str, Any]) -> None:
        response = mapping(wire.get("response"))
        self._close(_TERMINAL[kind], response)
        if kind == "response.failed" and not meaningful(response.get("error")):
            error = wire.get("error") if meaningful(wire.get("error")) else {"code": "server_error"}
            raise StreamFailedError({"error": error})
        self.ended()

    def _close(self, word: str, response: dict[str, Any]) -> None:
        """Read a whole response; `word` is its status if it has none."""
        if meaningful(error := response.get("error")):
            raise StreamFailedError({"error": error})
        self._model = string(response.get("model")) or self._model
        self._counts.take(response.get("usage"))
        status = word_of(response.get("status")) or word
        # The reason is more specific than `incomplete`.
        details = mapping(response.get("incomplete_details"))
        reason = word_of(details.get("reason")) if "incomplete" in (word, status) else None
        self.finish(reason or ("incomplete" if word == "incomplete" else status))
        self._items.take_output(response.get("output"))
        if not self._blocks.filled and (text := said(response.get("output_text"))):
            self._blocks.grow(self._blocks.open("text"), text)

    def _catch_up(self) -> None:
        if self._items.refused and self.word is not None:
            self.finish("content_filter")

    def _judge(self, finish: Finish) -> Finish:
        """Return `length` at the output limit, which llama.cpp and others call completed."""
        output = self._counts.output
        if finish == "stop" and self._limit is not None and output is not None:
            return "length" if output >= self._limit else finish
        return finish

    def _whole(self, wire: dict[str, Any]) -> bool:
        if wire.get("object") != "response" and not isinstance(wire.get("output"), list):
            return False
        # A complete JSON body counts as completed unless its status says otherwise.
        self._close("completed", wire)
        return True


class _Numbers:
    """Detects repeated events by number and bytes, if numbers can be trusted.

    A gateway may give every event the same number, or count down: then no event counts as repeated.
    """

    def __init__(self) -> None:
        self._last = self._first = _NEVER
        self._recent = [b""] * _REMEMBERED  # by number, which is part of the bytes

    def repeated(self, number: int, data: bytes) -> bool:
        """Return whether an event was delivered before."""
        if number > self._last:
            if self._last == _NEVER:
                self._first = number
            self._last = number
            self._recent[number % _REMEMBERED] = data
            return False
        # Unless numbers have increased, equal bytes may be the same word again.
        return self._last > self._first and self._recent[number % _REMEMBERED] == data
