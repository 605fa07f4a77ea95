"""Authentication and authorization: each route has a scope, each TCP request a token."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from math import ceil
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from palaver.clock import Clock
from palaver.wire.access import SCOPES
from palaverd.api import limits
from palaverd.api.connections import connection_of
from palaverd.api.declared import declared_of
from palaverd.api.hosts import ARRIVAL
from palaverd.api.problems import BadRequest, Handler
from palaverd.store.access import LOCAL_OWNER, PREFIX, StoredToken, hash_of
from palaverd.store.codec import to_ms


class Caller(NamedTuple):
    """The owner of a request and its scopes.

    `token_id` is None on the Unix socket. `expires_at` is when the token ends, in milliseconds
    since the epoch.
    """

    owner: str
    scopes: frozenset[str]
    token_id: str | None = None
    expires_at: int | None = None


LOCAL: Final = Caller(LOCAL_OWNER, frozenset(SCOPES))
CALLER: Final = web.RequestKey("caller", Caller)


class Strikes:
    """Counts wrong tokens by address: after a few, an address waits, twice as long each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._struck: dict[str, tuple[int, float, float]] = {}  # count, last, end of wait

    def waits(self, peer: str) -> float:
        """Return how many seconds this address must still wait."""
        return max(0.0, self._struck.get(peer, (0, 0.0, 0.0))[2] - self._clock.monotonic())

    def strike(self, peer: str) -> None:
        """Count a wrong token."""
        now = self._clock.monotonic()
        count, last, _ = self._struck.pop(peer, (0, now, 0.0))
        count = 1 if now - last > limits.LOGIN_FORGOTTEN_S else count + 1
        over = count - limits.LOGIN_FREE
        wait = 0.0 if over < 0 else min(2.0 ** min(over, 30), limits.LOGIN_WAIT_MOST_S)
        while len(self._struck) >= limits.LOGIN_ADDRESSES:
            del self._struck[next(iter(self._struck))]  # the least recent one
        self._struck[peer] = (count, now, now + wait)


class Gate:
    """Knows every token, and authenticates requests.

    Tokens are in memory, so that a check needs no query; a change of tokens calls `know` at once.
    `used` is called for a token at most once in `limits.USED_NOTED_S`, with the time in
    milliseconds.
    """

    def __init__(self, clock: Clock, used: Callable[[str, int], None]) -> None:
        self._clock = clock
        self._used = used
        self._noted: dict[str, float] = {}
        self._tokens: Mapping[str, StoredToken] = {}
        self._strikes = Strikes(clock)

    def know(self, tokens: Mapping[str, StoredToken]) -> None:
        """Replace the known tokens."""
        self._tokens = tokens

    def is_over(self, token_id: str) -> str | None:
        """Return why a token has ended, as a sentence; None if it is valid."""
        found = self._tokens.get(token_id)
        if found is None:
            return "This token is not known here."
        if found.revoked_at is not None:
            return "This token was revoked."
        if found.disabled_at is not None:
            return f"The user {found.owner} is disabled."
        if found.expires_at is not None and found.expires_at <= to_ms(self._clock.now()):
            return "This token has expired."
        return None

    def caller(self, authorizations: list[str], peer: str) -> Caller:
        """Return the caller that the Authorization headers of a request identify.

        Raises:
            BadRequest: `unauthenticated`, or `too_many_logins` for this address.
        """
        if not authorizations:
            raise unauthenticated("A token is wanted here, in the header Authorization: Bearer.")
        found = self._found(authorizations)
        if found is None:
            raise self._wrong(peer)
        # An ended token was not guessed, so it does not count against its address.
        if (over := self.is_over(found.id)) is not None:
            raise unauthenticated(over)
        # A valid one is accepted even if its address must wait: many clients share a router.
        self._note(found.id)
        return Caller(found.owner, found.scopes, found.id, found.expires_at)

    def _wrong(self, peer: str) -> BadRequest:
        """Return the error for an unknown token: to wait, or that it is unknown."""
        waits = self._strikes.waits(peer)
        if waits > 0:
            seconds = ceil(waits)
            return BadRequest(
                f"Too many wrong tokens came from {peer}. Try again in {seconds} s.",
                code="too_many_logins",
                status=429,
                headers={hdrs.RETRY_AFTER: str(seconds)},
            )
        self._strikes.strike(peer)
        return unauthenticated("This token is not known here.")

    def _found(self, authorizations: list[str]) -> StoredToken | None:
        scheme, _, said = authorizations[0].partition(" ")
        prefix, _, rest = said.strip().partition("_")
        token_id, _, secret = rest.partition("_")
        found = self._tokens.get(token_id)
        # Compared in any case, so that the time does not reveal which ids exist.
        same = hmac.compare_digest(hash_of(secret), found.hash if found else hash_of(""))
        right = len(authorizations) == 1 and scheme.lower() == "bearer" and prefix == PREFIX
        return found if right and same else None

    def _note(self, token_id: str) -> None:
        now = self._clock.monotonic()
        last = self._noted.get(token_id)
        if last is None or now - last >= limits.USED_NOTED_S:
            self._noted[token_id] = now
            self._used(token_id, to_ms(self._clock.now()))


GATE: Final = web.AppKey("gate", Gate)


def unauthenticated(sentence: str) -> BadRequest:
    """Return the error for a request without a valid token."""
    return BadRequest(
        sentence,
        code="unauthenticated",
        status=401,
        headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="palaver"'},
    )


@web.middleware
async def access_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Authenticate a request and check its route's scope. Runs after the check of host and origin.

    Unknown paths are reported to authenticated clients only.
    """
    declared = declared_of(request.match_info.handler)  # None for an unknown path
    wanted = None if declared is None else declared.scope
    if wanted == "public":
        return await handler(request)
    over_socket = connection_of(request).entrance.kind == "unix"
    if over_socket:
        caller = LOCAL
    else:
        said = list(request.headers.getall(hdrs.AUTHORIZATION, ()))
        caller = request.app[GATE].caller(said, request[ARRIVAL].peer)
    if wanted is not None and wanted not in caller.scopes:
        has = ", ".join(scope for scope in SCOPES if scope in caller.scopes)
        raise BadRequest(
            f"This needs a token with the scope {wanted}; yours has {has}.",
            code="scope",
            status=403,
        )
    if declared is not None and declared.over_socket and not over_socket:
        raise BadRequest(
            "This is done over the daemon's own socket only.", code="scope", status=403
        )
    request[CALLER] = caller
    return await handler(request)


def owner_of(request: web.Request) -> str:
    """Return the owner's id."""
    return request[CALLER].owner


def is_admin(request: web.Request) -> bool:
    """Return whether the caller may see the machine: paths, environment, other users."""
    return "admin" in request[CALLER].scopes
