"""Consents and oppositions of patients.

Revision 0009. The previous release works on this schema as well: it reads no consents. What it registers has no
organisations of authors, so that "own" rows of an access matrix do not reach it until it is updated. A revision is
frozen: it does not import the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    text,
)

revision: Final = "0009"
down_revision: Final = "0008"

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add the table and its two indexes: of a patient, and whether a domain has any."""
    op.create_table(
        "consent",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("patient", _ID, nullable=False),
        Column("permits", SmallInteger(), nullable=False),
        Column("nearness", SmallInteger(), nullable=False),
        Column("grantee", Text(), nullable=False),
        Column("scope", SmallInteger(), nullable=False),
        Column("code", Integer()),
        Column("break_glass", SmallInteger(), nullable=False),
        Column("until", BigInteger()),
        Column("at", Text(), nullable=False),
        Column("by", Text(), nullable=False),
        Column("withdrawn_at", Text()),
        Column("withdrawn_by", Text()),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_consent_domain"),
        ForeignKeyConstraint(["patient"], ["patient.id"], name="fk_consent_patient"),
        PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_patient", "consent", ["patient"])
    standing = text("withdrawn_at IS NULL")
    op.create_index("ix_consent_domain", "consent", ["domain"], sqlite_where=standing, postgresql_where=standing)
