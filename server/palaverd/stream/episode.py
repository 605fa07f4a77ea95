"""The live output of one attempt: an append-only log of numbered blocks.

Each delta is encoded once. Subscribers hold a cursor in the log, not a queue: a slow reader gets
fewer and larger frames, and no memory grows for it. Old entries are merged into their block's
text; a cursor inside merged text is served by a slice.
"""

from __future__ import annotations

import msgspec

from palaver.stream.position import WHOLE, Position
from palaver.wire.events import BlockKind, MessagePartEvent
from palaverd.stream.growing_text import GrowingText

# The largest live output; beyond it the log ends with a marker, while the committed message is
# complete. An answer of this size has two thousand pages.
EPISODE_CAP = 8 * 1024 * 1024  # code points
# Recent entries that stay encoded, 400 bytes each; up to twice as many. A reader that keeps up is
# only a few behind, and more would be most of what a chat takes while it streams.
RECENT_ENTRIES = 16
SLICE = 128 * 1024  # code points of merged text in one event, so that a frame stays small
CUT_MARKER = "\n\n[The live output is cut here. The whole answer follows when it is finished.]"

_encode = msgspec.json.Encoder().encode


def frame(events: list[bytes]) -> bytes:
    """Return encoded events as one frame: a JSON array."""
    return b"[" + b",".join(events) + b"]"


class Block:
    """One block of an episode: its kind, and its text so far."""

    __slots__ = ("call_id", "kind", "name", "said")

    def __init__(self, kind: BlockKind, name: str | None, call_id: str | None) -> None:
        self.kind = kind
        self.name = name
        self.call_id = call_id
        self.said = GrowingText()

    @property
    def length(self) -> int:
        """Code points of the text so far."""
        return self.said.length

    @property
    def text(self) -> str:
        """The text so far."""
        return self.said.text


class Cursor:
    """A subscriber's place in a log: its offset in each block, and the next entry to send.

    It starts at the client's position, None for a client without live output.
    """

    __slots__ = ("entry", "episode", "offsets")

    def __init__(self, at: Position | None = None) -> None:
        self.episode = None if at is None else at.episode
        self.entry: int | None = None
        self.offsets: dict[int, int] = {} if at is None else dict(enumerate(at.read))

    def copy(self) -> Cursor:
        """Return another cursor at the same place."""
        other = Cursor()
        other.episode, other.entry, other.offsets = self.episode, self.entry, self.offsets.copy()
        return other


class Episode:
    """The log of one attempt. `key` is `<history version>.<attempt>`, `model` its model."""

    def __init__(self, key: str, model: str | None = None) -> None:
        self.key = key
        self.model = model
        self.blocks: list[Block] = []
        self.sealed = False
        self.cut = False
        self._size = 0
        # The recent entries: what was encoded, and the block and its length after each.
        self._events: list[bytes] = []
        self._places: list[tuple[int, int]] = []
        self._first = 0  # the number of the first entry in the lists

    @property
    def end(self) -> int:
        """The number of the next entry."""
        return self._first + len(self._events)

    @property
    def length(self) -> int:
        """Code points of all blocks."""
        return self._size

    @property
    def held(self) -> int:
        """Bytes that it uses: those of the encoded entries, and one for each code point."""
        return self._size + sum(map(len, self._events))

    def open_block(
        self, kind: BlockKind, *, name: str | None = None, call_id: str | None = None
    ) -> int:
        """Start a block. Returns its number."""
        self.blocks.append(Block(kind, name, call_id))
        number = len(self.blocks) - 1
        if kind == "tool_call" and not (self.sealed or self.cut):
            self._log(number, 0, "")  # a call is shown before its arguments arrive
        return number

    def append(self, number: int, delta: str) -> bool:
        """Append to a block. Returns whether there is something new to show."""
        if self.sealed or self.cut or not delta:
            return False
        if self._size + len(delta) > EPISODE_CAP:
            self.cut = True
            delta = CUT_MARKER
        said = self.blocks[number].said
        self._log(number, said.length, delta)
        said.append(delta)
        self._size += len(delta)
        return True

    def _log(self, number: int, offset: int, delta: str) -> None:
        self._events.append(self._event(number, offset, delta))
        self._places.append((number, offset + len(delta)))
        if len(self._events) >= 2 * RECENT_ENTRIES:
            self._first += RECENT_ENTRIES
            del self._events[:RECENT_ENTRIES], self._places[:RECENT_ENTRIES]

    def _event(self, number: int, offset: int, delta: str) -> bytes:
        block = self.blocks[number]
        return _encode(
            MessagePartEvent(
                episode=self.key,
                block=number,
                offset=offset,
                kind=block.kind,
                delta=delta,
                name=block.name,
                call_id=block.call_id,
            )
        )

    def seal(self) -> None:
        """Ignore later output: subscribers get only what is in the log now."""
        self.sealed = True

    def has(self, position: Position) -> bool:
        """Return whether `position` is one in this log."""
        lengths = [block.length for block in self.blocks]
        lengths += [0] * (len(position.read) - len(lengths))
        return all(
            read <= length or (read == WHOLE and number < len(self.blocks))
            for number, (read, length) in enumerate(zip(position.read, lengths, strict=False))
        )

    def read(self, cursor: Cursor, limit: int) -> list[bytes]:
        """Return encoded events after `cursor`, at most about `limit` bytes, and advance it."""
        if cursor.entry is None or cursor.entry < self._first:
            return self._read_merged(cursor)
        if cursor.entry == self.end:
            return []
        taken: list[bytes] = []
        size = 0
        start = cursor.entry - self._first
        for event in self._events[start:]:
            if taken and size + len(event) > limit:
                break
            taken.append(event)
            size += len(event)
        cursor.offsets.update(self._places[start : start + len(taken)])
        cursor.entry += len(taken)
        return taken

    def is_at_end(self, cursor: Cursor) -> bool:
        """Return whether a cursor of this episode is after the last entry."""
        return cursor.entry == self.end and cursor.episode == self.key

    def newest(self, cursor: Cursor) -> bytes | None:
        """Return all entries after `cursor` as one frame; None if they include merged text.

        Empty if there are none. Does not advance the cursor: see `passed`.
        """
        entry, first = cursor.entry, self._first
        if entry is None or entry < first:
            return None
        events = self._events[entry - first :]
        return frame(events) if events else b""

    def passed(self, cursor: Cursor) -> None:
        """Advance `cursor` past what `newest` returned."""
        assert cursor.entry is not None
        cursor.offsets.update(self._places[cursor.entry - self._first :])
        cursor.entry = self.end

    def _read_merged(self, cursor: Cursor) -> list[bytes]:
        """Return a slice of merged text for a cursor that is before the recent entries."""
        for number, block in enumerate(self.blocks):
            offset = cursor.offsets.get(number, -1)
            if max(offset, 0) < block.length or (offset < 0 and block.kind == "tool_call"):
                start = max(offset, 0)
                delta = block.text[start : start + SLICE]
                cursor.offsets[number] = start + len(delta)
                return [self._event(number, start, delta)]
        # All merged text was sent: from here on the entries are read.
        cursor.entry = self.end
        return []
