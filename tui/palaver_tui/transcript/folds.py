"""What is folded: one line stands for it until somebody unfolds it. Pure.

A fold is named by a key that survives what the text goes through: a call by its id, while it
streams and after; a run of steps by its last message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

# `rest`: the middle of something long, such as a tool's output.
FoldKind = Literal["reasoning", "call", "steps", "rest"]
CLOSED, OPENED = "▸", "▾"


class FoldKey(NamedTuple):
    """One thing that folds. `owner` is a call's or message's id, `number` counts within it."""

    kind: FoldKind
    owner: str
    number: int = 0


@dataclass(frozen=True)
class Folds:
    """Which kinds are open by themselves, and which things are the other way round."""

    open_kinds: frozenset[FoldKind] = frozenset()
    turned: frozenset[FoldKey] = frozenset()

    def is_open(self, key: FoldKey) -> bool:
        """Say whether `key` is unfolded."""
        return (key.kind in self.open_kinds) != (key in self.turned)

    def turn(self, key: FoldKey) -> Folds:
        """Return the folds with one thing the other way round."""
        return replace(self, turned=self.turned ^ {key})

    def with_kind(self, kind: FoldKind, open_: bool) -> Folds:
        """Return the folds with all things of a kind open, or all folded."""
        kinds = self.open_kinds | {kind} if open_ else self.open_kinds - {kind}
        return Folds(kinds, frozenset(key for key in self.turned if key.kind != kind))

    def all(self, open_: bool) -> Folds:
        """Return the folds with everything open, or folded. What is very long stays folded."""
        kinds: frozenset[FoldKind] = frozenset({"reasoning", "call", "steps"})
        return Folds(kinds if open_ else frozenset())

    def renamed(self, names: dict[FoldKey, FoldKey]) -> Folds:
        """Return the folds after things were given other keys."""
        return replace(self, turned=frozenset(names.get(key, key) for key in self.turned))
