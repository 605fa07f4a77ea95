"""Idempotency keys with what their requests made, in place of the whole answers.

Revision ID: 0005
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    MetaData,
    Table,
    Text,
    select,
    tuple_,
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 500  # rows in memory at a time; an answer can be as long as the message that was sent

_before = Table(
    "idempotency_keys",
    MetaData(),
    *(
        Column(name, BigInteger if name == "created_at" else Text)
        for name in ("owner", "key", "chat_id", "operation", "fingerprint", "answer", "created_at")
    ),
)


def upgrade() -> None:
    after = op.create_table(
        "idempotency_keys_new",
        Column("owner", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("operation", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("message_id", BigInteger),
        Column("queued_id", BigInteger),
        Column("removed", Text),
        Column("created_at", BigInteger, nullable=False),
    )
    connection = op.get_bind()
    for rows in _batches(connection):
        connection.execute(after.insert(), rows)
    op.drop_table("idempotency_keys")
    op.rename_table("idempotency_keys_new", "idempotency_keys")
    op.create_index("idempotency_by_chat", "idempotency_keys", ["chat_id"])


def _batches(connection: Connection) -> Iterator[list[dict[str, Any]]]:
    key = tuple_(_before.c.owner, _before.c.key)
    last = ("", "")
    while True:
        query = select(_before).where(key > last).order_by(_before.c.owner, _before.c.key)
        found = connection.execute(query.limit(BATCH)).mappings().all()
        if not found:
            return
        yield [_row(dict(one)) for one in found]
        last = (found[-1]["owner"], found[-1]["key"])


def _row(old: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the ids of an answer.

    Of one that cannot be read nothing but the key is kept: its request is not done again.
    """
    answer = _mapping(_read(old.pop("answer")))
    versions = _mapping(_mapping(answer.get("chat")).get("versions"))
    removed = answer.get("dropped_queue") or []
    if answer.get("removed"):
        removed = [answer["removed"]]
    return {
        **{name: old[name] for name in ("owner", "key", "chat_id", "operation", "created_at")},
        "digest": old["fingerprint"],
        "revision": versions.get("snapshot", 0),
        "message_id": _mapping(answer.get("message")).get("id"),
        "queued_id": _mapping(answer.get("queued")).get("id"),
        "removed": json.dumps(removed, ensure_ascii=False) if removed else None,
    }


def _read(answer: str) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
