"""The event stream of Anthropic's Messages API (platform.claude.com/docs, "Streaming").

Unknown events, blocks and deltas are ignored, as the API's versioning policy asks of clients.
Compatible servers number blocks wrongly, close them late or never, and omit the terminal event: a
`message_delta` with a `stop_reason` means that an answer is complete.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from palaverd.providers.blocks import Kind
from palaverd.providers.dialect import Dialect, reported
from palaverd.providers.errors import MalformedEventError, StreamFailedError
from palaverd.providers.finish_words import word_of
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lenient import (
    begun_object,
    index,
    mapping,
    meaningful,
    said,
    string,
    thought,
)
from palaverd.providers.private import AnthropicRedacted, AnthropicThinking, seal

# Types of blocks that are read; others are ignored, with their deltas.
_KINDS: dict[str, Kind] = {
    "text": "text",
    "thinking": "reasoning",
    "redacted_thinking": "reasoning",
    "tool_use": "tool_call",
}
# Type of delta -> field of the text, and kind. The field also identifies a delta without a type.
_DELTAS: dict[str, tuple[str, Kind]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "reasoning"),
    "input_json_delta": ("partial_json", "tool_call"),
}
_QUIET = frozenset({"content_block_stop", "message_stop", "ping", "citations_delta"})


class _UsualDelta(msgspec.Struct):
    """A text delta."""

    type: Literal["text_delta"]
    text: str


class _Usual(msgspec.Struct):
    """The most common event, nine of ten."""

    type: Literal["content_block_delta"]
    index: int
    delta: _UsualDelta
    error: None = None


class _Block(msgspec.Struct):
    """An open or ended block: its neutral number, and its private data."""

    block: int
    kind: Kind
    id: str | None = None
    signature: str = ""
    redacted: str = ""
    input: Any = None
    ended: bool = False
    is_open_text: bool = False


class AnthropicDialect(Dialect):
    """Reads one stream. Blocks are found by number and kind."""

    def __init__(self, ignored: IgnoredData | None = None) -> None:
        super().__init__(ignored, inclusive=False)
        self._begun: list[_Block] = []
        self._at: dict[int | None, _Block | None] = {}  # number -> the latest block with it
        self._content: Any = None

    _READ_USUAL = staticmethod(msgspec.json.Decoder(_Usual).decode)

    def _grew(self, usual: _Usual) -> bool:
        opened = self._at.get(usual.index)
        if opened is None or not opened.is_open_text:
            return False
        self._blocks.grow(opened.block, usual.delta.text)
        return True

    def _take(self, wire: dict[str, Any], name: bytes) -> bool:
        kind, named = wire.get("type"), name.decode("ascii", "replace")
        if type(kind) is not str:
            kind = named
        if kind == "ping":
            return False
        if kind == "content_block_delta":
            self._deltas(index(wire.get("index")), wire.get("delta"))
        elif kind == "content_block_start":
            self._start(index(wire.get("index")), mapping(wire.get("content_block")))
        elif kind == "content_block_stop":
            self._stop(index(wire.get("index")))
        elif kind == "message_start":
            message = mapping(wire.get("message"))
            self._model = string(message.get("model")) or self._model
            self._content = message.get("content")
            self._counts.take(message.get("usage"))
        elif kind == "message_delta":
            self.finish(word_of(mapping(wire.get("delta")).get("stop_reason")))
            self.finish(word_of(wire.get("stop_reason")))
            self._counts.take(wire.get("usage"))
        elif kind == "message_stop":
            self._last(wire)
            self.ended()
        elif (failure := reported(wire, named)) is not None:
            raise StreamFailedError(failure)
        elif kind == "message" and self._whole(wire):
            self.ended()
        else:
            self._ignored.note(f"an event of type {kind[:60]!r}", self._data)
        return True

    def _last(self, wire: dict[str, Any]) -> None:
        """Read the finish and usage of a terminal event, where some servers put them."""
        for last in (mapping(wire.get("message")), wire):
            self.finish(word_of(last.get("stop_reason")))
            self._counts.take(last.get("usage"))

    # --- blocks ---------------------------------------------------------------------------

    def _start(self, number: int | None, block: dict[str, Any]) -> None:
        name = string(block.get("type"))
        if name is None:
            return  # its deltas have the type
        kind, before = _KINDS.get(name), self._at.get(number)
        if kind is None:
            self._at[number] = None
            return
        call_id = string(block.get("id")) if kind == "tool_call" else None
        if before is not None and not before.ended:
            same = before.kind == kind and before.id == call_id
            if same and not self._blocks.says(before.block):
                return  # delivered twice
            self._end(before)  # several blocks with one number
        opened = self._open(number, kind, string(block.get("name")), call_id)
        opened.signature = string(block.get("signature")) or ""
        opened.redacted = string(block.get("data")) or ""
        opened.input = block.get("input")
        text = thought(block.get("thinking")) if kind == "reasoning" else said(block.get("text"))
        self._blocks.grow(opened.block, text)

    def _open(
        self, number: int | None, kind: Kind, name: str | None = None, call_id: str | None = None
    ) -> _Block:
        if kind == "tool_call":
            opened = _Block(self._blocks.open(kind, name, call_id), kind, call_id)
        else:
            opened = _Block(self._blocks.open(kind), kind, is_open_text=kind == "text")
        self._begun.append(opened)
        self._at[number] = opened
        return opened

    def _deltas(self, number: int | None, value: Any) -> None:
        """Read a delta, a list of deltas, or bare text."""
        for one in value if type(value) is list else [value]:
            self._delta(number, {"text": one} if type(one) is str else mapping(one))

    def _delta(self, number: int | None, delta: dict[str, Any]) -> None:
        found = _DELTAS.get(delta.get("type"))  # type: ignore[arg-type]
        if found is None:
            found = self._unnamed(number, delta)
            if found is None:
                return
        field, kind = found
        text = delta.get(field)
        if type(text) is not str:
            text = said(text)
        opened = self._at.get(number)
        if opened is None or opened.kind != kind or opened.ended:
            if number in self._at and opened is None:
                return  # of an ignored block
            opened = self._fitting(number, kind)
        if kind == "tool_call" and not self._blocks.says(opened.block):
            text = begun_object(text)
        self._blocks.grow(opened.block, text)

    def _unnamed(self, number: int | None, delta: dict[str, Any]) -> tuple[str, Kind] | None:
        """Read a delta whose type is missing or unknown; return its field and kind."""
        kind = string(delta.get("type"))
        if kind == "signature_delta" or (kind is None and "signature" in delta):
            self._sign(number, string(delta.get("signature")))
            return None
        if kind is None:
            return next((place for place in _DELTAS.values() if place[0] in delta), None)
        if kind in _QUIET:
            return None
        opened = self._at.get(number)
        in_text = number not in self._at if opened is None else opened.kind == "text"
        if in_text and meaningful(delta.get("text")):
            return "text", "text"  # under another type
        self._ignored.note(f"a delta of type {kind[:60]!r}", self._data)
        return None

    def _fitting(self, number: int | None, kind: Kind) -> _Block:
        """Return the open block of a delta's kind, for a number that belongs to no such block."""
        for opened in reversed(self._begun):
            if opened.kind == kind and not opened.ended:
                return opened
        if kind == "tool_call":
            raise MalformedEventError(f"arguments for block {number}, which is no call")
        return self._open(number, kind)

    def _sign(self, number: int | None, signature: str | None) -> None:
        opened = self._at.get(number)
        if opened is None or opened.kind != "reasoning" or opened.ended:
            open_ = [one for one in self._begun if one.kind == "reasoning" and not one.ended]
            opened = open_[-1] if open_ else None
        if signature is not None and opened is not None:
            opened.signature += signature
        elif signature is not None:
            self._ignored.note("a signature of no block", self._data)

    def _stop(self, number: int | None) -> None:
        opened = self._at.get(number)
        if number is None:
            open_ = [one for one in self._begun if not one.ended]
            opened = open_[-1] if open_ else None
        if opened is not None:
            self._end(opened)

    def _end(self, opened: _Block) -> None:
        if opened.ended:
            return
        opened.ended, opened.is_open_text = True, False
        if opened.kind == "tool_call" and opened.input and not self._blocks.says(opened.block):
            self._blocks.grow(opened.block, _json(opened.input))  # sent as a whole, without deltas
        private = None
        if opened.redacted:
            private = seal(AnthropicRedacted(opened.redacted))
        elif opened.signature:
            private = seal(AnthropicThinking(opened.signature))
        self._blocks.end(opened.block, private)

    # --- the end --------------------------------------------------------------------------

    def _catch_up(self) -> None:
        if not self._blocks.any:
            self._take_content(self._content)

    def _end_blocks(self) -> None:
        for opened in self._begun:
            self._end(opened)

    def _take_content(self, content: Any) -> None:
        """Read complete blocks."""
        if type(content) is str:
            self._blocks.grow(self._open(None, "text").block, content)
        for number, block in enumerate(content if type(content) is list else ()):
            self._start(number, mapping(block))
            self._stop(number)

    def _whole(self, wire: dict[str, Any]) -> bool:
        if not isinstance(wire.get("content"), (list, str)) or "message" not in (
            wire.get("type"),
            wire.get("object"),
        ):
            return False
        self._take_content(wire.get("content"))
        self._model = string(wire.get("model"))
        self._counts.take(wire.get("usage"))
        self.finish(word_of(wire.get("stop_reason")))
        return True


def _json(value: Any) -> str:
    return value if type(value) is str else msgspec.json.encode(value).decode()
