"""Messages that steer a turn, and the number of its steps.

A turn that is running during the upgrade counts its steps from here.

Revision ID: 0012
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queued_messages", Column("steer_turn", BigInteger))
    op.add_column("chats", Column("turn_steps", Integer, nullable=False, server_default="0"))
