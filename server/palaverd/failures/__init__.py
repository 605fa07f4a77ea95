"""Classify provider failures: `Signals` in, one `ChatError` out.

Pure: no I/O, no event loop, no model SDK. `palaverd.providers` turns an exception into signals
once; everything after that reads the classified value.
"""

from __future__ import annotations

from palaver.wire.errors import ChatError
from palaverd.failures.classify import classify
from palaverd.failures.retry import GiveUp, RetryPolicy, Wait, decide
from palaverd.failures.signals import Signals

__all__ = ["GiveUp", "ProviderFailure", "RetryPolicy", "Signals", "Wait", "classify", "decide"]


class ProviderFailure(Exception):
    """A classified failure of a model call. `error` is what is stored and shown."""

    def __init__(self, error: ChatError) -> None:
        super().__init__(f"{error.kind}: {error.message}")
        self.error = error
