"""Blocks of a message, such as label, rule and note, and `Stack`, which lays them out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

from palaver.wire.errors import ChatError
from palaver.wire.messages import Boundary, File, Message, Source
from palaver_tui.text.document import Job, Laid, MarkdownDocument
from palaver_tui.text.finished_blocks import Splice
from palaver_tui.text.spans import BLANK, Face, Ink, Line, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import clip, width_of, wrap
from palaver_tui.transcript.folds import CLOSED, OPENED, FoldKey


class StaticLines:
    """Lines that depend on the width only."""

    def __init__(self, draw: Callable[[int], list[Line]]) -> None:
        self.lines: list[Line] = []
        self._draw = draw
        self._width = 0

    def layout(self, width: int) -> int:
        """Lay out in `width` cells; return the first line that may have changed."""
        if width == self._width:
            return len(self.lines)
        self._width, self.lines = width, self._draw(width)
        return 0


class Block(NamedTuple):
    """A part of a message with its left margin.

    `key` names it in its stack, also after the message was laid out again; None for what is only
    decoration.
    """

    laid: Laid
    margin: Span
    key: Hashable = None


class Spot(NamedTuple):
    """A line of a stack, by its block's key; None for a block without a name.

    In a text `line` is counted from the finished block whose source starts at `piece`: so it stays
    valid when estimated heights above it are corrected.
    """

    block: Hashable
    line: int
    piece: int | None = None


class Stack:
    """Blocks below each other, each indented by its own margin."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.lines: list[Line] = []
        self.blocks = list(blocks)
        self._done: list[tuple[Laid, int]] = []  # blocks that are in `lines`, with their heights

    def layout(self, width: int, *, lazily: bool = False) -> int:
        """Lay out what changed in `width` cells; return the first line that may have changed.

        `lazily`: finished blocks of a long text are only estimated, and laid out by `look`.
        """
        first: int | None = None
        at = 0
        for index, (laid, margin, _key) in enumerate(self.blocks):
            inner = max(1, width - len(margin.text))
            lay_out = laid.expect if lazily and isinstance(laid, MarkdownDocument) else laid.layout
            changed = lay_out(inner)
            if first is None:
                known = self._done[index] if index < len(self._done) else None
                if known is None or known[0] is not laid:
                    changed = 0
                elif known[1] == len(laid.lines) <= changed:
                    at += known[1]
                    continue
                first = at + changed
                del self.lines[first:]
                del self._done[index:]
            else:
                changed = 0
            self.lines += [line.after(margin) for line in laid.lines[changed:]]
            self._done.append((laid, len(laid.lines)))
        if first is None:
            first = at
            del self.lines[at:]
            del self._done[len(self.blocks) :]
        return first

    @property
    def is_whole(self) -> bool:
        """Whether every line is laid out."""
        return all(
            one.laid.is_whole for one in self.blocks if isinstance(one.laid, MarkdownDocument)
        )

    def look(self, low: int, high: int, most: int | None = None) -> list[Splice]:
        """Lay out the estimated lines from `low` to `high`; return what changed, in order.

        `most` is the number of characters of source after which no further piece is laid out.
        """
        splices: list[Splice] = []
        at = 0
        for index, (laid, margin, _key) in enumerate(self.blocks[: len(self._done)]):
            if isinstance(laid, MarkdownDocument):
                found = laid.look(low - at, high - at, most)
                splices += self._spliced(index, at, found, margin)
            at += self._done[index][1]
        return splices

    def put(self, job: Job, lines: list[Line]) -> list[Splice]:
        """Replace a finished block's lines by those of its job; return what changed."""
        for index, (block, first, _height) in enumerate(self.heights()):
            if block.laid is job.document:
                return self._spliced(index, first, job.document.put(job, lines), block.margin)
        return []

    def _spliced(
        self, index: int, first: int, found: Sequence[Splice], margin: Span
    ) -> list[Splice]:
        """Apply the changes of a block's own lines to the stack's, from line `first` on."""
        splices = []
        for at, removed, lines in found:
            added = [line.after(margin) for line in lines]
            self.lines[first + at : first + at + removed] = added
            splices.append(Splice(first + at, removed, added))
        laid = self._done[index][0]
        self._done[index] = (laid, len(laid.lines))
        return splices

    def job(self) -> Job | None:
        """Return the next job for the background, None if there is none."""
        texts = (one.laid for one in self.blocks if isinstance(one.laid, MarkdownDocument))
        return next((job for text in texts if (job := text.job()) is not None), None)

    def place(self, line: int) -> tuple[Block, int]:
        """Return the block that `line` is in as of the last layout, and the line's index in it."""
        for block, first, height in self.heights():
            if line < first + height:
                return block, line - first
        return self.blocks[-1], 0

    def heights(self) -> Iterator[tuple[Block, int, int]]:
        """Yield each block with its first line and height as of the last layout."""
        at = 0
        for block, (_laid, height) in zip(self.blocks, self._done, strict=False):
            yield block, at, height
            at += height

    def named(self, key: Hashable) -> tuple[Block, int] | None:
        """Return the block with the key and its first line; None if there is none."""
        found = ((block, first) for block, first, _height in self.heights() if block.key == key)
        return next(found, None) if key is not None else None

    def spot(self, line: int) -> Spot:
        """Return the spot of `line`, which stays valid when other blocks come, go and grow."""
        block, number = self.place(line)
        if isinstance(block.laid, MarkdownDocument):
            piece, number = block.laid.name(number)
            return Spot(block.key, number, piece)
        return Spot(block.key, number)

    def line_of(self, spot: Spot) -> int | None:
        """Return the line of a spot as of the last layout; None if its block is not there."""
        found = self.named(spot.block)
        if found is None:
            return None
        block, first = found
        return first + line_in(block.laid, spot)


