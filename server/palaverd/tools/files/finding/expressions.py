r"""Regular expressions, as far as Python's engine and ripgrep's agree.

ripgrep takes time in proportion to the text, so it is asked first. What it refuses, and everything
where it is missing, is matched by Python, which knows lookarounds and references besides.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from palaverd.tools.failures import ToolError

# Of words: Python takes these for the signs < and >.
_WORD_ENDS = {r"\<": r"\b(?=\w)", r"\>": r"\b(?<=\w)"}


def check_lines(pattern: str) -> None:
    """Raise ToolError for a pattern with the end of a line in it, which no line has."""
    if any(token in (r"\n", "\n") and not in_set for token, in_set in _tokens(pattern)):
        raise ToolError(
            "The pattern has the end of a line in it, but lines are searched one by one: search "
            "for a part of one line, with context around it."
        )


def compiled(pattern: str, *, literal: bool, ignore_case: bool) -> re.Pattern[str]:
    """Return a pattern for Python's engine.

    Raises:
        ToolError: it is not valid, or would mean something else than in ripgrep.
    """
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    if literal:
        return re.compile(re.escape(pattern), flags)
    text = "".join(
        token if in_set else _WORD_ENDS.get(token, token) for token, in_set in _tokens(pattern)
    )
    try:
        with warnings.catch_warnings():
            # [[:alpha:]], and sets with &&, -- or ~~.
            warnings.simplefilter("error", FutureWarning)
            return re.compile(text, flags)
    except FutureWarning as warning:
        raise ToolError(f"The pattern is not understood: {warning}.") from None
    except (re.error, OverflowError, RecursionError) as error:
        raise ToolError(
            f"The pattern is not valid: {error}. With literal=true it is taken as plain text."
        ) from None


def _tokens(pattern: str) -> Iterator[tuple[str, bool]]:
    """Yield letters and escaped letters, each with whether it is in a set."""
    in_set = False
    at = 0
    while at < len(pattern):
        token = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        at += len(token)
        if token == "[" and not in_set:
            yield token, False
            in_set = True
            # A ] that comes first is a member.
            first = re.match(r"\^?\]?", pattern[at:])
            assert first is not None
            for letter in first[0]:
                yield letter, True
            at += len(first[0])
            continue
        if token == "]" and in_set:
            in_set = False
        yield token, in_set
