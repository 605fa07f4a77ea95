"""One entry of the transcript, laid out when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from palaver_tui.text.document import Job
from palaver_tui.text.finished_blocks import Splice, expected_height
from palaver_tui.text.spans import Line
from palaver_tui.transcript.blocks import Block, Folder, Stack
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.thoughts import ReasoningBlock

FRAME_LINES = 2  # mostly a label and a gap


class Section:
    """A stack with its height, which is an estimate until it is looked at.

    `key` names it: a message's id, or what stands for something else. `make` gives the stack
    when it is first looked at: nobody pays for what is never seen. `texts` are what can be found
    in it, `unfolded` those of them that are not folded, `lines` how many there are besides.
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
        self.call_ids: Sequence[str] = ()  # of calls, whose results are in other messages
        self.characters = sum(map(len, unfolded))
        self.height = 0
        self.measured_at = 0  # the width of the last layout, 0 for an estimate
        self.has_job = False  # something is to be laid out off the event loop
        self.is_whole = True  # or else some lines are only expected
        self.stale = False  # laid out, but something in it has changed since
        self.version = 0  # counts the layouts that changed something
        self.cache: list[object] = []  # what the drawing side keeps per line
        self._make = make
        self._made: Stack | None = None
        self._unfolded, self._lines = unfolded, lines
        self._guessed_at = 0  # the width of the estimate, 0 for none

    @property
    def stack(self) -> Stack:
        """Its blocks."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def blocks(self) -> Sequence[Block]:
        """Its blocks if it was ever looked at, else none."""
        return self._made.blocks if self._made is not None else ()

    def make(self) -> None:
        """Cut it into its blocks, if that was not done."""
        self._made = self.stack

    def estimate(self, width: int) -> None:
        """Guess the height from the texts."""
        if width not in {self.measured_at, self._guessed_at}:
            rows = (expected_height(text.strip(), max(1, width - 4)) for text in self._unfolded)
            self.height = self._lines + sum(rows)
            self.measured_at, self._guessed_at = 0, width

    def measure(self, width: int, *, lazily: bool = False) -> None:
        """Lay out what changed; forget what was kept of lines that are not the same any more.

        `lazily`: what is finished of a long text is left to `look`.
        """
        changed = self.stack.layout(width, lazily=lazily)
        del self.cache[changed:]
        self.version += changed < max(self.height, len(self.stack.lines))
        self.height = len(self.stack.lines)
        self.measured_at, self._guessed_at = width, 0
        self.stale = False
        self.is_whole, self.has_job = self.stack.is_whole, self.stack.job() is not None

    def look(self, low: int, high: int, most: int | None = None) -> bool:
        """Lay out what is only expected in lines `low` to `high`; return whether any was.

        `most` is the number of characters of source after which no further piece is begun.
        """
        if self.is_whole:
            return False
        return self._spliced(self.stack.look(low, high, most))

    def put(self, job: Job, lines: list[Line]) -> bool:
        """Take the lines that a text's job gave; return whether they were still wanted."""
        return self._spliced(self.stack.put(job, lines))

    def _spliced(self, splices: list[Splice]) -> bool:
        """Keep what was kept of the lines that only moved."""
        if not splices:
            return False
        for at, removed, added in splices:
            if at < len(self.cache):
                self.cache[at : at + removed] = [None] * len(added)
        self.version += 1
        self.measure(self.measured_at, lazily=True)  # a gap below a text may come or go
        return True

    def refold(self, folds: Folds) -> None:
        """Fold and unfold what is in it."""
        for block in self.blocks:
            if isinstance(block.laid, CallBlock | ReasoningBlock):
                block.laid.show(folds)
                self.stale = True

    def calls(self) -> list[str]:
        """Return the ids of the calls in it."""
        laid = (block.laid for block in self.blocks)
        return [one.key.owner for one in laid if isinstance(one, CallBlock)]

    def calls_state(self) -> tuple[object, ...]:
        """Return what tells whether its calls have changed."""
        laid = (block.laid for block in self.blocks)
        return tuple(
            (one.arguments, one.result is not None, one.output.length)
            for one in laid
            if isinstance(one, CallBlock)
        )

    def fold_at(self, line: int) -> FoldKey | None:
        """Return what folds or unfolds on `line`."""
        block, number = self.stack.place(line)
        laid = block.laid
        return (
            laid.fold_at(number) if isinstance(laid, CallBlock | ReasoningBlock | Folder) else None
        )


def section_of(key: Hashable, stack: Stack) -> Section:
    """Return a section whose stack is there already."""
    return Section(key, lambda: stack)
