"""What a tool gets for one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from palaver.clock import Clock
from palaverd.tools.commands.registry import Commands
from palaverd.tools.workspace import Workspace


class Running(msgspec.Struct, frozen=True):
    """One call that runs.

    `workspace` is the chat's directory; tools that declare that they need one always have it.
    `budget` is how many bytes of text the model gets. `folder` is this call's own directory in the
    data directory; it need not exist. `say` shows people text while the call runs. `sees` says
    whether the model understands pictures. `processes` are all commands of the daemon.
    `handed_over` says, when the call is cancelled, whether another runner takes it over.
    """

    chat_id: str
    call_id: str
    workspace: Workspace | None
    budget: int
    folder: Path
    say: Callable[[str], None]
    clock: Clock
    sees: bool = False
    processes: Commands | None = None
    handed_over: Callable[[], bool] = lambda: False

    @property
    def root(self) -> Workspace:
        """The workspace of a tool that declares that it needs one."""
        assert self.workspace is not None
        return self.workspace

    @property
    def commands(self) -> Commands:
        """The commands of the daemon: every call of a chat has them."""
        assert self.processes is not None
        return self.processes
