"""Up to where a chat was read, and the indexes of pinned chats and of children.

What was there before counts as read.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("news_version", "read_version"):
        op.add_column("chats", Column(name, BigInteger, nullable=False, server_default="0"))
    pinned = text("pin_order IS NOT NULL")
    op.create_index(
        "chats_pinned",
        "chats",
        ["owner", "pin_order", "id"],
        sqlite_where=pinned,
        postgresql_where=pinned,
    )
    children = text("parent_id IS NOT NULL")
    op.create_index(
        "chats_by_parent",
        "chats",
        ["parent_id"],
        sqlite_where=children,
        postgresql_where=children,
    )
