"""Users and tokens, for administration."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

Scope = Literal["read", "chat", "admin"]
# read: read one's own chats. chat: change them. admin: users, tokens, and the daemon itself.
SCOPES: Final[tuple[Scope, ...]] = ("read", "chat", "admin")
DEFAULT_SCOPES: Final[tuple[Scope, ...]] = ("read", "chat")


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to add, by a name of lower-case letters, digits and hyphens."""

    name: str


class User(msgspec.Struct, frozen=True):
    """An owner of chats, which only they see. A disabled user has no access; the chats stay."""

    name: str
    created_at: datetime
    disabled_at: datetime | None = None


class Users(msgspec.Struct, frozen=True):
    """All users."""

    users: list[User]


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to create. It expires `expires_seconds` from now, or never."""

    name: str
    user: str = "local"
    scopes: list[Scope] = msgspec.field(default_factory=lambda: list(DEFAULT_SCOPES))
    expires_seconds: int | None = None


class Token(msgspec.Struct, frozen=True):
    """A stored token: everything but its secret."""

    id: str
    user: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Tokens(msgspec.Struct, frozen=True):
    """All tokens, newest first."""

    tokens: list[Token]


class MadeToken(msgspec.Struct, frozen=True):
    """A new token with its secret, which is returned only once."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"MadeToken({self.token!r})"
