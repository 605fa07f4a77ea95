"""Idempotency keys: a repeated request changes nothing and returns what the first one made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Self

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from palaver.wire.messages import QueuedMessage
from palaverd.chatstate.errors import KeyReused
from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition
from palaverd.store import codec
from palaverd.store.history import NewUserMessage
from palaverd.store.tables import idempotency_keys

_FIND = select(idempotency_keys).where(
    idempotency_keys.c.owner == bindparam("of_owner"), idempotency_keys.c.key == bindparam("of_key")
)
_STORE = insert(idempotency_keys)


class Content(msgspec.Struct, frozen=True):
    """The content of a message for a digest: its fields must not change (see `request_key`)."""

    content: str
    model: str | None
    created_by: str | None

    @classmethod
    def of(cls, message: NewUserMessage) -> Self:
        """Return the content of a message, without the key that the digest belongs to."""
        return cls(message.content, message.model, message.created_by)


class RequestKey(msgspec.Struct, frozen=True):
    """A client-chosen key, unique per owner, and the request it was used for.

    `digest` is the SHA-256, in hexadecimal, of the request's content as JSON.
    """

    owner: str
    key: str
    operation: Transition
    digest: str


def request_key(
    owner: str, key: str | None, operation: Transition, content: object
) -> RequestKey | None:
    """Return the key of a request; None if the client chose none.

    Digests are stored: an upgrade must not change how the content of a request is encoded.
    """
    if key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    return RequestKey(owner=owner, key=key, operation=operation, digest=digest)


class Made(msgspec.Struct, frozen=True):
    """The ids of what a request made: the response to a repeated one has their current state.

    `revision` is the snapshot of the chat with the change. `removed` are the messages that the
    request took out of the queue: they are stored nowhere else.
    """

    chat_id: str
    revision: int
    message_id: int | None = None
    queued_id: int | None = None
    removed: Sequence[QueuedMessage] = ()


def find_made(connection: Connection, key: RequestKey | None) -> Made | None:
    """Return what the first request with a key made; None for a new key, and without one.

    Raises:
        KeyReused: it was used for another operation or other content.
    """
    if key is None:
        return None
    found = connection.execute(_FIND, {"of_owner": key.owner, "of_key": key.key}).first()
    if found is None:
        return None
    if (found.operation, found.digest) != (key.operation.value, key.digest):
        raise KeyReused(
            key.operation, State.ABSENT, "this idempotency key was used for another request"
        )
    return Made(
        chat_id=found.chat_id,
        revision=found.revision,
        message_id=found.message_id,
        queued_id=found.queued_id,
        removed=codec.loads(found.removed, list[QueuedMessage]) or (),
    )


def store_made(connection: Connection, key: RequestKey | None, made: Made, now: int) -> None:
    """Store a success in the transaction that made it, for the chat's lifetime."""
    if key is None:
        return
    connection.execute(
        _STORE,
        {
            "owner": key.owner,
            "key": key.key,
            "chat_id": made.chat_id,
            "operation": key.operation.value,
            "digest": key.digest,
            "revision": made.revision,
            "message_id": made.message_id,
            "queued_id": made.queued_id,
            "removed": codec.dumps(made.removed) if made.removed else None,
            "created_at": now,
        },
    )
