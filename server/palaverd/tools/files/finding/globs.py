"""Patterns of file names, as shells and ignore files write them."""

from __future__ import annotations

from collections.abc import Callable

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError

from palaverd.tools.failures import ToolError

# Of one pattern; `{a,b}` eight times has 256.
MOST_ALTERNATIVES = 256


def matcher(pattern: str | None) -> Callable[[str], bool]:
    """Return whether a path, relative to where is looked, fits a pattern; None fits all.

    A pattern without a slash is about names in any directory, one with a slash about paths. It has
    `*`, `?`, `[...]`, `**` and `{a,b}`; with `!` before it, what fits is left out.

    Raises:
        ToolError: it is no pattern.
    """
    if pattern is None:
        return lambda path: True
    body = pattern.removeprefix("!").removeprefix("./")
    lines = [_escaped(one) for one in alternatives(body)]
    try:
        spec = GitIgnoreSpec.from_lines(lines, backend="simple")
    except GitIgnorePatternError:
        raise ToolError(f"{pattern} is no pattern of file names.") from None
    if not spec.patterns or not body.strip():
        raise ToolError(f"{pattern!r} is no pattern of file names.")
    if pattern.startswith("!"):
        return lambda path: not spec.match_file(path)
    return spec.match_file


def alternatives(pattern: str) -> list[str]:
    """Return a pattern once for each choice of its braces; a brace without its pair is a letter.

    Raises:
        ToolError: it has more than `MOST_ALTERNATIVES`.
    """
    done: list[str] = []
    left = [pattern]
    while left:
        one = left.pop()
        if (found := _first_braces(one)) is None:
            done.append(one)
        else:
            begin, choices, end = found
            left += [one[:begin] + choice + one[end:] for choice in reversed(choices)]
        if len(done) + len(left) > MOST_ALTERNATIVES:
            raise ToolError(f"The pattern has more than {MOST_ALTERNATIVES} alternatives.")
    return done


def _first_braces(pattern: str) -> tuple[int, list[str], int] | None:
    """Return where the first pair with a comma begins, its choices, and where it ends."""
    for begin, letter in enumerate(pattern):
        if letter != "{" or (begin and pattern[begin - 1] == "\\"):
            continue
        depth, choices, start = 0, [], begin + 1
        for at in range(begin, len(pattern)):
            letter = pattern[at]
            depth += (letter == "{") - (letter == "}")
            if letter == "," and depth == 1:
                choices.append(pattern[start:at])
                start = at + 1
            if depth == 0:
                if choices:
                    return begin, [*choices, pattern[start:at]], at + 1
                break
    return None


def _escaped(pattern: str) -> str:
    """Return a pattern whose first letter is no sign of an ignore file."""
    return f"\\{pattern}" if pattern.startswith(("#", "!")) else pattern
