"""Which directory a new chat works in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from palaver.wire.chats import ChosenWorkspace, Info


class WantedWorkspace(msgspec.Struct, frozen=True):
    """The directory for new chats, by its absolute path on the daemon's machine; None for none.

    `named`: the person named it. Else it is the one that the program was started in.
    """

    path: str | None = None
    named: bool = False

    def of(self, info: Info) -> ChosenWorkspace | None:
        """Return the workspace of a new chat of this daemon, if any.

        Only a private daemon of this machine gets the directory that the person happens to be in:
        any other one may be shared, or has other files under the same path.
        """
        from palaver.wire.chats import ChosenWorkspace

        here = info.private and info.host in (None, os.uname().nodename.partition(".")[0])
        if self.path is None or not (self.named or here):
            return None
        return ChosenWorkspace(path=self.path)


NO_WORKSPACE = WantedWorkspace()
