"""Block of a tool call: one line with its subject and state, and the body if it is unfolded."""

from __future__ import annotations

from typing import Literal, NamedTuple

from palaver.wire.messages import ToolResult
from palaver_tui.text.diff import changes
from palaver_tui.text.durations import seconds
from palaver_tui.text.half_blocks import Grid, Pixels
from palaver_tui.text.spans import Face, Ink, Line, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import clip, width_of
from palaver_tui.transcript.calls.arguments import READ_WHILE_GROWING, Arguments, subject
from palaver_tui.transcript.calls.body import body_lines, error_lines, question_lines
from palaver_tui.transcript.calls.cache import CallCache
from palaver_tui.transcript.calls.content import CallContent
from palaver_tui.transcript.calls.output import Output
from palaver_tui.transcript.calls.picture_box import PictureBox
from palaver_tui.transcript.folds import CLOSED, OPENED, FoldKey, Folds

# `writing`: its arguments are still arriving. `waiting`: it has not begun. `asks`: it waits for the
# user's answer. `open`: it has no result and does not run.
CallState = Literal["writing", "waiting", "running", "asks", "open", "done"]
MIN_SUBJECT = 8  # cells: the least for the name; a subject with less room is left out
MAX_SUBJECT = 1_000  # characters that are used: no screen is wider
# Tools that ask or propose: their text is always shown, and their steps do not fold.
TALKING = frozenset({"ask_user", "exit_plan", "present_plan", "plan"})
# The beginning of the daemon's result for a denied call.
DENIED = "The user did not allow"

_SIGNS: dict[CallState, tuple[str, Ink]] = {
    "writing": ("… writing", "accent"),
    "waiting": ("… waits", "muted"),
    "running": ("… running", "accent"),
    "asks": ("? asks", "warning"),
    "open": ("no result", "muted"),
    "done": ("✓", "success"),
}


class _Laid(NamedTuple):
    lines: list[Line]
    folds: list[FoldKey | None]
    picture_at: range
    wanted: Grid | None


