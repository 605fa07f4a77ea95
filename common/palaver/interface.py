"""What the command line and an interface (entry point `palaver.interface`) agree upon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from palaver.remote.servers import Server


@dataclass(frozen=True)
class Choice:
    """A daemon that one can go to; `server` is None for the one of this machine."""

    server: Server | None
    here: bool = False  # whether it is the one in use

    @property
    def name(self) -> str:
        """Return what a person calls it."""
        return "this machine" if self.server is None else self.server.asked_for

    @property
    def address(self) -> str:
        """Return where it is, where the name does not say so."""
        return "" if self.server is None or self.server.name is None else str(self.server.place)


@dataclass(frozen=True)
class Left:
    """How an interface was left.

    `chat_id` is the chat that was shown, `go_to` the server that was chosen: the interface is to be
    opened again on it. Both are None where there is none.
    """

    code: int = 0
    chat_id: str | None = None
    go_to: Choice | None = None


# Reads client.toml, so it blocks; raises `PalaverError`.
Choices = Callable[[], list[Choice]]
