"""Section: one entry of the transcript, laid out when it comes into view."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from palaver_tui.text.document import Job
from palaver_tui.text.finished_blocks import Splice, expected_height
from palaver_tui.text.spans import Line
from palaver_tui.transcript.blocks import Block, Folder, Stack
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.thoughts import ReasoningBlock

Folding = CallBlock | ReasoningBlock | Folder  # blocks with heads of folds
FRAME_LINES = 2  # mostly a label and a gap


class Section:
    """A stack with its height, which is an estimate until it is laid out.

    `key` names it: a message's id, or the key of another entry. `make` creates the stack when it is
    first needed: a section that is never seen costs nothing. `texts` are what a search can find in
    it, `unfolded` those of them that are not folded, `lines` the number of other lines.
    """

    def __init__(
        self,
        key: Hashable,
        make: Callable[[], Stack],
        texts: Sequence[str] = (),
        unfolded: Sequence[str] = (),
        lines: int = FRAME_LINES,
    ) -> None:
        self.key = key
        self.texts = texts
        self.call_ids: Sequence[str] = ()  # of its calls; their results are in other messages
        self.characters = sum(map(len, unfolded))
        self.height = 0
        self.measured_at = 0  # the width of the last layout, 0 for an estimate
        self.has_job = False  # a job for the background is waiting
        self.is_whole = True  # no line is an estimate
        self.stale = False  # something in it has changed since the last layout
        self.version = 0  # counts the layouts that changed something
        self.cache: list[object] = []  # by line, for the widget: its strips
        self._make = make
        self._made: Stack | None = None
        self._unfolded, self._lines = unfolded, lines
        self._guessed_at = 0  # the width of the estimate, 0 for none

    @property
    def stack(self) -> Stack:
        """The blocks, created if they were not."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def blocks(self) -> Sequence[Block]:
        """The blocks if they were created, else none."""
        return self._made.blocks if self._made is not None else ()

    def make(self) -> None:
        """Create its blocks, if they were not."""
        self._made = self.stack

    def estimate(self, width: int) -> None:
        """Estimate the height from the texts."""
        if width not in {self.measured_at, self._guessed_at}:
            rows = (expected_height(text.strip(), max(1, width - 4)) for text in self._unfolded)
            self.height = self._lines + sum(rows)
            self.measured_at, self._guessed_at = 0, width

    def measure(self, width: int, *, lazily: bool = False) -> None:
        """Lay out what changed; drop the cache of lines that may have changed.

        `lazily`: finished blocks of a long text are only estimated, and laid out by `look`.
        """
        changed = self.stack.layout(width, lazily=lazily)
        del self.cache[changed:]
        self.version += changed < max(self.height, len(self.stack.lines))
        self.height = len(self.stack.lines)
        self.measured_at, self._guessed_at = width, 0
        self.stale = False
        self.is_whole, self.has_job = self.stack.is_whole, self.stack.job() is not None

    def look(self, low: int, high: int, most: int | None = None) -> bool:
        """Lay out the estimated lines from `low` to `high`; return whether there were any.

        `most` is the number of characters of source after which no further piece is laid out.
        """
        if self.is_whole:
            return False
        return self._spliced(self.stack.look(low, high, most))

    def put(self, job: Job, lines: list[Line]) -> bool:
        """Replace a finished block's lines by those of its job; return whether that was due."""
        return self._spliced(self.stack.put(job, lines))

    def _spliced(self, splices: list[Splice]) -> bool:
        """Adjust the cache to changed lines: lines that only moved stay in it."""
        if not splices:
            return False
        for at, removed, added in splices:
            if at < len(self.cache):
                self.cache[at : at + removed] = [None] * len(added)
        self.version += 1
        self.measure(self.measured_at, lazily=True)  # a gap below a text may come or go
        return True

    def refold(self, folds: Folds) -> None:
        """Apply `folds` to its blocks."""
        for block in self.blocks:
            if isinstance(block.laid, CallBlock | ReasoningBlock):
                block.laid.show(folds)
                self.stale = True

    def calls(self) -> list[str]:
        """Return the ids of the calls in it."""
        laid = (block.laid for block in self.blocks)
        return [one.key.owner for one in laid if isinstance(one, CallBlock)]

    def calls_state(self) -> tuple[object, ...]:
        """Return a value that is another one when its calls have changed."""
        laid = (block.laid for block in self.blocks)
        return tuple(
            (one.arguments, one.result is not None, one.output.length)
            for one in laid
            if isinstance(one, CallBlock)
        )

    def fold_at(self, line: int) -> FoldKey | None:
        """Return the fold whose head is on `line`; None if it is no head."""
        block, number = self.stack.place(line)
        laid = block.laid
        return laid.fold_at(number) if isinstance(laid, Folding) else None


def section_of(key: Hashable, stack: Stack) -> Section:
    """Return a section of a stack that exists already."""
    return Section(key, lambda: stack)
