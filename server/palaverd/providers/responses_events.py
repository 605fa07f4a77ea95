"""The event stream of OpenAI's Responses API (developers.openai.com, "Streaming").

Terminal events: `response.completed`, `response.incomplete`, `response.failed`, and `error`. The
same text is sent up to five times: in deltas, in the `done` events of text, part and item, and in
the final response. Each time, only what is missing is added.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from palaver.wire.messages import Finish
from palaverd.providers.dialect import Dialect, reported
from palaverd.providers.errors import MalformedEventError, StreamFailedError
from palaverd.providers.finish_words import word_of
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lenient import index, listed, mapping, meaningful, said, string, thought
from palaverd.providers.private import OpenAIReasoning, seal

Kind = Literal["text", "reasoning", "tool_call"]

# Types of items that are read; others are ignored.
_KINDS: dict[str, Kind] = {
    "message": "text",
    "reasoning": "reasoning",
    "function_call": "tool_call",
}
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


class _Item(msgspec.Struct):
    """An open or ended item. A message has a block for each part of its content."""

    kind: Kind
    id: str | None
    blocks: dict[int, int] = {}  # part -> block
    last: int = 0  # the latest part
    ended: bool = False


class ResponsesDialect(Dialect):
    """Reads one stream. `limit` is the requested number of output tokens."""

    def __init__(self, limit: int | None = None, ignored: IgnoredData | None = None) -> None:
        super().__init__(ignored)
        self._limit = limit
        self._items: list[_Item] = []
        self._at: dict[int | None, _Item] = {}  # output index -> the latest item with it
        # Of the latest text delta, if it was the latest event: output index, content index, block.
        self._output: Any = None
        self._part_there: Any = None
        self._block_there = -1
        self._refused = False
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
            self._begin(wire, mapping(wire.get("item")))
        elif kind == "response.output_item.done":
            self._done(wire, mapping(wire.get("item")))
        elif kind == "response.content_part.done":
            self._part(wire, mapping(wire.get("part")))
        elif kind == "response.reasoning_summary_part.added":
            self._paragraph(wire)
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

    def _begin(self, wire: dict[str, Any], item: dict[str, Any]) -> _Item | None:
        """Open an item, unless it is open."""
        kind = _KINDS.get(item.get("type"))  # type: ignore[arg-type]
        if kind is None:
            return None
        place, item_id = index(wire.get("output_index")), string(item.get("id"))
        before = self._at.get(place)
        if before is not None and before.kind == kind and not before.ended:
            if before.id == item_id or not self._says(before):
                return before  # delivered twice, or opened by its deltas
            self._end(before)  # several items with one number
        return self._new(place, kind, item_id, item)

    def _new(
        self, place: int | None, kind: Kind, item_id: str | None, item: dict[str, Any]
    ) -> _Item:
        begun = _Item(kind, item_id, {})
        self._items.append(begun)
        self._at[place] = begun
        if kind == "tool_call":
            call_id = string(item.get("call_id")) or item_id
            begun.blocks[0] = self._blocks.open(kind, string(item.get("name")), call_id)
        elif kind == "reasoning":
            begun.blocks[0] = self._blocks.open(kind)
        return begun

    def _find(self, wire: dict[str, Any], kind: Kind) -> _Item:
        """Return the item of an event: by its number, its id, or its kind.

        The number goes before the id, since Copilot's ids change with every event.
        """
        place = index(wire.get("output_index"))
        found = self._at.get(place)
        if found is not None and found.kind == kind and not found.ended:
            return found
        item_id = string(wire.get("item_id"))
        open_ = [one for one in self._items if one.kind == kind and not one.ended]
        for one in reversed(open_):
            if item_id is not None and one.id == item_id:
                return one
        if open_:
            return open_[-1]
        if kind == "tool_call":
            raise MalformedEventError(f"arguments for item {place}, which is no call")
        return self._new(place, kind, item_id, {})

    def _block(self, item: _Item, part: int | None) -> int:
        """Return the block of an item's part; open it if it is new."""
        if item.kind != "text":
            return item.blocks[0]
        if part is None:
            part = item.last
        item.last = part
        if part not in item.blocks:
            item.blocks[part] = self._blocks.open("text")
        return item.blocks[part]

    def _grow(self, wire: dict[str, Any], kind: Kind, value: Any) -> None:
        text = value if type(value) is str else thought(value)
        if text:
            item = self._find(wire, kind)
            block = self._block(item, index(wire.get("content_index")))
            self._blocks.grow(block, text)
            if wire.get("type") == _Usual.__struct_config__.tag:
                self._output = wire.get("output_index")
                self._part_there = wire.get("content_index")
                self._block_there = block

    def _grown(self, kind: str, wire: dict[str, Any]) -> None:
        name, _, what = kind.rpartition(".")
        if name == "response.refusal":
            self._refused = True
        if what == "delta":
            self._grow(wire, _GROWING[name], wire.get("delta"))
        elif _GROWING[name] == "reasoning":
            self._fill_thoughts(wire, wire.get("text"))
        else:
            names = ("arguments",) if _GROWING[name] == "tool_call" else ("text", "refusal")
            whole = next(filter(None, map(wire.get, names)), None)
            self._fill(wire, _GROWING[name], index(wire.get("content_index")), whole)

    def _part(self, wire: dict[str, Any], part: dict[str, Any]) -> None:
        kind = _PARTS.get(part.get("type"))  # type: ignore[arg-type]
        if kind == "text":
            self._refused |= part.get("type") == "refusal"
            self._fill(wire, kind, index(wire.get("content_index")), part)
        elif kind == "reasoning":
            self._fill_thoughts(wire, part)

    def _fill(self, wire: dict[str, Any], kind: Kind, part: int | None, value: Any) -> None:
        """Add what a block lacks of its whole text."""
        whole = value if type(value) is str else thought(value)
        place = self._at.get(index(wire.get("output_index")))
        if not whole or (place is not None and place.ended):
            return
        self._complete(self._block(self._find(wire, kind), part), whole)

    def _complete(self, block: int, whole: str) -> None:
        begun = self._blocks.text(block)
        if whole.startswith(begun):
            self._blocks.grow(block, whole[len(begun) :])
        else:
            self._ignored.note("a whole text that is not what its deltas say", self._data)

    def _fill_thoughts(self, wire: dict[str, Any], value: Any) -> None:
        """Add a paragraph of reasoning, unless its deltas were read."""
        whole, place = thought(value), self._at.get(index(wire.get("output_index")))
        if not whole or (place is not None and place.ended):
            return
        block = self._find(wire, "reasoning").blocks[0]
        begun = self._blocks.text(block)
        if whole.startswith(begun):
            self._blocks.grow(block, whole[len(begun) :])
        elif whole not in begun:
            gap = "\n\n" if begun and not begun.endswith("\n") else ""
            self._blocks.grow(block, gap + whole)

    def _paragraph(self, wire: dict[str, Any]) -> None:
        item = self._at.get(index(wire.get("output_index")))
        if index(wire.get("summary_index")) and item is not None and item.kind == "reasoning":
            block = item.blocks[0]
            if not item.ended and self._blocks.says(block):
                self._blocks.grow(block, "\n\n")

    def _done(self, wire: dict[str, Any], item: dict[str, Any]) -> None:
        """End an item, after adding what its deltas lack."""
        kind = _KINDS.get(item.get("type"))  # type: ignore[arg-type]
        place = index(wire.get("output_index"))
        begun = self._at.get(place)
        if kind is None:
            return
        if begun is None or begun.kind != kind or begun.ended:
            if begun is not None and begun.kind == kind and begun.id == string(item.get("id")):
                return  # delivered twice
            begun = self._among(kind, string(item.get("id"))) or self._begin(wire, item)
        if begun is not None:
            self._take_item(begun, item)
            self._end(begun, item)

    def _among(self, kind: Kind, item_id: str | None) -> _Item | None:
        open_ = [one for one in self._items if one.kind == kind and not one.ended]
        same = [one for one in open_ if item_id is not None and one.id == item_id]
        return next(reversed(same or open_), None)

    def _take_item(self, begun: _Item, item: dict[str, Any]) -> None:
        """Add what a whole item has beyond its deltas."""
        if begun.kind == "tool_call":
            arguments = item.get("arguments")
            if type(arguments) in (dict, list):
                arguments = msgspec.json.encode(arguments).decode()
            if type(arguments) is str:
                self._complete(begun.blocks[0], arguments)
        elif begun.kind == "reasoning":
            # Deltas had the summary or the reasoning itself: one is enough.
            if not self._blocks.says(begun.blocks[0]):
                parts = listed(item.get("summary")) or listed(item.get("content"))
                self._blocks.grow(begun.blocks[0], "\n\n".join(map(thought, parts)))
        else:
            content = item.get("content")
            parts = [content] if type(content) is str else listed(content)
            texts = [(number, thought(part)) for number, part in enumerate(parts)]
            self._refused |= any(mapping(part).get("type") == "refusal" for part in parts)
            begun_texts = "".join(map(self._blocks.text, begun.blocks.values()))
            if begun_texts == "".join(text for _, text in texts):
                return  # however the parts were numbered
            for number, text in texts:
                if text:
                    self._complete(self._block(begun, number), text)

    def _says(self, item: _Item) -> bool:
        return any(map(self._blocks.says, item.blocks.values()))

    def _end(self, item: _Item, done: dict[str, Any] | None = None) -> None:
        item.ended = True
        private = None
        if item.kind == "reasoning" and done is not None:
            item_id = string(done.get("id")) or item.id
            encrypted = string(done.get("encrypted_content"))
            if item_id and encrypted:
                private = seal(OpenAIReasoning(item_id, encrypted))
        for block in item.blocks.values():
            self._blocks.end(block, private)

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
        self._take_output(response.get("output"))
        if not self._blocks.filled and (text := said(response.get("output_text"))):
            self._blocks.grow(self._blocks.open("text"), text)

    def _take_output(self, output: Any) -> None:
        """Add the items of the final response that had no events."""
        seen: dict[Kind, int] = {}
        for item in listed(output):
            fields = mapping(item)
            kind = _KINDS.get(fields.get("type"))  # type: ignore[arg-type]
            if kind is None:
                continue
            number = seen[kind] = seen.get(kind, 0) + 1
            known = [one for one in self._items if one.kind == kind]
            if len(known) >= number:
                begun = known[number - 1]
                if begun.ended:
                    continue
            else:
                begun = self._new(None, kind, string(fields.get("id")), fields)
            self._take_item(begun, fields)
            self._end(begun, fields)

    def _catch_up(self) -> None:
        if self._refused and self.word is not None:
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
