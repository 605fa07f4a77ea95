"""Users and tokens. A token's secret is returned once, when it is created, and never stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec
from sqlalchemy import Connection, insert, select, update

from palaver.wire.access import MadeToken, NewToken, Scope, Token, User
from palaverd.store.codec import from_ms, from_ms_optional
from palaverd.store.tables import tokens, users

# The owner of requests over the Unix socket.
LOCAL_OWNER: Final = "local"
PREFIX: Final = "palaver"
ID_LENGTH: Final = 10
SECRET_BYTES: Final = 32  # 256 bits cannot be guessed, so one round of SHA-256 is enough
NAME_LIMIT: Final = 80
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_USER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LONGEST_S: Final = 10 * 366 * 86_400  # ten years; a longer one is `never`


class AccessError(Exception):
    """Users and tokens were not changed. The message is a sentence; `status` is for HTTP."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class StoredToken(msgspec.Struct, frozen=True):
    """A token as it is looked up. Times are milliseconds since the epoch."""

    id: str
    owner: str
    hash: str = ""
    scopes: frozenset[str] = frozenset()
    expires_at: int | None = None
    revoked_at: int | None = None
    disabled_at: int | None = None  # of its owner

    def __repr__(self) -> str:
        return f"StoredToken({self.id})"


def hash_of(secret: str) -> str:
    """Return the hash of a secret."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def ensure_user(connection: Connection, user_id: str, now: int) -> None:
    """Create a user's row if it is missing."""
    if connection.execute(select(users.c.id).where(users.c.id == user_id)).first() is None:
        connection.execute(insert(users).values(id=user_id, created_at=now))


def add_user(connection: Connection, name: str, now: int) -> User:
    """Add a user, or enable a disabled one.

    Raises:
        AccessError: the name is invalid, or taken.
    """
    if not _USER.fullmatch(name):
        raise AccessError(
            "A user's name has 1 to 32 lower-case letters, digits and hyphens, and begins with a "
            "letter or a digit."
        )
    found = connection.execute(select(users).where(users.c.id == name)).mappings().first()
    if found is None:
        connection.execute(insert(users).values(id=name, created_at=now))
    elif found["disabled_at"] is None:
        raise AccessError(f"There is a user {name} already.", status=409)
    else:
        connection.execute(update(users).where(users.c.id == name).values(disabled_at=None))
    return _user(connection, name)


def list_users(connection: Connection) -> list[User]:
    """Return every user, by name."""
    return [
        _wire_user(row) for row in connection.execute(select(users).order_by(users.c.id)).mappings()
    ]


def disable_user(connection: Connection, name: str, now: int) -> User:
    """Disable a user; their chats are kept. Idempotent.

    Raises:
        AccessError: there is none, or it is the daemon's own.
    """
    if name == LOCAL_OWNER:
        raise AccessError(
            f"{LOCAL_OWNER} is whoever runs the daemon, and is not disabled. To end a token:  "
            "palaverd token revoke ID",
            status=409,
        )
    _user(connection, name)
    connection.execute(
        update(users)
        .where(users.c.id == name, users.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )
    return _user(connection, name)


def make_token(connection: Connection, new: NewToken, now: int) -> MadeToken:
    """Create a token. The result has its secret, which is not stored.

    Raises:
        AccessError: there is no such user, or the request is invalid.
    """
    name = new.name.strip()
    if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
        raise AccessError(f"A token's name has 1 to {NAME_LIMIT} printable characters.")
    if not new.scopes:
        raise AccessError(f"A token has at least one scope of {', '.join(get_args(Scope))}.")
    if new.expires_seconds is not None and not 0 < new.expires_seconds <= LONGEST_S:
        raise AccessError("A token ends within ten years, or never.")
    if _user(connection, new.user).disabled_at is not None:
        raise AccessError(
            f"The user {new.user} is disabled. To let them in again:  palaverd user add {new.user}",
            status=409,
        )
    token_id = "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    expires = None if new.expires_seconds is None else now + new.expires_seconds * 1000
    connection.execute(
        insert(tokens).values(
            id=token_id,
            owner=new.user,
            name=name,
            hash=hash_of(secret),
            scopes=" ".join(scope for scope in get_args(Scope) if scope in new.scopes),
            created_at=now,
            expires_at=expires,
        )
    )
    return MadeToken(_token(connection, token_id), f"{PREFIX}_{token_id}_{secret}")


def list_tokens(connection: Connection) -> list[Token]:
    """Return every token, including ended ones, newest first."""
    query = select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id)
    return [_wire_token(row) for row in connection.execute(query).mappings()]


def revoke_token(connection: Connection, token_id: str, now: int) -> Token:
    """Revoke a token. Idempotent.

    Raises:
        AccessError: there is none.
    """
    _token(connection, token_id)
    connection.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return _token(connection, token_id)


def read_tokens(connection: Connection) -> dict[str, StoredToken]:
    """Return every token by its id, including ended ones, to tell their clients the reason."""
    query = select(tokens, users.c.disabled_at).join(users, users.c.id == tokens.c.owner)
    return {
        row["id"]: StoredToken(
            id=row["id"],
            owner=row["owner"],
            hash=row["hash"],
            scopes=frozenset(row["scopes"].split()),
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
            disabled_at=row["disabled_at"],
        )
        for row in connection.execute(query).mappings()
    }


def note_used(connection: Connection, token_id: str, now: int) -> None:
    """Store when a token was last used."""
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=now))


def _user(connection: Connection, name: str) -> User:
    found = connection.execute(select(users).where(users.c.id == name)).mappings().first()
    if found is None:
        known = ", ".join(user.name for user in list_users(connection))
        raise AccessError(f"There is no user {name[:40]!a}. There are: {known}.", status=404)
    return _wire_user(found)


def _token(connection: Connection, token_id: str) -> Token:
    found = connection.execute(select(tokens).where(tokens.c.id == token_id)).mappings().first()
    if found is None:
        raise AccessError(
            "There is no token of this id. The ids are in:  palaverd token list", status=404
        )
    return _wire_token(found)


def _wire_user(row: Mapping[Any, Any]) -> User:
    return User(row["id"], from_ms(row["created_at"]), from_ms_optional(row["disabled_at"]))


def _wire_token(row: Mapping[Any, Any]) -> Token:
    return Token(
        id=row["id"],
        user=row["owner"],
        name=row["name"],
        scopes=row["scopes"].split(),
        created_at=from_ms(row["created_at"]),
        expires_at=from_ms_optional(row["expires_at"]),
        last_used_at=from_ms_optional(row["last_used_at"]),
        revoked_at=from_ms_optional(row["revoked_at"]),
    )
