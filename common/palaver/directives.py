"""The syntax of directives, which tell the simulator how to answer a prompt.

Forms: `[[name]]`, `[[name=value]]`, `[[name key=value]]`. The simulator obeys them, titles omit
them. Unlisted names are ordinary text.
"""

from __future__ import annotations

import re
from typing import Final

# Of a parameter: JSON of an object, which may have brackets, or what has none. Neither has blanks;
# the limit keeps a search through a long text linear.
_VALUE: Final = r"(?:\{\S{0,4000}?\}(?=\s|\]\])|[^\s\[\]]+)"
# Name, value, parameters.
DIRECTIVE: Final = re.compile(
    rf"\[\[([a-z0-9][a-z0-9-]*)(?:=([^\s\[\]]*))?((?:\s+[a-z-]+={_VALUE})*)\]\]"
)
# Directives about the answer, and faults.
SHAPE_NAMES: Final = frozenset(
    {"echo", "length", "rate", "slow-first", "reasoning", "tool", "session", "dialect"}
)
FAULT_NAMES: Final = frozenset(
    {
        *("400", "401", "402", "403", "404", "408", "413", "422", "429"),
        *("500", "502", "503", "504", "529"),
        *("bad-utf8", "close", "context", "cut", "duplicate", "empty", "endless-event", "error"),
        *("filter", "flood", "garbage", "leak", "loading", "no-terminal", "pings", "quota"),
        *("redirect", "refuse", "reset", "silence", "split", "stay-open", "wrong-type"),
    }
)


def without_directives(text: str) -> str:
    """Return the text without its directives."""
    known = SHAPE_NAMES | FAULT_NAMES
    return DIRECTIVE.sub(lambda match: "" if match[1] in known else match[0], text)
