"""Use cases of users and tokens. The gate is told of each change at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from palaver.clock import Clock
from palaver.wire.access import MadeToken, NewToken, Token, Tokens, User, Users
from palaverd.store import access
from palaverd.store.access import StoredToken
from palaverd.store.codec import to_ms
from palaverd.store.database import Database

T = TypeVar("T")


class Registry(msgspec.Struct, frozen=True):
    """The dependencies of these use cases.

    `changed` is called with all tokens after each commit, also if the caller was cancelled; when a
    use case returns, its change is in force.
    """

    database: Database
    clock: Clock
    changed: Callable[[Mapping[str, StoredToken]], None]


async def list_users(registry: Registry) -> Users:
    """Return every user, by name."""
    return Users(await registry.database.read(access.list_users))


async def add_user(registry: Registry, name: str) -> User:
    """Add a user, or enable a disabled one.

    Raises:
        AccessError: the name is invalid, or taken.
    """
    return await _change(registry, lambda c, now: access.add_user(c, name, now))


async def disable_user(registry: Registry, name: str) -> User:
    """Disable a user: their tokens are refused from now on.

    Raises:
        AccessError: there is none, or it is the daemon's own.
    """
    return await _change(registry, lambda c, now: access.disable_user(c, name, now))


async def list_tokens(registry: Registry) -> Tokens:
    """Return every token, without its secret."""
    return Tokens(await registry.database.read(access.list_tokens))


async def make_token(registry: Registry, new: NewToken) -> MadeToken:
    """Create a token. The result has its secret, which is not stored.

    Raises:
        AccessError: there is no such user, or the request is invalid.
    """
    return await _change(registry, lambda c, now: access.make_token(c, new, now))


async def revoke_token(registry: Registry, token_id: str) -> Token:
    """Revoke a token: it is refused from now on.

    Raises:
        AccessError: there is none.
    """
    return await _change(registry, lambda c, now: access.revoke_token(c, token_id, now))


async def _change(registry: Registry, work: Callable[[Connection, int], T]) -> T:
    def transaction(connection: Connection) -> tuple[T, dict[str, StoredToken]]:
        done = work(connection, to_ms(registry.clock.now()))
        return done, access.read_tokens(connection)

    def committed(outcome: tuple[T, dict[str, StoredToken]]) -> None:
        registry.changed(outcome[1])

    return (await registry.database.write(transaction, committed=committed))[0]
