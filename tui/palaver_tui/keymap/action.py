"""The type of an action, a row of the tables in this package."""

from __future__ import annotations

from typing import Literal

import msgspec

# Where a key works. `app`: everywhere, before any widget handles it.
Scope = Literal["app", "composer", "question", "transcript", "search", "chats", "queue"]
# The condition under which an action is offered; `actions/availability.py` checks it.
Need = Literal[
    "always",
    "stoppable",
    "asked",
    "retrying",
    "failed",
    "queue",
    "offline",
    "chat",
    "searching",
    "models",
    "setup.restart",
    "setup.local",
    "present",
    "pinned",
    "archived",
    "said",
    "error",
    "servers",
]


class Action(msgspec.Struct, frozen=True):
    """An action. `footer` is its label in the footer, None if it is not shown there.

    `command` is its slash command in the composer; an action that has one is in the palette too.

    Every terminal sends `keys`, also through ssh, tmux and screen. Only some send `extra`: from
    the others, Alt+Enter and Shift+Enter arrive as Enter.
    """

    id: str
    title: str
    help: str
    scope: Scope
    keys: tuple[str, ...] = ()
    footer: str | None = None
    need: Need = "always"
    command: str | None = None
    extra: tuple[str, ...] = ()
