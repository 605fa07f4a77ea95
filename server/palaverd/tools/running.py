"""What a tool gets for one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from palaver.clock import Clock
from palaverd.tools.workspace import Workspace


class Running(msgspec.Struct, frozen=True):
    """One call that runs.

    `workspace` is the chat's directory; tools that declare that they need one always have it.
    `budget` is how many bytes of text the model gets. `folder` is this call's own directory in the
    data directory; it need not exist. `say` shows people text while the call runs. `sees` says
    whether the model understands pictures.
    """

    chat_id: str
    call_id: str
    workspace: Workspace | None
    budget: int
    folder: Path
    say: Callable[[str], None]
    clock: Clock
    sees: bool = False

    @property
    def root(self) -> Workspace:
        """The workspace of a tool that declares that it needs one."""
        assert self.workspace is not None
        return self.workspace
