"""The blocks of an answer: opened, extended and ended by a dialect, as neutral events."""

from __future__ import annotations

from typing import Literal

from palaverd.providers.neutral import BlockEnd, BlockStart, Delta, ModelEvent

Kind = Literal["text", "reasoning", "tool_call"]


class Blocks:
    """Appends events to `out`, which the dialect sets for each event that it reads.

    `calls` is the number of tool calls. Set `halves` when texts may begin or end with half a
    surrogate pair (see `encodable`).
    """

    def __init__(self) -> None:
        self.out: list[ModelEvent] = []
        self.calls = 0
        self.halves = False
        self._texts: list[list[str]] = []
        self._open: dict[int, None] = {}  # an ordered set
        self._held: dict[int, str] = {}

    @property
    def any(self) -> bool:
        """Whether any block was opened."""
        return bool(self._texts)

    @property
    def filled(self) -> bool:
        """Whether any block has text, or is a tool call."""
        return self.calls > 0 or any(self._texts)

    def open(self, kind: Kind, name: str | None = None, call_id: str | None = None) -> int:
        """Open a block; return its number."""
        block = len(self._texts)
        self._texts.append([])
        self._open[block] = None
        self.calls += kind == "tool_call"
        self.out.append(
            BlockStart(
                block,
                kind,
                None if name is None else encodable(name),
                None if call_id is None else encodable(call_id),
            )
        )
        return block

    def grow(self, block: int, text: str) -> None:
        """Append text to an open block."""
        if self.halves:
            text = self._whole(block, text)
        if text:
            self._texts[block].append(text)
            self.out.append(Delta(block, text))

    def text(self, block: int) -> str:
        """Return the text of a block so far."""
        return "".join(self._texts[block])

    def says(self, block: int) -> bool:
        """Return whether a block has any text so far."""
        return bool(self._texts[block])

    def end(self, block: int, private: str | None = None) -> None:
        """End a block. Ending it again does nothing."""
        if block in self._open:
            if block in self._held:
                self.grow(block, "")
            del self._open[block]
            self.out.append(BlockEnd(block, private))

    def end_all(self) -> None:
        """End all open blocks."""
        for block in list(self._open):
            self.end(block)

    def _whole(self, block: int, text: str) -> str:
        """Return the text with a surrogate pair joined that was split between deltas."""
        held = self._held.pop(block, None)
        if held is not None:
            text = held + text
            if not text[1:]:
                return "\ufffd"
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[block] = text[-1]
            text = text[:-1]
        return encodable(text)


def encodable(text: str) -> str:
    """Return a text with surrogate pairs joined, and single surrogates replaced.

    Servers that split texts in UTF-16 send half a pair as JSON's `\\ud83d`.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
