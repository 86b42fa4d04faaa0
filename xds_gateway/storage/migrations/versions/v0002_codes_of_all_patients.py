"""Indexes for the queries of ITI-51, which ask by codes without a patient (ITI TF-2 3.51.4.1.2.1).

Revision 0002. The previous release works on this schema as well: it only has indexes more. A revision is frozen: it
does not import the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import text

revision: Final = "0002"
down_revision: Final = "0001"

_NOT_CONFIDENTIALITY: Final = text("attribute <> 1")


def upgrade() -> None:
    """Index class codes and facility types with the creation time, and event codes and folder codes."""
    for code in ("class_code", "healthcare_facility_type_code"):
        op.create_index(f"ix_document_entry_{code}", "document_entry", [code, "creation_time_hi"])
    op.create_index(
        "ix_object_code_code",
        "object_code",
        ["code", "object"],
        sqlite_where=_NOT_CONFIDENTIALITY,
        postgresql_where=_NOT_CONFIDENTIALITY,
    )
