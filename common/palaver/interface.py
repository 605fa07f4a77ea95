"""The contract between the command line and an interface (entry point `palaver.interface`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from palaver.remote.servers import Server


class Choice(msgspec.Struct, frozen=True):
    """A daemon to choose; `server` is None for this machine's."""

    server: Server | None
    here: bool = False  # whether it is the current one

    @property
    def name(self) -> str:
        """The name to show."""
        return "this machine" if self.server is None else self.server.asked_for

    @property
    def address(self) -> str:
        """Its address, "" if the name is the address."""
        return "" if self.server is None or self.server.name is None else str(self.server.place)


class Left(msgspec.Struct, frozen=True):
    """The result of an interface.

    `chat_id` is the chat that was shown; `go_to` is the server that was chosen, on which to open
    the interface again. Both may be None.
    """

    code: int = 0
    chat_id: str | None = None
    go_to: Choice | None = None


# Reads client.toml, so it blocks. Raises `PalaverError`.
Choices = Callable[[], list[Choice]]
