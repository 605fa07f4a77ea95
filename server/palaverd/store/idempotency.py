"""Idempotency keys: a repeated request changes nothing and gets the first answer."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection, insert, select

from palaverd.chatstate.errors import KeyReused
from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition
from palaverd.store.tables import idempotency_keys


class RequestKey(msgspec.Struct, frozen=True):
    """A client-chosen key, unique per owner, and what it was used for."""

    owner: str
    key: str
    operation: Transition
    fingerprint: str


class Known(msgspec.Struct, frozen=True):
    """What a key did the first time."""

    chat_id: str
    message_id: int | None
    queued_id: int | None


def request_key(
    owner: str, key: str | None, operation: Transition, content: object
) -> RequestKey | None:
    """Make the key of a request; None when the client chose none."""
    if key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    return RequestKey(owner=owner, key=key, operation=operation, fingerprint=digest)


def find_key(connection: Connection, key: RequestKey) -> Known | None:
    """Look a key up.

    Raises:
        KeyReused: it was used for another operation or other content.
    """
    found = connection.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.owner == key.owner, idempotency_keys.c.key == key.key
        )
    ).first()
    if found is None:
        return None
    if (found.operation, found.fingerprint) != (key.operation.value, key.fingerprint):
        raise KeyReused(
            key.operation, State.ABSENT, "this idempotency key was used for another request"
        )
    return Known(chat_id=found.chat_id, message_id=found.message_id, queued_id=found.queued_id)


def store_key(
    connection: Connection,
    key: RequestKey,
    known: Known,
    now: int,
) -> None:
    """Remember a key in the transaction that did what it asked."""
    connection.execute(
        insert(idempotency_keys).values(
            owner=key.owner,
            key=key.key,
            chat_id=known.chat_id,
            operation=key.operation.value,
            fingerprint=key.fingerprint,
            message_id=known.message_id,
            queued_id=known.queued_id,
            created_at=now,
        )
    )