class CallBlock:
    """The block of one call; `show` and `feed` update it."""

    def __init__(self, call_id: str, name: str, draws: bool = True) -> None:
        self.lines: list[Line] = []
        self.key = FoldKey("call", call_id)
        self.name = name
        self.output = Output()
        self.state: CallState = "writing"
        self.arguments = ""
        self.result: ToolResult | None = None
        self.picture: PictureBox | None = None
        # The picture's lines as of the last layout, and the size to decode it in.
        self.picture_at = range(0)
        self.picture_wanted: Grid | None = None
        self._draws = draws  # whether the terminal can show pictures
        self._rest = FoldKey("rest", call_id)
        self._read = Arguments()
        self._kept = CallCache()
        self._open = self._whole = False
        self._width = 0
        self._folds: list[FoldKey | None] = []

    def show(
        self,
        folds: Folds,
        *,
        arguments: str | None = None,
        state: CallState | None = None,
        result: ToolResult | None = None,
    ) -> None:
        """Update the call; arguments that are None stay as they are."""
        open_, whole = folds.is_open(self.key), folds.is_open(self._rest)
        before = (self._open, self._whole, self.arguments, self.state, self.result)
        self._open, self._whole = open_, whole
        self.arguments = self.arguments if arguments is None else arguments
        self.result = self.result or result
        if self.picture is None and self.result is not None and self.result.picture is not None:
            self.picture = PictureBox(self.result.picture)
        self.state = "done" if self.result is not None else state or self.state
        if before != (open_, whole, self.arguments, self.state, self.result):
            self._width = 0

    def feed(self, output: str) -> None:
        """Append live output."""
        if output:
            self.output.feed(output)
            self._width = 0 if self._open else self._width

    def restart(self) -> None:
        """Discard the live output: the call runs once more."""
        if self.output.length:
            self.output = Output()
            self._width = 0

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only their captions."""
        if draws != self._draws:
            self._draws = draws
            self._width = 0

    def put_picture(self, pixels: Pixels | None) -> None:
        """Store the decoded picture; None if it cannot be decoded."""
        if self.picture is not None:
            self.picture.put(pixels)
            self.picture_wanted = None
            self._width = 0

    def fold_at(self, line: int) -> FoldKey | None:
        """Return the fold whose head is on `line`; None if it is no head."""
        return self._folds[line] if line < len(self._folds) else None

    @property
    def failed(self) -> bool:
        """Whether it ended with an error, or was denied."""
        return self.result is not None and self.result.is_error

    def folds(self) -> list[FoldKey]:
        """Return the folds in the block, outermost first."""
        return [self.key, self._rest]

    def layout(self, width: int) -> int:
        """Lay out in `width` cells; return the first line that may have changed."""
        if width == self._width:
            return len(self.lines)
        before, self._width = self.lines, width
        found = self._lay(width, self._open, self._whole)
        self.lines, self._folds, self.picture_at, self.picture_wanted = found
        pairs = enumerate(zip(before, self.lines, strict=False))
        shorter = min(len(before), len(self.lines))
        return next((index for index, (old, new) in pairs if old != new), shorter)

    def unfolded(self, width: int) -> list[Line]:
        """Return the lines with all folds open, without changing the block."""
        return self._lay(width, open_=True, whole=True)[0]

    def _lay(self, width: int, open_: bool, whole: bool) -> _Laid:
        # A folded call shows only the subject; its arguments may be a whole file.
        growing = self.state == "writing" and not open_
        text = self.arguments[:READ_WHILE_GROWING] if growing else self.arguments
        values = self._read.values(text)
        content = CallContent(
            self.name, text, values, self.output, self.result, self.state, self.picture, self._kept
        )
        lines = [self._head(content, width, open_)]
        folds: list[FoldKey | None] = [self.key]
        picture_at, wanted = range(0), None
        if self.name in TALKING:
            lines += question_lines(values, width)
        if open_:
            body, rest_at, found, wanted = body_lines(content, width, whole, self._draws)
            picture_at = range(len(lines) + found.start, len(lines) + found.stop)
            folds += [None] * (len(lines) - 1)
            folds += [self._rest if index in rest_at else None for index in range(len(body))]
            lines += body
        elif self.failed and self.result is not None:
            lines += error_lines(self.result.text, width)
        return _Laid(lines, folds, picture_at, wanted)

    @property
    def copied(self) -> str:
        """The text to copy: the result, else the live output, else the arguments."""
        if self.result is not None:
            return self.result.text
        return "".join(self.output.pieces[:2]) or self.arguments

    def _head(self, content: CallContent, width: int, open_: bool) -> Line:
        state, ink = self._state(content)
        mark = OPENED if open_ else CLOSED
        name = clip(visible_line(self.name), max(MIN_SUBJECT, width - width_of(state) - 5))
        talks = self.name in TALKING  # its text is shown below
        words = "" if talks else visible_line(subject(content.values, content.text)[:MAX_SUBJECT])
        room = width - 2 - width_of(name) - 2 - width_of(state) - 2
        body = clip(words, room) if room >= MIN_SUBJECT else ""
        used = 2 + width_of(name) + 2 + width_of(body) + width_of(state)
        return Line(
            (
                Span(f"{mark} ", Face("muted")),
                Span(name, Face("agent")),
                Span("  "),
                Span(body, Face("muted")),
                Span(" " * max(1, width - used)),
                Span(state, Face(ink)),
            )
        )

    def _state(self, content: CallContent) -> tuple[str, Ink]:
        words, ink = _SIGNS[self.state]
        result = self.result
        if result is None:
            return words, ink
        if result.is_error:
            words, ink = "✗", "error"
            if result.text.startswith(DENIED):
                return "✗ denied", "error"
        elif (hunks := content.hunks) and content.named_for_edits:
            came, went = changes(hunks)
            return f"✓ +{came} −{went}", ink
        if result.duration_ms is not None:
            words += f" {seconds(result.duration_ms)}"
        return words, ink
