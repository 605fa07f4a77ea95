"""Folds: text of which one line is shown until the user unfolds it. Pure.

A fold has a key that stays valid when its message is committed or paged in: for a call its id, for
a run of steps the id of its last message.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

# `rest`: the middle of something long, such as a tool's output.
FoldKind = Literal["reasoning", "call", "steps", "rest"]
CLOSED, OPENED = "▸", "▾"


class FoldKey(NamedTuple):
    """The key of a fold. `owner` is a call's or message's id, `number` the index in it."""

    kind: FoldKind
    owner: str
    number: int = 0


class Folds(msgspec.Struct, frozen=True):
    """Which folds are open: the kinds open by default, and the folds turned from that."""

    open_kinds: frozenset[FoldKind] = frozenset()
    turned: frozenset[FoldKey] = frozenset()

    def is_open(self, key: FoldKey) -> bool:
        """Return whether the fold is open."""
        return (key.kind in self.open_kinds) != (key in self.turned)

    def turn(self, key: FoldKey) -> Folds:
        """Return the folds with one opened or closed."""
        return replace(self, turned=self.turned ^ {key})

    def with_kind(self, kind: FoldKind, open_: bool) -> Folds:
        """Return the folds with all of a kind open, or all closed."""
        kinds = self.open_kinds | {kind} if open_ else self.open_kinds - {kind}
        return Folds(kinds, frozenset(key for key in self.turned if key.kind != kind))

    def all(self, open_: bool) -> Folds:
        """Return the folds with all open, or all closed. The kind `rest` stays closed."""
        kinds: frozenset[FoldKind] = frozenset({"reasoning", "call", "steps"})
        return Folds(kinds if open_ else frozenset())

    def renamed(self, names: dict[FoldKey, FoldKey]) -> Folds:
        """Return the folds with keys replaced as in `names`."""
        return replace(self, turned=frozenset(names.get(key, key) for key in self.turned))
