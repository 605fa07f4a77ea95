"""The journal of tool calls; what a chat's tools may do.

Revision ID: 0010
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tool_runs") as table:
        table.alter_column("needs", existing_type=Text, nullable=True)
        table.add_column(Column("message_id", BigInteger))
        table.add_column(Column("tool", Text))
        table.add_column(Column("digest", Text))
        table.add_column(Column("state", Text, nullable=False, server_default="reserved"))
        table.add_column(Column("started_at", BigInteger))
        table.add_column(Column("finished_at", BigInteger))
        table.add_column(Column("trace", Text))
        table.add_column(Column("result", Text))
    # What was answered is in history already.
    op.execute(
        "UPDATE tool_runs SET state = CASE answered_by WHEN 'cancelled' THEN 'cancelled'"
        " ELSE 'finished' END, finished_at = answered_at WHERE answered_by IS NOT NULL"
    )
    op.add_column("chats", Column("mode", Text, nullable=False, server_default="read-only"))
    op.add_column("chats", Column("client_tools", Text, nullable=False, server_default="[]"))