def line_in(laid: Laid, spot: Spot) -> int:
    """Return the line of a spot in its block."""
    line = spot.line
    if isinstance(laid, MarkdownDocument) and spot.piece is not None:
        line = laid.line_of((spot.piece, line))
    return max(0, min(line, len(laid.lines) - 1))


# One object for all: a stack compares blocks by identity.
BLANK_LINE = StaticLines(lambda _width: [BLANK])


class GapAfter:
    """A blank line below a block, unless the block ends with one."""

    def __init__(self, laid: Laid) -> None:
        self.lines: list[Line] = []
        self._laid = laid  # above this one in the stack, so it is laid out before

    def layout(self, width: int) -> int:
        """Lay out the gap for the block above; return the first line that may have changed."""
        above = self._laid.lines
        lines = [] if above and above[-1] == BLANK else [BLANK]
        changed = 0 if lines != self.lines else len(lines)
        self.lines = lines
        return changed


def label(name: str, clock: str, ink: Ink, note: str = "", note_ink: Ink = "muted") -> StaticLines:
    """Return the line above a message: who, when, and a remark."""

    def draw(width: int) -> list[Line]:
        beside = 3 * bool(clock) + width_of(clock) + 3 * bool(note) + width_of(note)
        spans = [Span(clip(visible_line(name), max(8, width - beside)), Face(ink, bold=True))]
        if clock:
            spans.append(Span(f" · {clock}", Face("muted")))
        if note:
            spans.append(Span(f" · {note}", Face(note_ink)))
        return [Line(tuple(spans))]

    return StaticLines(draw)


def rule(text: str, *, gap: bool = True) -> StaticLines:
    """Return a rule across the column with `text` in its middle: a date, a boundary.

    With a `gap`, a blank line follows.
    """

    def draw(width: int) -> list[Line]:
        label_text = f" {clip(text, max(1, width - 6))} "
        left = (width - width_of(label_text)) // 2
        right = width - width_of(label_text) - left
        line = Line(
            (
                Span("─" * left, Face("rule")),
                Span(label_text, Face("muted")),
                Span("─" * right, Face("rule")),
            )
        )
        return [line, BLANK] if gap else [line]

    return StaticLines(draw)


def note(glyph: str, text: str, ink: Ink) -> StaticLines:
    """Return a remark under a message, such as that it was stopped."""

    def draw(width: int) -> list[Line]:
        head = Span(f"{glyph} ", Face(ink))
        rows = wrap([Span(text, Face(ink, italic=True))], width - width_of(head.text))
        blank_head = Span(" " * width_of(head.text))
        return [Line((blank_head if index else head, *row)) for index, row in enumerate(rows)]

    return StaticLines(draw)


class Folder(StaticLines):
    """A line that is the head of a fold."""

    def __init__(self, draw: Callable[[int], list[Line]], key: FoldKey) -> None:
        super().__init__(draw)
        self.key = key

    def fold_at(self, line: int) -> FoldKey | None:
        """Return the fold whose head is on `line`."""
        return self.key


def folded_line(words: str, key: FoldKey, open_: bool) -> Folder:
    """Return the head of a fold."""
    text = f"{OPENED if open_ else CLOSED} {words}"
    return Folder(lambda width: [Line((Span(clip(text, width), Face("muted")),))], key)


def source_line(source: Source) -> StaticLines:
    """Return the line of a source that the model cites."""
    title = visible_line(source.title or source.url)
    target = source.url if source.url.startswith(("http://", "https://")) else ""
    face = Face("link", underline=True, link=visible_line(target))
    return StaticLines(
        lambda width: [Line((Span("↗ ", Face("muted")), Span(clip(title, width - 2), face)))]
    )


def file_line(file: File) -> StaticLines:
    """Return the line of a file that was sent with a message."""
    words = visible_line(file.in_words)
    return StaticLines(
        lambda width: [Line((Span("+ ", Face("muted")), Span(clip(words, width - 2))))]
    )


def boundary_line(boundary: Boundary) -> StaticLines:
    """Return the rule of a boundary: the model does not see the messages above it."""
    words = {
        "compacted": "compacted: the model sees a summary of this",
        "cleared": "cleared: the model sees nothing of this",
    }
    return rule(words[boundary.reason], gap=False)


def failure_mark(error: ChatError, clock: str) -> StaticLines:
    """Return the mark of a failed turn: its error, as in the banner, and when."""
    facts = " · ".join(visible_line(str(fact)) for fact in (error.status_code, clock) if fact)
    words = [
        Span("failed", Face("error", bold=True)),
        Span(f" · {visible_line(error.message)}", Face("error")),
        Span(f"  {facts}", Face("muted")),
    ]

    def draw(width: int) -> list[Line]:
        rows = wrap(words, max(1, width - 2))
        return [
            Line((Span("  " if row else "✗ ", Face("error")), *rows[row]))
            for row in range(len(rows))
        ]

    return StaticLines(draw)


def ending(message: Message) -> StaticLines | None:
    """Return the note about how an answer ended, None for an ordinary end."""
    match message.finish:
        case "interrupted":
            return note("◼", "stopped here; the answer up to this point was kept", "warning")
        case "length":
            return note("◼", "cut off at the model's output limit", "warning")
        case "content_filter":
            return note("◼", "ended by the provider's content filter", "warning")
        case "unknown":
            return note("◼", "the provider did not say that this is the whole answer", "warning")
        case _:
            return None
