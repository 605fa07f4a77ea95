"""Going to another daemon: the client is left, and opened again there."""

from __future__ import annotations

import asyncio

from palaver.client import PalaverError
from palaver.interface import Choice, Choices
from palaver.paths import client_config_path
from palaver_tui.actions.base import Base
from palaver_tui.keymap.actions import key_of
from palaver_tui.widgets.servers import server_picker


class Servers(Base):
    """Chooses a server. What is written for this one stays on disk, with it."""

    go_to: Choice | None = None  # where to go when the client is left
    _choices: Choices | None
    _warned = False  # that something is unsent, when leaving

    def do_server_choose(self) -> None:
        """Show the servers there are."""
        if self._choices is not None:
            self.run_worker(self._choose(self._choices))

    async def _choose(self, choices: Choices) -> None:
        try:
            servers = await asyncio.to_thread(choices)
        except PalaverError as error:
            self.say(str(error), "error")
            return

        def chosen(number: str | None) -> None:
            if number is not None and not servers[int(number)].here:
                self._leave_for(servers[int(number)])

        named_in = await asyncio.to_thread(client_config_path)
        self.push_screen(server_picker(servers, str(named_in)), chosen)

    def _leave_for(self, server: Choice) -> None:
        if self.leaving_is_said(f"Choose {server.name} again to go."):
            self.go_to = server
            self.exit(0)

    def leaving_is_said(self, how: str) -> bool:
        """Say once that something is not sent yet, and `how` to leave; False if it was said now."""
        unsent = self.session.outbox.unsent
        if not unsent or self._warned:
            return True
        self._warned = True
        words = "1 message is" if unsent == 1 else f"{unsent} messages are"
        self.say(
            f"{words} not sent yet. It is kept and goes out when you are back. {how}", "warning"
        )
        return False


LEAVE_AGAIN = f"Press {key_of('app.quit')} again to leave."
