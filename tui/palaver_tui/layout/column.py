"""All sections of a chat under each other: which line is where, and what holds still.

Sections out of view are not laid out; their heights are estimated. A place in the text is named
by an `Anchor`, a section and a line in it, which stays true whatever happens above.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from itertools import accumulate
from typing import NamedTuple

from palaver.wire.messages import Message, Reasoning, Text
from palaver_tui.layout.document import MarkdownDocument
from palaver_tui.layout.faces import BLANK, Line
from palaver_tui.layout.parts import Stack
from palaver_tui.layout.sections import (
    LiveSection,
    Look,
    Place,
    clock_of,
    labelled_live,
    message_stack,
    outgoing_stack,
    places,
)
from palaver_tui.view.chat import ChatView, Outgoing

LIVE = "live"


class Anchor(NamedTuple):
    """A line, named so that it can be found again."""

    key: Hashable
    line: int


class Section:
    """One entry of the transcript, laid out when it is looked at.

    `version` counts its layouts; `changed` is the first line of the last one that differs.
    """

    def __init__(self, key: Hashable, stack: Stack, characters: int) -> None:
        self.key = key
        self.stack = stack
        self.characters = characters
        self.height = 0
        self.measured_at = 0  # the width of the last layout, 0 for an estimate
        self.cache: list[object] = []  # what the drawing side keeps per line

    def estimate(self, width: int) -> None:
        """Guess the height from the amount of text."""
        if self.measured_at != width:
            self.height = 3 + self.characters // max(1, width - 4)
            self.measured_at = 0

    def measure(self, width: int) -> None:
        """Lay out what changed; forget what was kept of lines that are not the same any more."""
        changed = self.stack.layout(width)
        del self.cache[changed:]
        self.height = len(self.stack.lines)
        self.measured_at = width


class Column:
    """The sections of one chat."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.model: str | None = None  # who answers, where the view does not say
        self.width = 80
        self.sections: list[Section] = []
        self._starts: list[int] = [0]
        self._index: dict[Hashable, int] = {}
        self._committed: dict[int, tuple[Message, Place, Section]] = {}
        self._messages: tuple[Message, ...] | None = None
        self._outgoing: dict[str, tuple[Outgoing, Section]] = {}
        self._live: tuple[str, LiveSection, Section] | None = None

    # --- what is shown --------------------------------------------------------------------

    def show(self, view: ChatView) -> None:
        """Bring the sections up to `view`; what did not change is kept as it is."""
        texts: dict[str, MarkdownDocument] = {}
        if self._live is not None and (
            view.live is None or view.live.episode != self._live[0] or not view.live.blocks
        ):
            texts = self._live[1].take_texts()
            self._live = None
        if view.messages is not self._messages:
            self._show_messages(view, texts)
            self._messages = view.messages
        sections = [entry[2] for entry in self._committed.values()]
        if view.live is not None and view.live.blocks:
            sections.append(self._live_section(view))
        sections += self._outgoing_sections(view.outgoing)
        if sections != self.sections:
            self.sections = sections
            self._index = {section.key: number for number, section in enumerate(sections)}
        for section in sections:
            section.estimate(self.width)
        self._restart()

    def _show_messages(self, view: ChatView, texts: dict[str, MarkdownDocument]) -> None:
        kept, self._committed = self._committed, {}
        for message, place in places(view.messages, self.look):
            known = kept.get(message.id)
            if known is not None and known[0] is message and known[1] == place:
                self._committed[message.id] = known
                continue
            stack = message_stack(message, place, self.look, texts)
            section = Section(message.id, stack, _characters(message))
            if texts or known is not None:
                section.measure(self.width)
            self._committed[message.id] = (message, place, section)

    def _live_section(self, view: ChatView) -> Section:
        assert view.live is not None
        if self._live is None:
            began = view.since
            clock = clock_of(began, self.look) if began else ""
            model = view.model or self.model
            live = LiveSection(model, clock, labelled_live(view, model), self.look)
            section = Section((LIVE, view.live.episode), live.stack, 0)
            self._live = (view.live.episode, live, section)
        _episode, live, section = self._live
        live.update(view.live)
        section.measure(self.width)
        return section

    def _outgoing_sections(self, outgoing: Iterable[Outgoing]) -> list[Section]:
        kept, self._outgoing = self._outgoing, {}
        sections = []
        for item in outgoing:
            if item.landing != "history":
                continue
            known = kept.get(item.key)
            if known is None or known[0] != item:
                section = Section(item.key, outgoing_stack(item, self.look), len(item.content))
                section.measure(self.width)
                known = (item, section)
            self._outgoing[item.key] = known
            sections.append(known[1])
        return sections

    def set_width(self, width: int) -> None:
        """Lay out for another width; heights are estimates until they are looked at."""
        if width != self.width:
            self.width = width
            for section in self.sections:
                section.cache.clear()
                section.estimate(width)
            self._restart()

    def set_look(self, look: Look) -> None:
        """Show messages in another way."""
        if look != self.look:
            self.look = look
            self._committed, self._messages = {}, None
            self._outgoing, self._live = {}, None

    # --- where things are -----------------------------------------------------------------

    def _restart(self) -> None:
        self._starts = [0, *accumulate(section.height for section in self.sections)]

    @property
    def height(self) -> int:
        """All lines, laid out or estimated."""
        return self._starts[-1]

    def _at(self, y: int) -> int:
        """Return the index of the section that line `y` is in."""
        return max(0, min(bisect_right(self._starts, y) - 1, len(self.sections) - 1))

    def anchor(self, y: int) -> Anchor | None:
        """Return the name of line `y`."""
        if not self.sections:
            return None
        index = self._at(y)
        return Anchor(self.sections[index].key, y - self._starts[index])

    def position(self, anchor: Anchor) -> int | None:
        """Return where the line is now; None if its section is gone."""
        index = self._index.get(anchor.key)
        if index is None:
            return None
        return self._starts[index] + min(anchor.line, max(0, self.sections[index].height - 1))

    def measure(self, top: int, height: int) -> bool:
        """Lay out the sections in view, downwards from `top`; return whether heights changed."""
        if not self.sections:
            return False
        changed = False
        index = self._at(top)
        while index < len(self.sections) and self._starts[index] < top + height:
            changed = self._measure(index) or changed
            index += 1
        return changed

    def measure_tail(self, height: int) -> None:
        """Lay out the last sections, as many as fill `height` lines."""
        filled = 0
        for index in range(len(self.sections) - 1, -1, -1):
            self._measure(index)
            filled += self.sections[index].height
            if filled >= height:
                return

    def _measure(self, index: int) -> bool:
        section = self.sections[index]
        if section.measured_at == self.width:
            return False
        before = section.height
        section.measure(self.width)
        if section.height == before:
            return False
        self._restart()
        return True

    def line(self, y: int) -> tuple[Section | None, int, Line]:
        """Return the section that line `y` is in, its number in it, and the line."""
        if not self.sections or not 0 <= y < self.height:
            return None, 0, BLANK
        index = self._at(y)
        section = self.sections[index]
        if section.measured_at != self.width:
            return None, 0, BLANK
        number = y - self._starts[index]
        return section, number, section.stack.lines[number]


def _characters(message: Message) -> int:
    return sum(len(part.text) for part in message.parts if isinstance(part, Text | Reasoning))
