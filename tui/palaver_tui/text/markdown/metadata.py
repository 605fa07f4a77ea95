"""Keys of our data in markdown-it's `env` and in its tokens' `meta`."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

Env = MutableMapping[str, Any]
LEVEL = "level"  # in an `Env`: the levels of lists and quotes around the parsed text
WIDTHS = "widths"  # in the `meta` of a table's token: the columns' widths, if they are given
TRACE = "trace"  # in the `meta` of a token: the number of the run of source characters it shows
