"""Choose between a model and its fallbacks. Pure.

The journal of attempts decides, so that a daemon that resumes a turn knows which models were
asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from palaver.wire.errors import FailureKind

# Failures that another model may not have. A lost connection or a timeout says little about the
# model, and a refused request would be refused again.
PASSED_ON: frozenset[FailureKind] = frozenset({"overloaded", "rate_limit", "server_error"})
# After this many of them a fallback is asked: one is common, and users notice another model.
PATIENCE = 3


class Tried(msgspec.Struct, frozen=True):
    """One attempt on the current history: the model, how it ended, and when it began.

    `started_at` is in milliseconds since the epoch.
    """

    model: str | None
    outcome: str | None
    started_at: int = 0


def whose_turn(wanted: str, fallback: Sequence[str], tried: Sequence[Tried]) -> str:
    """Return the model to ask: `wanted`, or the first of `fallback` that was not asked yet.

    Each fallback is asked once; after the last one `wanted` gets its remaining attempts.
    """
    failures = sum(one.model == wanted and one.outcome in PASSED_ON for one in tried)
    if failures < PATIENCE:
        return wanted
    asked = {one.model for one in tried}
    return next((name for name in fallback if name not in asked), wanted)
