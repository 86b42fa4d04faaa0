"""Value sets of a domain: lists of codes by attribute, in versions that a counter of the domain numbers.

Revision 0006. The previous release works on this schema as well: it reads none of this and judges by no lists. A
revision is frozen: it does not import the tables of the running release.
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

revision: Final = "0006"
down_revision: Final = "0005"

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add the counter, the lists and their codes."""
    op.add_column("domain", Column("value_sets", Integer(), nullable=False, server_default=text("0")))
    op.create_table(
        "value_set",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("attribute", Text(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("ended", Integer()),
        Column("sources", Text(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_value_set_domain"),
        PrimaryKeyConstraint("id", name="pk_value_set"),
    )
    op.create_index("ix_value_set_domain", "value_set", ["domain", "ended"])
    op.create_table(
        "listed_code",
        Column("value_set", _ID, nullable=False),
        Column("scheme", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("display", Text(), nullable=False),
        Column("active", SmallInteger(), nullable=False),
        Column("since", Text()),
        Column("until", Text()),
        ForeignKeyConstraint(["value_set"], ["value_set.id"], name="fk_listed_code_value_set"),
        PrimaryKeyConstraint("value_set", "scheme", "code", name="pk_listed_code"),
        sqlite_with_rowid=False,
    )
