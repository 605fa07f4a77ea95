"""The open WebSockets: to limit them, and to close them at a shutdown or with their token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web

from palaver.clock import Clock, deadline
from palaverd.api import limits
from palaverd.api.access import Caller
from palaverd.api.line import Line
from palaverd.api.problems import BadRequest
from palaverd.store.codec import to_ms

log = structlog.get_logger("palaverd.api")


class OpenSockets:
    """The open sockets: to close them at a shutdown, and to limit them to `most` per owner."""

    def __init__(self, most: int = limits.STREAMS_PER_OWNER) -> None:
        self._most = most
        self._by_owner: dict[str, set[web.WebSocketResponse]] = {}
        self._by_token: dict[str, set[Line]] = {}

    def __len__(self) -> int:
        return sum(len(each) for each in self._by_owner.values())

    def add(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Register a socket.

        Raises:
            BadRequest: the owner has `most` already.
        """
        held = self._by_owner.setdefault(owner, set())
        if len(held) >= self._most:
            raise BadRequest(
                f"{self._most} streams are open already; close some.",
                code="too_many_streams",
                status=429,
            )
        held.add(socket)

    def discard(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Remove a socket."""
        held = self._by_owner.get(owner, set())
        held.discard(socket)
        if not held:
            self._by_owner.pop(owner, None)

    @contextmanager
    def ends_with(
        self, caller: Caller, line: Line, is_over: Callable[[str], object], clock: Clock
    ) -> Iterator[None]:
        """Close a socket when its caller's token expires or is revoked, while the block runs."""
        token = caller.token_id
        if token is None:
            yield
            return
        self._by_token.setdefault(token, set()).add(line)
        timer = None
        if is_over(token):  # revoked between the request's admission and now
            _turn_out(line)
        elif caller.expires_at is not None:
            left = max(0, caller.expires_at - to_ms(clock.now())) / 1000
            timer = clock.call_later(left, lambda: _turn_out(line))
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            held = self._by_token.get(token, set())
            held.discard(line)
            if not held:
                self._by_token.pop(token, None)

    def turn_out(self, is_over: Callable[[str], object]) -> None:
        """Close the sockets of every token that is no longer valid."""
        for token in [token for token in self._by_token if is_over(token)]:
            for line in list(self._by_token[token]):
                _turn_out(line)

    async def close_all(self, clock: Clock) -> None:
        """Close every socket with a code after which clients reconnect at once.

        A client that does not read is not waited for: its connection ends with the process.
        """
        sockets = [socket for each in self._by_owner.values() for socket in each]
        goodbyes = asyncio.gather(
            *(
                socket.close(code=limits.CLOSE_GOING_AWAY, message=b"going away; reconnect")
                for socket in sockets
            ),
            return_exceptions=True,
        )
        try:
            async with deadline(clock, limits.GOODBYE_S):
                await goodbyes
        except TimeoutError:
            log.warning("clients not told", sockets=len(self))


def _turn_out(line: Line) -> None:
    line.part(limits.CLOSE_NOT_LET_IN, "the token is over", grace_s=limits.GOODBYE_S)


SOCKETS = web.AppKey("sockets", OpenSockets)
