"""Documents that no entry names: their metadata were removed (ITI-62), or their bytes are being deleted (ITI-86).

Revision 0003. The previous release works on this schema as well, for it removes nothing: what is in the new table stays
until this release runs again. A revision is frozen: it does not import the tables of the running release.
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

revision: Final = "0003"
down_revision: Final = "0002"

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
_REMOVED: Final = text("removed = 1")


def upgrade() -> None:
    """Create the table with an index for each way to its rows."""
    op.create_table(
        "detached_document",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("repository_unique_id", Integer(), nullable=False),
        Column("unique_id", Text(), nullable=False),
        Column("document", _ID, nullable=False),
        Column("removed", SmallInteger(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_detached_document_domain"),
        ForeignKeyConstraint(["document"], ["stored_document.id"], name="fk_detached_document_document"),
        PrimaryKeyConstraint("id", name="pk_detached_document"),
    )
    op.create_index("ix_detached_document_unique_id", "detached_document", ["unique_id", "domain"])
    op.create_index("ix_detached_document_document", "detached_document", ["document"])
    op.create_index(
        "ix_detached_document_removed",
        "detached_document",
        ["removed"],
        sqlite_where=_REMOVED,
        postgresql_where=_REMOVED,
    )
