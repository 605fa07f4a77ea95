"""Files that clients sent: their rows; the contents are beside the database.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        Column("id", Text, primary_key=True),
        Column("owner", Text, ForeignKey("users.id"), nullable=False),
        Column("name", Text, nullable=False),
        Column("media_type", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("digest", Text, nullable=False),
        Column("uploaded_at", BigInteger, nullable=False),
    )
    op.create_index("files_by_content", "files", ["owner", "digest", "name"], unique=True)
    op.create_index("files_by_age", "files", ["uploaded_at"])
