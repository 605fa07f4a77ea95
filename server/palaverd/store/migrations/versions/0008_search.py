"""Full-text search. Messages that are there already are indexed later, while the daemon serves.

Revision ID: 0008
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_titles",
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("chat_id", Text, nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "search_progress",
        Column("low", BigInteger, nullable=False),
        Column("high", BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO search_progress (low, high)"
        " SELECT coalesce(max(id) + 1, 0), coalesce(max(id), 0) FROM messages"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_index USING fts5(title, body, content='',"
            " tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* M* Co'\")"
        )
