"""Assembly: creates the sections of a `ChatView`, and reuses those of unchanged messages."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from msgspec.structs import replace

from palaver.wire.messages import Message, Reasoning, Text, ToolCall
from palaver_tui.state.chat import ChatView, Outgoing
from palaver_tui.text.document import MarkdownDocument
from palaver_tui.transcript.blocks import Stack
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.calls.registry import CallRegistry
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.live import LiveSection, labelled_live
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.matches import plain_json
from palaver_tui.transcript.message_stacks import (
    Placement,
    begins_day,
    clock_of,
    gap_stack,
    is_shown,
    message_stack,
    outgoing_stack,
    placements,
    steps_stack,
)
from palaver_tui.transcript.section import FRAME_LINES, Section, section_of
from palaver_tui.transcript.steps import Steps, runs_of_steps
from palaver_tui.transcript.thoughts import ReasoningBlock

LIVE = "live"
GAP = "gap"


class Assembly:
    """The sections of one chat."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.folds = Folds()
        self.model: str | None = None  # the one that answers, if the view does not tell
        # The section that replaced one: a message a live answer, a run's line its steps.
        self.moved: dict[Hashable, Hashable] = {}
        self.calls = CallRegistry(look.pictures)
        self._committed: dict[int, tuple[Message, Placement, Section]] = {}
        self._messages: tuple[Message, ...] | None = None
        self._shown: list[Message] = []
        self._places: dict[int, Placement] = {}
        self._runs: dict[int, Steps] = {}  # by the id of their first step
        self._runs_for: tuple[object, ...] = ()
        self._steps: dict[FoldKey, tuple[tuple[Steps, Placement, bool], Section]] = {}
        self._read: set[int] = set()  # steps shown singly while reading: they fold afterwards
        self._outgoing: dict[str, tuple[tuple[Outgoing, bool], Section]] = {}
        self._live: tuple[str, LiveSection, Section] | None = None
        self._gap = section_of(GAP, gap_stack())

    def sections(self, view: ChatView, width: int, *, reading: bool) -> list[Section]:
        """Return the sections of `view`, top to bottom.

        While the user is `reading`, away from the end, nothing that is shown folds by itself.
        """
        if not reading:
            self._read.clear()
        texts = self._end_live(view)
        if view.messages is not self._messages:
            self.calls.take(view.messages)
            self._shown = [message for message in view.messages if is_shown(message)]
        self._find_runs(view, reading)
        if view.messages is not self._messages or texts:
            self._show_messages(texts, width)
            self._messages = view.messages
        sections = self._folded(view, width)
        if view.live is not None and view.live.blocks:
            sections += self._live_sections(view, width)
        changed = self.calls.update(view, self.folds)
        for section in sections if changed else ():
            section.stale = section.stale or not changed.isdisjoint(section.calls())
        return sections + self._outgoing_sections(view.outgoing, width)

    def all_sections(self) -> list[Section]:
        """Return every section with text, also those in folded runs of steps."""
        kept = [entry[2] for entry in self._committed.values()]
        live = [self._live[2]] if self._live is not None else []
        return kept + live + [entry[1] for entry in self._outgoing.values()]

    def section(self, key: Hashable) -> Section | None:
        """Return the section with the key, also one in a folded run; None if there is none."""
        return next((one for one in self.all_sections() if one.key == key), None)

    def texts(self, section: Section) -> Sequence[str] | None:
        """Return the texts that a search can find in a section, as received; None if unknown."""
        if not section.texts:
            return None
        found = [self.calls.results.get(call_id) for call_id in section.call_ids]
        results = [result.text for result in found if result is not None]
        return [*section.texts, *results] if len(results) == len(found) else None

    def set_folds(self, folds: Folds) -> None:
        """Apply `folds` to all sections."""
        self.folds = folds
        for section in self.all_sections():
            section.refold(folds)

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only their captions."""
        self.look = replace(self.look, pictures=draws)
        self.calls.draw_pictures(draws)
        for section in self.all_sections():
            section.stale = section.stale or bool(section.calls())

    # --- messages and steps ---------------------------------------------------------------

    def _find_runs(self, view: ChatView, reading: bool) -> None:
        if (
            view.messages is self._messages
            and self._runs_for == (view.status, self._read, self.look)
        ):  # fmt: skip
            return
        folded = {step for run in self._runs.values() for step in run.ids}
        runs = runs_of_steps(self._shown, self.calls.results, view.status, self._read)
        if reading:
            singly = {step for run in runs for step in run.ids} & self._committed.keys() - folded
            if singly:
                self._read |= singly
                runs = runs_of_steps(self._shown, self.calls.results, view.status, self._read)
        self._runs_for = (view.status, set(self._read), self.look)
        found = {run.ids[0]: run for run in runs}
        if found != self._runs:
            self._runs = found
            self._messages = None  # a run has the label of its first step, which changes that step

    def _show_messages(self, texts: dict[str, MarkdownDocument], width: int) -> None:
        kept, self._committed = self._committed, {}
        self._places.clear()
        for message, place in placements(self._shown, self.look):
            self._places[message.id] = place
            if message.id in self._runs:
                place = replace(place, new_day=False, labelled=False)
            known = kept.get(message.id)
            if known is not None and known[0] is message and known[1] == place:
                self._committed[message.id] = known
                continue
            section = _section(message, self._maker(message, place, texts))
            if texts or known is not None:
                section.measure(width, lazily=True)
            self._committed[message.id] = (message, place, section)
        live = self._live[1].calls_in() if self._live else []
        self.calls.forget(call.key.owner for call in live)

    def _maker(
        self, message: Message, place: Placement, texts: dict[str, MarkdownDocument]
    ) -> Callable[[], Stack]:
        def make() -> Stack:
            stack = message_stack(message, place, self.look, texts, self.calls)
            for block in stack.blocks:
                if isinstance(block.laid, CallBlock | ReasoningBlock):
                    block.laid.show(self.folds)
            return stack

        return make

    def _folded(self, view: ChatView, width: int) -> list[Section]:
        """Return the committed sections, with a line for each run; without its steps if folded."""
        sections: list[Section] = []
        kept, self._steps = self._steps, {}
        self.moved = {key: to for key, to in self.moved.items() if not isinstance(to, FoldKey)}
        hidden: dict[int, FoldKey] = {}
        before = 0
        for message_id, (message, _place, section) in self._committed.items():
            if view.gap is not None and before <= view.gap < message_id and sections:
                sections.append(self._gap)
            before = message_id
            run = self._runs.get(message_id)
            if run is not None:
                open_ = self.folds.is_open(run.key)
                state = (run, self._places[message_id], open_)
                entry = kept.get(run.key)
                if entry is None or entry[0] != state:
                    stack = steps_stack(run, message, state[1], self.look, open_)
                    entry = (state, section_of(run.key, stack))
                    entry[1].measure(width)
                self._steps[run.key] = entry
                sections.append(entry[1])
                if not open_:
                    hidden |= dict.fromkeys(run.ids, run.key)
            if message_id in hidden:
                self.moved[message_id] = hidden[message_id]
            else:
                sections.append(section)
        return sections

    # --- live and outgoing ----------------------------------------------------------------

    def _end_live(self, view: ChatView) -> dict[str, MarkdownDocument]:
        """Drop a live answer that is over; return its documents by their text."""
        if self._live is None:
            return {}
        episode, live, section = self._live
        if view.live is not None and view.live.episode == episode and view.live.blocks:
            return {}
        self._live = None
        known = {message.id for message in self._messages or ()}
        came = [m for m in view.messages if m.id not in known and m.role == "assistant"]
        if came and view.progress.replaced == episode:
            self.moved[section.key] = came[-1].id
            owner = str(came[-1].id)
            names = {key: key._replace(owner=owner) for key in self.folds.turned}
            self.folds = self.folds.renamed(
                {key: new for key, new in names.items() if key.owner == episode}
            )
        return live.take_texts()

    def _live_sections(self, view: ChatView, width: int) -> list[Section]:
        assert view.live is not None
        if self._live is None:
            clock = clock_of(view.since, self.look) if view.since else ""
            model = view.model or self.model
            live = LiveSection(model, clock, labelled_live(view, model), self.calls)
            section = section_of((LIVE, view.live.episode), live.stack)
            self._live = (view.live.episode, live, section)
        _episode, live, section = self._live
        live.update(view.live, self.folds, self.calls.is_committed)
        section.stale = True
        return [] if live.empty else [section]

    def _outgoing_sections(self, outgoing: Iterable[Outgoing], width: int) -> list[Section]:
        kept, self._outgoing = self._outgoing, {}
        sections = []
        before = self._shown[-1].created_at if self._shown else None
        for item in outgoing:
            if item.landing != "history":
                continue
            state = (item, begins_day(before, item.created_at, self.look))
            before = item.created_at
            known = kept.get(item.key)
            if known is None or known[0] != state:
                section = section_of(item.key, outgoing_stack(item, self.look, state[1]))
                section.measure(width)
                known = (state, section)
            self._outgoing[item.key] = known
            sections.append(known[1])
        return sections


def _section(message: Message, make: Callable[[], Stack]) -> Section:
    """Return the section of a message: its texts are listed, its blocks not created."""
    texts: list[str] = []
    unfolded: list[str] = []
    lines = FRAME_LINES
    for part in message.parts:
        match part:
            case Text(text=text):
                texts.append(text)
                unfolded.append(text)
            case Reasoning(text=text):
                texts.append(text)
                lines += 1
            case ToolCall(name=name, arguments=arguments):
                texts += [name, plain_json(arguments)]
                lines += 1
            case _:
                lines += 1
    section = Section(message.id, make, texts, unfolded, lines)
    section.call_ids = [part.id for part in message.parts if isinstance(part, ToolCall)]
    return section
