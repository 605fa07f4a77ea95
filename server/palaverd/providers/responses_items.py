"""The items of one Responses stream: messages, reasoning and calls, and their blocks.

The same text is sent up to five times: in deltas, in the `done` events of text, part and item, and
in the final response. Each time, only what is missing is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from palaverd.providers.blocks import Blocks, Kind
from palaverd.providers.errors import MalformedEventError
from palaverd.providers.lenient import index, listed, mapping, string, thought
from palaverd.providers.private import OpenAIReasoning, seal

# Types of items that are read; others are ignored.
KINDS: dict[str, Kind] = {
    "message": "text",
    "reasoning": "reasoning",
    "function_call": "tool_call",
}


class Item(msgspec.Struct):
    """An open or ended item. A message has a block for each part of its content."""

    kind: Kind
    id: str | None
    blocks: dict[int, int] = {}  # part -> block
    last: int = 0  # the latest part
    ended: bool = False


class Items:
    """The items of one stream, opened, filled and ended by its events.

    `note` records what was odd about the current event. `refused` is set once an item is a refusal.
    """

    def __init__(self, blocks: Blocks, note: Callable[[str], None]) -> None:
        self.refused = False
        self._blocks = blocks
        self._note = note
        self._all: list[Item] = []
        self._at: dict[int | None, Item] = {}  # output index -> the latest item with it

    def begin(self, wire: dict[str, Any], item: dict[str, Any]) -> Item | None:
        """Open an item, unless it is open."""
        kind = KINDS.get(item.get("type"))  # type: ignore[arg-type]
        if kind is None:
            return None
        place, item_id = index(wire.get("output_index")), string(item.get("id"))
        before = self._at.get(place)
        if before is not None and before.kind == kind and not before.ended:
            if before.id == item_id or not self._says(before):
                return before  # delivered twice, or opened by its deltas
            self.end(before)  # several items with one number
        return self.new(place, kind, item_id, item)

    def new(self, place: int | None, kind: Kind, item_id: str | None, item: dict[str, Any]) -> Item:
        """Open an item; a call or reasoning has its one block from the start."""
        begun = Item(kind, item_id, {})
        self._all.append(begun)
        self._at[place] = begun
        if kind == "tool_call":
            call_id = string(item.get("call_id")) or item_id
            begun.blocks[0] = self._blocks.open(kind, string(item.get("name")), call_id)
        elif kind == "reasoning":
            begun.blocks[0] = self._blocks.open(kind)
        return begun

    def find(self, wire: dict[str, Any], kind: Kind) -> Item:
        """Return the item of an event: by its number, its id, or its kind.

        The number goes before the id, since Copilot's ids change with every event.
        """
        place = index(wire.get("output_index"))
        found = self._at.get(place)
        if found is not None and found.kind == kind and not found.ended:
            return found
        item_id = string(wire.get("item_id"))
        found = self._among(kind, item_id)
        if found is not None:
            return found
        if kind == "tool_call":
            raise MalformedEventError(f"arguments for item {place}, which is no call")
        return self.new(place, kind, item_id, {})

    def block(self, item: Item, part: int | None) -> int:
        """Return the block of an item's part; open it if it is new."""
        if item.kind != "text":
            return item.blocks[0]
        if part is None:
            part = item.last
        item.last = part
        if part not in item.blocks:
            item.blocks[part] = self._blocks.open("text")
        return item.blocks[part]

    def done(self, wire: dict[str, Any], item: dict[str, Any]) -> None:
        """End an item, after adding what its deltas lack."""
        kind = KINDS.get(item.get("type"))  # type: ignore[arg-type]
        place = index(wire.get("output_index"))
        begun = self._at.get(place)
        if kind is None:
            return
        if begun is None or begun.kind != kind or begun.ended:
            if begun is not None and begun.kind == kind and begun.id == string(item.get("id")):
                return  # delivered twice
            begun = self._among(kind, string(item.get("id"))) or self.begin(wire, item)
        if begun is not None:
            self.take(begun, item)
            self.end(begun, item)

    def _among(self, kind: Kind, item_id: str | None) -> Item | None:
        """Return the latest open item of a kind: one with this id, if there is one."""
        open_ = [one for one in self._all if one.kind == kind and not one.ended]
        same = [one for one in open_ if item_id is not None and one.id == item_id]
        return next(reversed(same or open_), None)

    def take(self, begun: Item, item: dict[str, Any]) -> None:
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
            self.refused |= any(mapping(part).get("type") == "refusal" for part in parts)
            begun_texts = "".join(map(self._blocks.text, begun.blocks.values()))
            if begun_texts == "".join(text for _, text in texts):
                return  # however the parts were numbered
            for number, text in texts:
                if text:
                    self._complete(self.block(begun, number), text)

    def fill(self, wire: dict[str, Any], kind: Kind, part: int | None, value: Any) -> None:
        """Add what a block lacks of its whole text."""
        whole = value if type(value) is str else thought(value)
        place = self._at.get(index(wire.get("output_index")))
        if not whole or (place is not None and place.ended):
            return
        self._complete(self.block(self.find(wire, kind), part), whole)

    def _complete(self, block: int, whole: str) -> None:
        begun = self._blocks.text(block)
        if whole.startswith(begun):
            self._blocks.grow(block, whole[len(begun) :])
        else:
            self._note("a whole text that is not what its deltas say")

    def fill_thoughts(self, wire: dict[str, Any], value: Any) -> None:
        """Add a paragraph of reasoning, unless its deltas were read."""
        whole, place = thought(value), self._at.get(index(wire.get("output_index")))
        if not whole or (place is not None and place.ended):
            return
        block = self.find(wire, "reasoning").blocks[0]
        begun = self._blocks.text(block)
        if whole.startswith(begun):
            self._blocks.grow(block, whole[len(begun) :])
        elif whole not in begun:
            gap = "\n\n" if begun and not begun.endswith("\n") else ""
            self._blocks.grow(block, gap + whole)

    def paragraph(self, wire: dict[str, Any]) -> None:
        """Separate a further paragraph of reasoning from the one before."""
        item = self._at.get(index(wire.get("output_index")))
        if index(wire.get("summary_index")) and item is not None and item.kind == "reasoning":
            block = item.blocks[0]
            if not item.ended and self._blocks.says(block):
                self._blocks.grow(block, "\n\n")

    def _says(self, item: Item) -> bool:
        return any(map(self._blocks.says, item.blocks.values()))

    def end(self, item: Item, done: dict[str, Any] | None = None) -> None:
        """End an item's blocks; `done` is the whole item, with what the provider wants back."""
        item.ended = True
        private = None
        if item.kind == "reasoning" and done is not None:
            item_id = string(done.get("id")) or item.id
            encrypted = string(done.get("encrypted_content"))
            if item_id and encrypted:
                private = seal(OpenAIReasoning(item_id, encrypted))
        for block in item.blocks.values():
            self._blocks.end(block, private)

    def take_output(self, output: Any) -> None:
        """Add the items of the final response that had no events."""
        seen: dict[Kind, int] = {}
        for item in listed(output):
            fields = mapping(item)
            kind = KINDS.get(fields.get("type"))  # type: ignore[arg-type]
            if kind is None:
                continue
            number = seen[kind] = seen.get(kind, 0) + 1
            known = [one for one in self._all if one.kind == kind]
            if len(known) >= number:
                begun = known[number - 1]
                if begun.ended:
                    continue
            else:
                begun = self.new(None, kind, string(fields.get("id")), fields)
            self.take(begun, fields)
            self.end(begun, fields)
