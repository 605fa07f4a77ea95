"""Who gets in: users that can be disabled, and their tokens.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", Column("disabled_at", BigInteger))
    op.create_table(
        "tokens",
        Column("id", Text, primary_key=True),
        Column("owner", Text, ForeignKey("users.id"), nullable=False),
        Column("name", Text, nullable=False),
        Column("hash", Text, nullable=False),
        Column("scopes", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger),
        Column("last_used_at", BigInteger),
        Column("revoked_at", BigInteger),
    )
