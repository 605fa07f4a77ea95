"""Errors between a client and its daemon. Each message is one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from palaver import __version__

if TYPE_CHECKING:
    from palaver.client.endpoint import Endpoint
    from palaver.wire.chats import Info
    from palaver.wire.errors import Problem
    from palaver.wire.protocol import Side


class PalaverError(Exception):
    """A failure whose message is one sentence for the user."""


class Refused(PalaverError):
    """The daemon refused the request; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class Unauthenticated(Refused):
    """The daemon does not accept the client's token, or requires one."""

    def __init__(self, problem: Problem, endpoint: Endpoint) -> None:
        super().__init__(problem)
        has_one = endpoint.token is not None
        said = f"does not accept the token: {self}" if has_one else "wants a token."
        self.args = (f"{endpoint} {said} Log in with  palaver login {endpoint}",)
        self.endpoint = endpoint


class Incompatible(PalaverError):
    """Daemon and client have versions that do not understand each other.

    `upgrade` is the side that is too old.
    """

    def __init__(self, info: Info, endpoint: Endpoint, upgrade: Side) -> None:
        self.info = info
        self.upgrade = upgrade
        daemon, ours = f"palaverd {info.version} at {endpoint}", f"palaver {__version__}"
        if upgrade == "client":
            said = (
                f"This {ours} is too old for {daemon}. Upgrade it here:"
                "  pip install --upgrade palaver  and start it anew."
            )
        elif endpoint.socket is not None and info.private:
            said = (
                f"{daemon} is too old for this {ours}. It goes on with"
                f" {_chats(info.working)} and is replaced when that is done;  palaver daemon"
                " restart  does it now, and nothing is lost."
            )
        else:
            said = (
                f"{daemon} is too old for this {ours}. Upgrade it where it runs:"
                "  pip install --upgrade 'palaver[server]'  and start it anew."
            )
        super().__init__(said)


def _chats(count: int) -> str:
    return "1 chat" if count == 1 else f"{count} chats"


class Unreachable(PalaverError):
    """No response arrived. Whether the daemon applied the request is unknown.

    `reason` is a clause without a full stop. `never_sent`: there was no connection, so that the
    daemon has certainly not applied it.
    """

    def __init__(self, endpoint: Endpoint, reason: str, *, never_sent: bool = False) -> None:
        super().__init__(f"Cannot reach palaverd at {endpoint}: {reason}.")
        self.endpoint = endpoint
        self.reason = reason
        self.never_sent = never_sent
