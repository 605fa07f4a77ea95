"""The blocks of an answer as a dialect reads them: opened, grown, ended, in neutral events."""

from __future__ import annotations

from typing import Literal

from palaverd.providers.neutral import BlockEnd, BlockStart, Delta, ModelEvent

Kind = Literal["text", "reasoning", "tool_call"]


class Blocks:
    """Appends events to `out`, which the dialect sets for each event that it reads.

    `calls` counts the tool calls. `halves` is set when texts may begin or end with half a
    character (see `whole_characters`).
    """

    def __init__(self) -> None:
        self.out: list[ModelEvent] = []
        self.calls = 0
        self.halves = False
        self._texts: list[list[str]] = []
        self._open: dict[int, None] = {}  # in their order
        self._held: dict[int, str] = {}

    @property
    def any(self) -> bool:
        """Whether anything was begun."""
        return bool(self._texts)

    @property
    def filled(self) -> bool:
        """Whether anything was said or called."""
        return self.calls > 0 or any(self._texts)

    def open(self, kind: Kind, name: str | None = None, call_id: str | None = None) -> int:
        """Begin a block. Returns its number."""
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
        """Add to a block that is open."""
        if self.halves:
            text = self._whole(block, text)
        if text:
            self._texts[block].append(text)
            self.out.append(Delta(block, text))

    def text(self, block: int) -> str:
        """Return what a block says so far."""
        return "".join(self._texts[block])

    def says(self, block: int) -> bool:
        """Return whether a block says anything so far."""
        return bool(self._texts[block])

    def end(self, block: int, private: str | None = None) -> None:
        """End a block; one that has ended stays as it is."""
        if block in self._open:
            if block in self._held:
                self.grow(block, "")
            del self._open[block]
            self.out.append(BlockEnd(block, private))

    def end_all(self) -> None:
        """End what is open."""
        for block in list(self._open):
            self.end(block)

    def _whole(self, block: int, text: str) -> str:
        """Join a character that was cut in two between deltas."""
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
    """Return a text with pairs of surrogates joined, and with single ones replaced.

    Servers that cut texts in UTF-16 send half of a character in JSON's `\\ud83d`.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
