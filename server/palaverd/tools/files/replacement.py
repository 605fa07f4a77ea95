"""Replace a passage of a text by another: the rules of `edit_files`. Pure.

The passage is looked for as it is, then without regard to blanks at the ends of lines, then without
regard to indentation, which the new text then takes from the file. It must be there once, unless
all are to be replaced. Line endings are those of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

MOST_PLACES = 5  # that a message names
_SIMILAR = 0.6  # of difflib's ratio; below it, what is shown would mislead
_LONGEST_COMPARED = 4000  # lines; difflib's time grows with their number


class NotReplaced(Exception):
    """A passage cannot be replaced. The message is what is said after the file's name."""


def replaced(text: str, old: str, new: str, *, every: bool = False) -> str:
    """Return `text` with `old` replaced by `new`.

    Raises:
        NotReplaced: `old` is not there, or more than once and not `every` is to be replaced.
    """
    if not old:
        raise NotReplaced("has content already, so the old text must not be empty")
    if old == new:
        raise NotReplaced("would not change: the new text is the old one")
    ending = _ending(text)
    fitting = _with_ending(old, ending), _with_ending(new, ending)
    # As given it is found where a file mixes endings.
    for passage, other in (fitting, (old, new)):
        if count := text.count(passage):
            if count > 1 and not every:
                raise NotReplaced(_several(_lines_of(text, passage)))
            return text.replace(passage, other)
    return _replaced_lines(text, *fitting, ending, every=every)


def _replaced_lines(text: str, old: str, new: str, ending: str, *, every: bool) -> str:
    lines = text.split(ending)
    wanted = old.split(ending)
    whole = wanted[-1] == ""  # the passage ends with a line's end
    if whole:
        wanted.pop()
    replacement = new.split(ending)
    if whole and replacement[-1] == "":
        replacement.pop()
    elif whole and new:
        raise NotReplaced(
            "would join two lines: the old text ends with a line's end, the new one does not"
        )
    for alike in (_without_trailing, _without_indentation):
        places = _places(lines, wanted, alike)
        if not places:
            continue
        if len(places) > 1 and not every:
            raise NotReplaced(_several([place + 1 for place in places]))
        for place in reversed(places):
            there = lines[place : place + len(wanted)]
            fitted = _reindented(replacement, wanted, there)
            lines[place : place + len(wanted)] = fitted
        return ending.join(lines)
    raise NotReplaced(_not_found(lines, wanted))


def _places(lines: Sequence[str], wanted: Sequence[str], alike: Callable[[str], str]) -> list[int]:
    """Return where the wanted lines are, without overlaps."""
    there, asked = [alike(line) for line in lines], [alike(line) for line in wanted]
    if not any(asked):
        return []  # blank lines are everywhere
    found: list[int] = []
    place = 0
    while place + len(asked) <= len(there):
        if there[place : place + len(asked)] == asked and _same_shape(
            lines[place : place + len(asked)], wanted
        ):
            found.append(place)
            place += len(asked)
        else:
            place += 1
    return found


def _without_trailing(line: str) -> str:
    return line.rstrip()


def _without_indentation(line: str) -> str:
    return line.strip()


def _same_shape(there: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether the lines are indented alike, relative to the least indented one."""
    return _relative(there) == _relative(wanted)


def _relative(lines: Sequence[str]) -> list[int]:
    depths = [_depth(line) for line in lines if line.strip()]
    ranks = {depth: rank for rank, depth in enumerate(sorted(set(depths)))}
    return [ranks[depth] for depth in depths]


def _depth(line: str) -> int:
    """Return the columns of a line's indentation; a tab goes to the next multiple of eight."""
    return len(_indentation(line).expandtabs())


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _reindented(new: Sequence[str], old: Sequence[str], there: Sequence[str]) -> list[str]:
    """Return the new lines with the indentation that the old ones have in the file.

    Each indentation of the old text stands for the one at its place in the file. A deeper one keeps
    what it has beyond the longest of them that it begins with.
    """
    known = {
        _indentation(asked): _indentation(found)
        for asked, found in zip(old, there, strict=True)
        if asked.strip()
    }
    bases = sorted(known, key=len, reverse=True)

    def fitted(line: str) -> str:
        if not line.strip():
            return line
        mine = _indentation(line)
        base = next((one for one in bases if mine.startswith(one)), None)
        return line if base is None else known[base] + line[len(base) :]

    return [fitted(line) for line in new]


def _ending(text: str) -> str:
    """Return the ending of most lines."""
    pairs = text.count("\r\n")
    return "\r\n" if pairs * 2 > text.count("\n") else "\n"


def _with_ending(text: str, ending: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", ending)


def _lines_of(text: str, passage: str) -> list[int]:
    """Return the numbers, from 1, of the lines in which the passage begins."""
    numbers: list[int] = []
    at = text.find(passage)
    while at >= 0:
        numbers.append(text.count("\n", 0, at) + 1)
        at = text.find(passage, at + len(passage))
    return numbers


def _several(lines: Sequence[int]) -> str:
    named = ", ".join(str(line) for line in lines[:MOST_PLACES])
    more = ", ..." if len(lines) > MOST_PLACES else ""
    return (
        f"has the old text {len(lines)} times, in lines {named}{more}: give more of the lines "
        "around it, or replace_all"
    )


def _not_found(lines: Sequence[str], wanted: Sequence[str]) -> str:
    said = "does not have the old text"
    near = _nearest(lines, wanted)
    if near is None:
        return said
    shown = "\n".join(lines[near : near + len(wanted)])
    return f"{said}; most like it are lines {near + 1} to {near + len(wanted)}:\n{shown}"


def _nearest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Return where the most similar lines begin; None if none are similar."""
    # Imported here: only a mistake needs it.
    import difflib

    asked = "\n".join(line.strip() for line in wanted)
    best, place = _SIMILAR, None
    matcher = difflib.SequenceMatcher(b=asked, autojunk=False)
    for start in range(min(len(lines), _LONGEST_COMPARED) - len(wanted) + 1):
        matcher.set_seq1("\n".join(line.strip() for line in lines[start : start + len(wanted)]))
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            ratio = matcher.ratio()
            if ratio > best:
                best, place = ratio, start
    return place
