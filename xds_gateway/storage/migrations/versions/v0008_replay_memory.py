"""Assertions for one use that were used, so that none is taken twice.

Revision 0008. The previous release works on this schema as well: it reads no assertions. A revision is frozen: it does
not import the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """Add the memory, empty, and the one row that counts it."""
    op.create_table(
        "used_assertion",
        Column("digest", LargeBinary(), nullable=False),
        Column("until", BigInteger(), nullable=False),
        PrimaryKeyConstraint("digest", name="pk_used_assertion"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_used_assertion_until", "used_assertion", ["until"])
    memory = op.create_table(
        "replay_memory",
        Column("forgotten", BigInteger(), nullable=False),
        Column("held", BigInteger(), nullable=False),
    )
    op.bulk_insert(memory, [{"forgotten": 0, "held": 0}])
