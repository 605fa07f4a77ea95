"""Idempotency keys: a repeated request changes nothing and gets the first answer."""

from __future__ import annotations

import hashlib
from typing import Self, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from palaverd.chatstate.errors import KeyReused
from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition
from palaverd.store import codec
from palaverd.store.history import NewUserMessage
from palaverd.store.tables import idempotency_keys

T = TypeVar("T")

_FIND = select(idempotency_keys).where(
    idempotency_keys.c.owner == bindparam("of_owner"), idempotency_keys.c.key == bindparam("of_key")
)
_STORE = insert(idempotency_keys)


class Content(msgspec.Struct, frozen=True):
    """What tells a message from another one in a digest. Digests are stored: it keeps its shape."""

    content: str
    model: str | None
    created_by: str | None

    @classmethod
    def of(cls, message: NewUserMessage) -> Self:
        """Return the content of a message, without the key that the digest belongs to."""
        return cls(message.content, message.model, message.created_by)


class RequestKey(msgspec.Struct, frozen=True):
    """A client-chosen key, unique per owner, and what it was used for."""

    owner: str
    key: str
    operation: Transition
    fingerprint: str


def request_key(
    owner: str, key: str | None, operation: Transition, content: object
) -> RequestKey | None:
    """Make the key of a request; None when the client chose none."""
    if key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    return RequestKey(owner=owner, key=key, operation=operation, fingerprint=digest)


def find_answer(
    connection: Connection, key: RequestKey | None, kind: type[T]
) -> tuple[str, T] | None:
    """Return the chat and the first answer of a key; None for a new one.

    Raises:
        KeyReused: it was used for another operation or other content.
    """
    if key is None:
        return None
    found = connection.execute(_FIND, {"of_owner": key.owner, "of_key": key.key}).first()
    if found is None:
        return None
    if (found.operation, found.fingerprint) != (key.operation.value, key.fingerprint):
        raise KeyReused(
            key.operation, State.ABSENT, "this idempotency key was used for another request"
        )
    return found.chat_id, msgspec.json.decode(found.answer, type=kind)


def store_answer(
    connection: Connection, key: RequestKey | None, chat_id: str, answer: object, now: int
) -> None:
    """Remember a success in the transaction that made it, for the chat's lifetime."""
    if key is None:
        return
    connection.execute(
        _STORE,
        {
            "owner": key.owner,
            "key": key.key,
            "chat_id": chat_id,
            "operation": key.operation.value,
            "fingerprint": key.fingerprint,
            "answer": codec.dumps(answer),
            "created_at": now,
        },
    )
