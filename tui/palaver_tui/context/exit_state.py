"""What was said about leaving the client, and where to go then."""

from __future__ import annotations

from dataclasses import dataclass

from palaver.interface import Choice


@dataclass
class ExitState:
    """What has been asked and said about leaving."""

    asked_at: float = float("-inf")  # when ^c was pressed with nothing to copy, monotonic seconds
    unsent_was_said: bool = False  # that messages are not with the daemon yet
    server: Choice | None = None  # where to go when the client is left
