"""Provider failures as values: signals in, one classified `ChatError` out.

Pure: no input or output, no event loop, no model SDK. A failure becomes a value once, at the
edge (`palaverd.providers`); everything after that reads the value.
"""

from __future__ import annotations

from palaver.wire.errors import ChatError
from palaverd.failures.classify import classify
from palaverd.failures.retry import GiveUp, RetryPolicy, Wait, decide
from palaverd.failures.signals import Signals

__all__ = ["GiveUp", "ProviderFailure", "RetryPolicy", "Signals", "Wait", "classify", "decide"]


class ProviderFailure(Exception):
    """A model call that failed, already classified. `error` is what is stored and shown."""

    def __init__(self, error: ChatError) -> None:
        super().__init__(f"{error.kind}: {error.message}")
        self.error = error
