"""What can go wrong between a client and its daemon. The text of each error is one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from palaver.client.endpoint import Endpoint
    from palaver.wire.errors import Problem


class PalaverError(Exception):
    """A failure that a person is told about in one sentence."""


class Refused(PalaverError):
    """The daemon understood the request and did not do it; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class Unauthenticated(Refused):
    """The daemon does not know who asks: a token is missing, expired, revoked or mistyped."""

    def __init__(self, problem: Problem, endpoint: Endpoint) -> None:
        super().__init__(problem)
        has_one = endpoint.token is not None
        said = f"does not take the token for it: {self}" if has_one else "wants a token."
        self.args = (f"{endpoint} {said} To give it one:  palaver login {endpoint}",)
        self.endpoint = endpoint


class Unreachable(PalaverError):
    """No answer came. Whether the daemon acted on the request is unknown.

    `reason` is a clause without a full stop.
    """

    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(f"Cannot reach palaverd at {endpoint}: {reason}.")
        self.endpoint = endpoint
        self.reason = reason
