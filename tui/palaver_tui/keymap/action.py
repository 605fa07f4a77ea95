"""What an action is: a row of the tables beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Where a key works. `app`: everywhere, before any part sees it; `escape` is special, see view.
Scope = Literal["app", "composer", "transcript", "search", "chats", "queue", "banner"]
# What must hold for an action to be offered.
Need = Literal[
    "always",
    "stoppable",
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
    "archived",
    "said",
    "error",
    "servers",
]


@dataclass(frozen=True)
class Action:
    """One action. `footer` is its short name there, None to stay out of it.

    `command` is its name in the composer, after a slash: whatever has one is in the palette too.

    `keys` arrive from every terminal, also through ssh, tmux and screen; `extra` only from those
    that can tell them from others: elsewhere Alt+Enter and Shift+Enter come as Enter.
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
