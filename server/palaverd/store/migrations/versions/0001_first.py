"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Text, text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    runnable = text("archived = false AND status IN ('running', 'interrupting', 'requires_action')")
    op.create_table(
        "store_info",
        Column("key", Text, primary_key=True),
        Column("value", Text, nullable=False),
    )
    op.create_table(
        "users",
        Column("id", Text, primary_key=True),
        Column("created_at", BigInteger, nullable=False),
    )
    op.create_table(
        "chats",
        Column("id", Text, primary_key=True),
        Column("owner", Text, ForeignKey("users.id"), nullable=False),
        Column("parent_id", Text, ForeignKey("chats.id")),
        Column("root_id", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("title_by_person", Boolean, nullable=False),
        Column("system_prompt", Text),
        Column("model", Text),
        Column("labels", Text, nullable=False),
        Column("pin_order", Integer),
        Column("client_type", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("archived", Boolean, nullable=False),
        Column("archiving", Text),
        Column("spawned_by", BigInteger),
        Column("context_tokens", BigInteger),
        Column("context_limit", BigInteger),
        Column("status", Text, nullable=False),
        Column("queue_held", Boolean, nullable=False),
        Column("queue_length", Integer, nullable=False),
        Column("worker_id", Text),
        Column("runner_id", Text),
        Column("pending_reason", Text),
        Column("pending_since", BigInteger),
        Column("last_error", Text),
        Column("retry", Text),
        Column("resume_at", BigInteger),
        Column("compaction_requested_at", BigInteger),
        Column("waiting_for_children", Boolean, nullable=False),
        Column("snapshot_version", BigInteger, nullable=False),
        Column("history_version", BigInteger, nullable=False),
        Column("turn_version", BigInteger, nullable=False),
        Column("queue_version", BigInteger, nullable=False),
        Column("retry_version", BigInteger, nullable=False),
        Column("generation_attempt", Integer, nullable=False),
    )
    op.create_index("chats_by_activity", "chats", ["owner", "archived", "updated_at", "id"])
    op.create_index(
        "chats_runnable", "chats", ["updated_at"], sqlite_where=runnable, postgresql_where=runnable
    )
    due = text("resume_at IS NOT NULL")
    op.create_index("chats_due", "chats", ["resume_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "messages",
        Column("id", ROW_ID, primary_key=True, autoincrement=True),
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("role", Text, nullable=False),
        Column("visibility", Text, nullable=False),
        Column("content_version", Integer, nullable=False),
        Column("parts", Text, nullable=False),
        Column("private", Text),
        Column("revision", BigInteger, nullable=False),
        Column("deleted", Boolean, nullable=False),
        Column("model", Text),
        Column("finish", Text),
        Column("created_by", Text),
        Column("created_at", BigInteger, nullable=False),
        Column("usage", Text),
        Column("context_limit", BigInteger),
        Column("cost_micros", BigInteger),
        Column("runtime_ms", BigInteger),
        Column("episode", Text),
        Column("queued_id", BigInteger),
        Column("boundary", Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_by_chat", "messages", ["chat_id", "id"])
    op.create_index("messages_by_revision", "messages", ["chat_id", "revision"])
    op.create_index("messages_by_queued", "messages", ["chat_id", "queued_id"])
    op.create_table(
        "queued_messages",
        Column("id", ROW_ID, primary_key=True, autoincrement=True),
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("position", Integer, nullable=False),
        Column("content", Text, nullable=False),
        Column("model", Text),
        Column("created_by", Text),
        Column("created_at", BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("queued_by_chat", "queued_messages", ["chat_id", "position"])
    op.create_table(
        "leases",
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        Column("runner_id", Text, nullable=False),
        Column("heartbeat", BigInteger, nullable=False),
    )
    op.create_table(
        "partials",
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        Column("history_version", BigInteger, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("parts", Text, nullable=False),
        Column("model", Text),
        Column("saved_at", BigInteger, nullable=False),
    )
    op.create_table(
        "tool_runs",
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        Column("call_id", Text, primary_key=True),
        Column("needs", Text, nullable=False),
        Column("deadline", BigInteger),
        Column("requested_at", BigInteger, nullable=False),
        Column("answer", Text),
        Column("answered_by", Text),
        Column("answered_at", BigInteger),
    )
    op.create_table(
        "attempts",
        Column("id", ROW_ID, primary_key=True, autoincrement=True),
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("history_version", BigInteger, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("model", Text),
        Column("started_at", BigInteger, nullable=False),
        Column("usage", Text),
        Column("cost_micros", BigInteger),
        Column("outcome", Text),
        sqlite_autoincrement=True,
    )
    op.create_index("attempts_by_chat", "attempts", ["chat_id", "history_version", "attempt"])
    op.create_table(
        "idempotency_keys",
        Column("owner", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("operation", Text, nullable=False),
        Column("fingerprint", Text, nullable=False),
        Column("answer", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
    )
