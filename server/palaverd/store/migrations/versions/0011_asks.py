"""What a chat asks, for the list of chats.

Revision ID: 0011
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chats", Column("asks", Text))
