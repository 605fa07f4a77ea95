"""Wrapping of spans into lines, with widths in terminal cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

from palaver_tui.text.spans import Face, Span

# A word, blanks, or a hard break. `_cut_wide` cuts wide scripts further: they break anywhere.
_PIECES = re.compile(r"\n|[^\S\n]+|\S+")
_ASCII = re.compile(r"[ -~]*\Z")


class _Atom(NamedTuple):
    """Text that stays together, with its width in cells."""

    text: str
    face: Face
    width: int


def width_of(text: str) -> int:
    """Return how many terminal cells `text` takes."""
    return len(text) if _ASCII.match(text) else cell_len(text)


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the grapheme clusters of `text`, each with its width in cells."""
    if _ASCII.match(text):
        yield from ((character, 1) for character in text)
        return
    spans, _total = split_graphemes(text)
    for start, end, width in spans:
        yield text[start:end], width


def _cut_wide(word: str) -> Iterator[tuple[str, int, bool]]:
    """Cut a word with wide characters into (text, width, starts with a wide character)."""
    if _ASCII.match(word):
        yield word, len(word), False
        return
    narrow, narrow_width = "", 0
    for cluster, width in clusters(word):
        if width < 2:
            narrow += cluster
            narrow_width += width
            continue
        if narrow:
            yield narrow, narrow_width, False
            narrow, narrow_width = "", 0
        yield cluster, width, True
    if narrow:
        yield narrow, narrow_width, False


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join neighbouring spans with the same face; drop empty ones."""
    result: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if result and result[-1].face == span.face:
            result[-1] = Span(result[-1].text + span.text, span.face)
        else:
            result.append(span)
    return tuple(result)


def _chop(atoms: Sequence[_Atom], width: int) -> Iterator[tuple[list[Span], int]]:
    """Yield a word that is wider than a line as lines with their widths; the last may go on."""
    line: list[Span] = []
    used = 0
    for atom in atoms:
        if _ASCII.match(atom.text):
            at = 0
            while at < len(atom.text):
                if used >= width and line:
                    yield line, used
                    line, used = [], 0
                piece = atom.text[at : at + max(1, width - used)]
                line.append(Span(piece, atom.face))
                used += len(piece)
                at += len(piece)
            continue
        for cluster, cells in clusters(atom.text):
            if used + cells > width and line:
                yield line, used
                line, used = [], 0
            line.append(Span(cluster, atom.face))
            used += cells
    if line:
        yield line, used


def _is_formula(face: Face) -> bool:
    return face.ink == "code" and not face.paper


class _Filler:
    """The lines of `wrap` under construction. The innermost loop of every layout."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[tuple[Span, ...]] = []
        self.line: list[Span] = []
        self.used = 0
        self.gap: _Atom | None = None  # blanks that vanish if a line ends here
        self.word: list[_Atom] = []
        self.size = 0  # of the word, in cells
        self.may_end = True  # a line may end here: after blanks or a wide character

    def end_line(self) -> None:
        self.lines.append(merge(self.line))
        self.line, self.used, self.gap = [], 0, None

    def end_word(self) -> None:
        """Append the word to this line if it fits, else to a new one; chop one that is too wide."""
        word, size, gap, width = self.word, self.size, self.gap, self.width
        if not word:
            return
        self.word, self.size, self.gap = [], 0, None
        if self.line:
            blank = gap.width if gap is not None else 0
            if self.used + blank + size > width:
                self.end_line()
            elif gap is not None:
                self.line.append(Span(gap.text, gap.face))
                self.used += blank
        elif gap is not None and _is_formula(gap.face) and gap.width + size <= width:
            # The rows of a formula keep their indent.
            self.line.append(Span(gap.text, gap.face))
            self.used += gap.width
        if size <= width:
            self.line += [Span(text, face) for text, face, _width in word]
            self.used += size
            return
        for index, (piece, cells) in enumerate(_chop(word, width)):
            if index:
                self.end_line()
            self.line, self.used = piece, cells

    def add(self, text: str, face: Face) -> None:
        """Add text without blanks; it continues the word before it."""
        if text.isascii():
            if self.may_end:
                self.end_word()
                self.may_end = False
            self.word.append(_Atom(text, face, len(text)))
            self.size += len(text)
            return
        for part, width, wide in _cut_wide(text):
            if self.may_end or wide:
                self.end_word()
            self.may_end = wide
            self.word.append(_Atom(part, face, width))
            self.size += width

    def add_blank(self, text: str, face: Face) -> None:
        """Add blanks, or end the line at a line feed."""
        self.end_word()
        self.may_end = True
        if text == "\n":
            self.end_line()
        else:
            self.gap = _Atom(text, face, width_of(text))


def wrap(spans: Iterable[Span], width: int) -> list[tuple[Span, ...]]:
    """Break `spans` into lines of at most `width` cells, at blanks where possible.

    Returns at least one line. A character wider than `width` gets a line of its own.
    """
    filler = _Filler(max(1, width))
    for text, face in spans:
        for piece in _PIECES.findall(text):
            if piece.isspace():
                filler.add_blank(piece, face)
            else:
                filler.add(piece, face)
    filler.end_word()
    filler.end_line()
    return filler.lines


def hard_wrap(spans: Iterable[Span], width: int) -> list[tuple[Span, ...]]:
    """Break `spans`, which have no line feed, every `width` cells: for code."""
    atoms = [_Atom(text, face, 0) for text, face in spans]
    pieces = [merge(line) for line, _cells in _chop(atoms, max(1, width))]
    return pieces or [()]


def clip(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` in at most `width` cells, its end replaced by `ellipsis` if it is wider."""
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    if room < 0:
        return ""
    kept, used = [], 0
    for cluster, cells in clusters(text):
        if used + cells > room:
            break
        kept.append(cluster)
        used += cells
    return "".join(kept) + ellipsis
