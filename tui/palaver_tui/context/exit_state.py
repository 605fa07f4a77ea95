"""The state of leaving the client: warnings that were shown, and the server to go to."""

from __future__ import annotations

import msgspec

from palaver.interface import Choice


class ExitState(msgspec.Struct):
    """Confirmations that were asked for and warnings that were shown, and the next server."""

    asked_at: float = float("-inf")  # when ^c was pressed with nothing to copy, monotonic seconds
    unsent_was_said: bool = False  # the warning of unsent messages was shown
    server: Choice | None = None  # the server to open the client for after leaving; None: none
