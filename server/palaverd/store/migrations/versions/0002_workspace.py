"""Where a chat's files are.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chats", Column("workspace_host", Text))
    op.add_column("chats", Column("workspace_path", Text))
