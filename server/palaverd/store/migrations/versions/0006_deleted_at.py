"""When a message was deleted, so that it can be removed some time later.

Of those that were deleted before, the last activity of their chat is taken for it.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", Column("deleted_at", BigInteger))
    op.execute(
        "UPDATE messages SET deleted_at ="
        " (SELECT updated_at FROM chats WHERE chats.id = messages.chat_id) WHERE deleted"
    )
    of_deleted = text("deleted_at IS NOT NULL")
    op.create_index(
        "messages_by_deletion",
        "messages",
        ["deleted_at"],
        sqlite_where=of_deleted,
        postgresql_where=of_deleted,
    )
