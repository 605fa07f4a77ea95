"""The key under which a message was sent, with the message.

Revision ID: 0004
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", Column("key", Text))
    op.add_column("queued_messages", Column("key", Text))
