"""Whose turn it is, where a model has others to stand in for it. Pure.

Everything follows from the journal of attempts, so that a daemon that goes on after another one
knows who was asked already.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from palaver.wire.errors import FailureKind

# Failures that another model may not have. A lost connection or a silence says little about the
# model, and a refusal would only be asked for once more.
PASSED_ON: frozenset[FailureKind] = frozenset({"overloaded", "rate_limit", "server_error"})
# So many of them, and another model is asked: one is a hiccup, and a change of model is felt.
PATIENCE = 3


class Tried(msgspec.Struct, frozen=True):
    """One attempt on the present history: who was asked, how it ended, and when it began.

    `started_at` is in milliseconds since the epoch.
    """

    model: str | None
    outcome: str | None
    started_at: int = 0


def whose_turn(wanted: str, fallback: Sequence[str], tried: Sequence[Tried]) -> str:
    """Return the model to ask: `wanted`, or the first of `fallback` that was not asked yet.

    Each of `fallback` is asked once; behind the last one it is `wanted` again, for what attempts
    it still has.
    """
    failures = sum(one.model == wanted and one.outcome in PASSED_ON for one in tried)
    if failures < PATIENCE:
        return wanted
    asked = {one.model for one in tried}
    return next((name for name in fallback if name not in asked), wanted)
