"""What the parser's environment and its tokens carry besides Markdown, by its key."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

Env = MutableMapping[str, Any]
LEVEL = "level"  # in an `Env`: the levels of lists and quotes around the text that is parsed
WIDTHS = "widths"  # in the `meta` of a table's token: those of its columns, where they are given
TRACE = "trace"  # in the `meta` of a token: the number of the run of source characters it shows
