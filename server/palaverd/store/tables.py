"""The tables (SQLAlchemy Core). Times are integers, milliseconds since the epoch, UTC.

JSON columns have text written by `store.codec`. Partial indexes name SQLite alone: to name another
dialect loads it. The migrations, which create them, name both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()
# SQLite assigns row ids only in a column that is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

# The version that wrote this database, so that an older program can name it.
store_info = Table(
    "store_info",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    # SHA-256 of the secret, in hexadecimal: 256 random bits cannot be guessed.
    Column("hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

chats = Table(
    "chats",
    metadata,
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
    # The location of its files. Replicas share no disks: only this machine runs the chat.
    Column("workspace_host", Text),
    Column("workspace_path", Text),
    # What its tools may do (`palaver.wire.chats.Mode`), and the tools of its client.
    Column("mode", Text, nullable=False, server_default="read-only"),
    Column("client_tools", Text, nullable=False, server_default="[]"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("archived", Boolean, nullable=False),
    # The id of the request that archived this chat: undoing it unarchives the same chats.
    Column("archiving", Text),
    # The parent's message that created this child.
    Column("spawned_by", BigInteger),
    Column("context_tokens", BigInteger),
    Column("context_limit", BigInteger),
    # Execution state: written by the door alone.
    Column("status", Text, nullable=False),
    Column("queue_held", Boolean, nullable=False),
    Column("queue_length", Integer, nullable=False),
    Column("worker_id", Text),
    Column("runner_id", Text),
    Column("pending_reason", Text),
    Column("pending_since", BigInteger),
    Column("last_error", Text),
    Column("retry", Text),
    Column("asks", Text),
    Column("resume_at", BigInteger),
    Column("compaction_requested_at", BigInteger),
    Column("waiting_for_children", Boolean, nullable=False),
    Column("snapshot_version", BigInteger, nullable=False),
    Column("history_version", BigInteger, nullable=False),
    Column("turn_version", BigInteger, nullable=False),
    Column("queue_version", BigInteger, nullable=False),
    Column("retry_version", BigInteger, nullable=False),
    Column("news_version", BigInteger, nullable=False, server_default="0"),
    Column("read_version", BigInteger, nullable=False, server_default="0"),
    Column("generation_attempt", Integer, nullable=False),
    # Responses of the model in this turn.
    Column("turn_steps", Integer, nullable=False, server_default="0"),
)
Index("chats_by_activity", chats.c.owner, chats.c.archived, chats.c.updated_at, chats.c.id)
# The few chats that need a worker, for acquisition. Literal, in the index and in the query: with
# bound values SQLite cannot use a partial index.
RUNNABLE = text("archived = false AND status IN ('running', 'interrupting', 'requires_action')")
Index("chats_runnable", chats.c.updated_at, sqlite_where=RUNNABLE)
_PINNED = text("pin_order IS NOT NULL")
Index(
    "chats_pinned",
    chats.c.owner,
    chats.c.pin_order,
    chats.c.id,
    sqlite_where=_PINNED,
)
_CHILDREN = text("parent_id IS NOT NULL")
Index("chats_by_parent", chats.c.parent_id, sqlite_where=_CHILDREN)
_DUE = text("resume_at IS NOT NULL")
Index("chats_due", chats.c.resume_at, sqlite_where=_DUE)

messages = Table(
    "messages",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("role", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("content_version", Integer, nullable=False),
    Column("parts", Text, nullable=False),
    # The provider's private data of each part; never sent to clients.
    Column("private", Text),
    Column("revision", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    # When it was deleted; None where it is not, or where its content is gone (store/retention.py).
    Column("deleted_at", BigInteger),
    Column("model", Text),
    Column("finish", Text),
    Column("created_by", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("usage", Text),
    Column("context_limit", BigInteger),
    Column("cost_micros", BigInteger),
    Column("runtime_ms", BigInteger),
    # The live output that this message replaces, and its former id in the queue.
    Column("episode", Text),
    Column("queued_id", BigInteger),
    # The idempotency key of the request that sent it, by which its client recognises it.
    Column("key", Text),
    # The model does not see what is before a boundary.
    Column("boundary", Boolean, nullable=False),
    # JSON of the ids of its files, which are kept for it; None without any.
    Column("files", Text),
    # Ids are never reused, even if the newest message was deleted: clients page by them.
    sqlite_autoincrement=True,
)
Index("messages_by_chat", messages.c.chat_id, messages.c.id)
Index("messages_by_revision", messages.c.chat_id, messages.c.revision)
Index("messages_by_queued", messages.c.chat_id, messages.c.queued_id)
_OF_DELETED = text("deleted_at IS NOT NULL")
Index(
    "messages_by_deletion",
    messages.c.deleted_at,
    sqlite_where=_OF_DELETED,
)

_WITH_FILES = text("files IS NOT NULL")
Index("messages_with_files", messages.c.id, sqlite_where=_WITH_FILES)

queued_messages = Table(
    "queued_messages",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("model", Text),
    Column("created_by", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("key", Text),
    # The turn that it steers; once that is over, it is an ordinary message.
    Column("steer_turn", BigInteger),
    # JSON of its files (`palaver.wire.messages.File`); None without any.
    Column("files", Text),
    sqlite_autoincrement=True,
)
Index("queued_by_chat", queued_messages.c.chat_id, queued_messages.c.position)

# Files that clients sent. The content is in a file named after the id (`file_folder.py`).
files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    # SHA-256 of the content, in hexadecimal.
    Column("digest", Text, nullable=False),
    # When it was last sent.
    Column("uploaded_at", BigInteger, nullable=False),
)
Index("files_by_content", files.c.owner, files.c.digest, files.c.name, unique=True)
Index("files_by_age", files.c.uploaded_at)

leases = Table(
    "leases",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("runner_id", Text, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
)

partials = Table(
    "partials",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("history_version", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("parts", Text, nullable=False),
    Column("model", Text),
    Column("saved_at", BigInteger, nullable=False),
)

# The journal of tool calls: those that a client answers, and those with effects.
tool_runs = Table(
    "tool_runs",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", Text, primary_key=True),
    # The message with the call, the tool, and the SHA-256 of name and arguments, in hexadecimal.
    Column("message_id", BigInteger),
    Column("tool", Text),
    Column("digest", Text),
    # A `RunState` (store/calls.py).
    Column("state", Text, nullable=False, server_default="reserved"),
    # What a client must give; None: nothing.
    Column("needs", Text),
    Column("deadline", BigInteger),
    Column("requested_at", BigInteger, nullable=False),
    Column("answer", Text),
    Column("answered_by", Text),
    Column("answered_at", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    # What the tool wrote down before it began, to find the outcome after a crash.
    Column("trace", Text),
    # Until the results of the step are committed.
    Column("result", Text),
)

# Every model call, also of answers that were stopped, retried or dropped: the cost is what was
# spent, not what is shown.
attempts = Table(
    "attempts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
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
Index("attempts_by_chat", attempts.c.chat_id, attempts.c.history_version, attempts.c.attempt)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("operation", Text, nullable=False),
    # SHA-256 of the request.
    Column("digest", Text, nullable=False),
    # What it made: the chat's snapshot with it, and the message, queued or in history.
    Column("revision", BigInteger, nullable=False),
    Column("message_id", BigInteger),
    Column("queued_id", BigInteger),
    # JSON of what it took out of the queue: that is stored nowhere else.
    Column("removed", Text),
    Column("created_at", BigInteger, nullable=False),
)
# For deleting a chat with its keys.
Index("idempotency_by_chat", idempotency_keys.c.chat_id)

# Full-text search; its index is a virtual table of SQLite, `search_index` (store/search/fts5.py).
# The numbers of chats' titles in it: a chat's id is no number.
search_titles = Table(
    "search_titles",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("chat_id", Text, nullable=False, unique=True),
    # A number is never used again: another title could be found by the words of the former one.
    sqlite_autoincrement=True,
)
# One row: the ids of messages from `low` to `high` are indexed. `low` is 0 if all older ones are.
search_progress = Table(
    "search_progress",
    metadata,
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
)
