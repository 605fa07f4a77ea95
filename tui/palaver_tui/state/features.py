"""What a daemon is too old for, with a sentence that says so. Pure."""

from __future__ import annotations

from palaver.wire.chats import Info


def missing(info: Info | None, feature: str, what: str) -> str | None:
    """Return that a daemon has no `what` yet, a feature of `palaver.wire.protocol`.

    None if it has it, or if its features are not known yet.
    """
    if info is None or feature in info.capabilities:
        return None
    return f"The daemon is of version {info.version}, which has no {what} yet. Update it."
