"""What Enter on an empty composer does: the one thing that helps now. Pure."""

from __future__ import annotations

from typing import Literal

from palaver_tui.view.chat import ChatView
from palaver_tui.view.connection import Connection

Primary = Literal["app.reconnect", "retry.now", "error.retry", "queue.release", "queue.head"]
# Failures that come back as they were until something else changes; the banner says what.
HOPELESS = frozenset({"context_overflow", "content_filter"})

LABELS: dict[Primary, str] = {
    "app.reconnect": "try again",
    "retry.now": "now",
    "error.retry": "try again",
    "queue.release": "release the queue",
    "queue.head": "send the next one now",
}


def primary(view: ChatView, connection: Connection) -> Primary | None:
    """Return the action that the banner or the queue offers first."""
    if connection.phase == "offline":
        return "app.reconnect"
    if view.status == "running" and view.retry is not None:
        return "retry.now"
    if view.status == "error" and view.error is not None:
        return None if view.error.kind in HOPELESS else "error.retry"
    if view.queue:
        return "queue.release" if view.held or view.status == "paused" else "queue.head"
    return None
