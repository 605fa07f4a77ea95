"""Print `live` when every stream of a reader has begun."""

from __future__ import annotations

import click


class Begun:
    """Prints `live` at the `streams`-th call of `note`."""

    def __init__(self, streams: int) -> None:
        self._missing = streams

    def note(self) -> None:
        """Count one more stream that has begun."""
        self._missing -= 1
        if self._missing == 0:
            click.echo("live")
