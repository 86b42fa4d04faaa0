"""Patients of identity feeds: which one stands for another, merges as they were told, messages already accepted.

Revision 0004. Nothing that is there changes: every patient is active. The previous release works on this schema, for
the new columns have defaults; it does not know of merges, so that it shows merged patients apart until this release
runs again. A revision is frozen: it does not import the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)

revision: Final = "0004"
down_revision: Final = "0003"

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
_MERGED: Final = text("survivor IS NOT NULL")


def upgrade() -> None:
    """Add two columns to `patient`, and two tables with an index for each way to their rows."""
    op.add_column(
        "patient",
        Column("survivor", _ID, ForeignKey("patient.id", name="fk_patient_survivor"), nullable=True),
        inline_references=True,
    )
    op.add_column("patient", Column("survives", SmallInteger(), nullable=False, server_default=text("0")))
    op.create_index("ix_patient_survivor", "patient", ["survivor"], sqlite_where=_MERGED, postgresql_where=_MERGED)
    op.create_table(
        "patient_merge",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("subsumed", _ID, nullable=False),
        Column("surviving", _ID, nullable=False),
        Column("at", Text(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("undone_at", Text()),
        Column("undone_by", Text()),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_patient_merge_domain"),
        ForeignKeyConstraint(["subsumed"], ["patient.id"], name="fk_patient_merge_subsumed"),
        ForeignKeyConstraint(["surviving"], ["patient.id"], name="fk_patient_merge_surviving"),
        PrimaryKeyConstraint("id", name="pk_patient_merge"),
    )
    op.create_index("ix_patient_merge_subsumed", "patient_merge", ["subsumed"])
    op.create_index("ix_patient_merge_surviving", "patient_merge", ["surviving"])
    op.create_table(
        "received_message",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("sender", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("digest", LargeBinary(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_received_message_domain"),
        PrimaryKeyConstraint("id", name="pk_received_message"),
        UniqueConstraint("message_id", "sender", "domain", name="uq_received_message_message_id_sender_domain"),
    )
    op.create_index("ix_received_message_at", "received_message", ["at"])
