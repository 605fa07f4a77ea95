"""Files of messages.

Revision ID: 0013
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", Column("files", Text))
    op.add_column("queued_messages", Column("files", Text))
    used = text("files IS NOT NULL")
    op.create_index(
        "messages_with_files", "messages", ["id"], sqlite_where=used, postgresql_where=used
    )
