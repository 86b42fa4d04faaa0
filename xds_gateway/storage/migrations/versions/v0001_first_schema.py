"""The first schema: there is no previous release to survive it.

Revision 0001. A revision is frozen: it does not import the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)

revision: Final = "0001"
down_revision: Final = None

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
_UUID: Final = LargeBinary(length=16)
_LATER: Final = text("lid IS NOT NULL")
_STORED: Final = text("document IS NOT NULL")


def upgrade() -> None:
    """Create all tables and indexes."""
    _words()
    _identities()
    _entries()
    _packages()
    _associations()
    _values_of_objects()
    _audit()


def _words() -> None:
    op.create_table(
        "domain",
        Column("id", _ID, nullable=False),
        Column("name", Text(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_domain"),
        UniqueConstraint("name", name="uq_domain_name"),
    )
    op.create_table(
        "code",
        Column("id", _ID, nullable=False),
        Column("code", Text(), nullable=False),
        Column("scheme", Text(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_code"),
        UniqueConstraint("code", "scheme", name="uq_code_code_scheme"),
    )


def _identities() -> None:
    op.create_table(
        "patient",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("value", Text(), nullable=False),
        Column("authority", Text(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_patient_domain"),
        PrimaryKeyConstraint("id", name="pk_patient"),
        UniqueConstraint("domain", "value", "authority", name="uq_patient_domain_value_authority"),
    )
    op.create_table(
        "object",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("uuid", _UUID, nullable=False),
        Column("kind", SmallInteger(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_object_domain"),
        PrimaryKeyConstraint("id", name="pk_object"),
        UniqueConstraint("uuid", "domain", name="uq_object_uuid_domain"),
    )
    op.create_table(
        "unique_id",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("value", Text(), nullable=False),
        Column("kind", SmallInteger(), nullable=False),
        Column("hash", Text(), nullable=True),
        Column("size", BigInteger(), nullable=True),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_unique_id_domain"),
        PrimaryKeyConstraint("id", name="pk_unique_id"),
        UniqueConstraint("value", "domain", name="uq_unique_id_value_domain"),
    )
    op.create_table(
        "stored_document",
        Column("id", _ID, nullable=False),
        Column("key", Text(), nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("sha1", Text(), nullable=False),
        Column("chunk_digests", LargeBinary(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_stored_document"),
        UniqueConstraint("key", name="uq_stored_document_key"),
    )


def _entries() -> None:
    op.create_table(
        "document_entry",
        Column("id", _ID, autoincrement=False, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("uuid", _UUID, nullable=False),
        Column("lid", _UUID, nullable=True),
        Column("version", Integer(), nullable=False),
        Column("status", Integer(), nullable=False),
        Column("patient", _ID, nullable=True),
        Column("patient_cx", Text(), nullable=True),
        Column("home", Text(), nullable=True),
        Column("latest", SmallInteger(), nullable=False),
        Column("unique_id", _ID, nullable=True),
        Column("repository_unique_id", Integer(), nullable=True),
        Column("object_type", Integer(), nullable=True),
        Column("mime_type", Integer(), nullable=True),
        Column("availability", Integer(), nullable=True),
        Column("class_code", Integer(), nullable=True),
        Column("type_code", Integer(), nullable=True),
        Column("practice_setting_code", Integer(), nullable=True),
        Column("healthcare_facility_type_code", Integer(), nullable=True),
        Column("format_code", Integer(), nullable=True),
        Column("creation_time_lo", BigInteger(), nullable=True),
        Column("creation_time_hi", BigInteger(), nullable=True),
        Column("service_start_time_lo", BigInteger(), nullable=True),
        Column("service_start_time_hi", BigInteger(), nullable=True),
        Column("service_stop_time_lo", BigInteger(), nullable=True),
        Column("service_stop_time_hi", BigInteger(), nullable=True),
        Column("document", _ID, nullable=True),
        Column("fragment", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["document"], ["stored_document.id"], name="fk_document_entry_document"),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_document_entry_domain"),
        ForeignKeyConstraint(["id"], ["object.id"], name="fk_document_entry_id"),
        ForeignKeyConstraint(["patient"], ["patient.id"], name="fk_document_entry_patient"),
        ForeignKeyConstraint(["unique_id"], ["unique_id.id"], name="fk_document_entry_unique_id"),
        PrimaryKeyConstraint("id", name="pk_document_entry"),
    )
    op.create_index(
        "ix_document_entry_document",
        "document_entry",
        ["document"],
        sqlite_where=_STORED,
        postgresql_where=_STORED,
    )
    op.create_index("ix_document_entry_lid", "document_entry", ["lid"], sqlite_where=_LATER, postgresql_where=_LATER)
    op.create_index("ix_document_entry_patient", "document_entry", ["patient", text("creation_time_lo DESC")])
    op.create_index("ix_document_entry_unique_id", "document_entry", ["unique_id"])


def _packages() -> None:
    op.create_table(
        "submission_set",
        Column("id", _ID, autoincrement=False, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("uuid", _UUID, nullable=False),
        Column("lid", _UUID, nullable=True),
        Column("version", Integer(), nullable=False),
        Column("status", Integer(), nullable=False),
        Column("patient", _ID, nullable=True),
        Column("patient_cx", Text(), nullable=True),
        Column("home", Text(), nullable=True),
        Column("unique_id", _ID, nullable=True),
        Column("source_id", Text(), nullable=True),
        Column("content_type_code", Integer(), nullable=True),
        Column("submission_time_lo", BigInteger(), nullable=True),
        Column("submission_time_hi", BigInteger(), nullable=True),
        Column("fragment", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_submission_set_domain"),
        ForeignKeyConstraint(["id"], ["object.id"], name="fk_submission_set_id"),
        ForeignKeyConstraint(["patient"], ["patient.id"], name="fk_submission_set_patient"),
        ForeignKeyConstraint(["unique_id"], ["unique_id.id"], name="fk_submission_set_unique_id"),
        PrimaryKeyConstraint("id", name="pk_submission_set"),
    )
    op.create_index("ix_submission_set_patient", "submission_set", ["patient", text("submission_time_lo DESC")])
    op.create_index("ix_submission_set_unique_id", "submission_set", ["unique_id"])
    op.create_table(
        "folder",
        Column("id", _ID, autoincrement=False, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("uuid", _UUID, nullable=False),
        Column("lid", _UUID, nullable=True),
        Column("version", Integer(), nullable=False),
        Column("status", Integer(), nullable=False),
        Column("patient", _ID, nullable=True),
        Column("patient_cx", Text(), nullable=True),
        Column("home", Text(), nullable=True),
        Column("latest", SmallInteger(), nullable=False),
        Column("unique_id", _ID, nullable=True),
        Column("last_update_time", Text(), nullable=False),
        Column("last_update_time_lo", BigInteger(), nullable=True),
        Column("last_update_time_hi", BigInteger(), nullable=True),
        Column("fragment", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_folder_domain"),
        ForeignKeyConstraint(["id"], ["object.id"], name="fk_folder_id"),
        ForeignKeyConstraint(["patient"], ["patient.id"], name="fk_folder_patient"),
        ForeignKeyConstraint(["unique_id"], ["unique_id.id"], name="fk_folder_unique_id"),
        PrimaryKeyConstraint("id", name="pk_folder"),
    )
    op.create_index("ix_folder_lid", "folder", ["lid"], sqlite_where=_LATER, postgresql_where=_LATER)
    op.create_index("ix_folder_patient", "folder", ["patient", text("last_update_time_lo DESC")])
    op.create_index("ix_folder_unique_id", "folder", ["unique_id"])


def _associations() -> None:
    op.create_table(
        "association",
        Column("id", _ID, autoincrement=False, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("uuid", _UUID, nullable=False),
        Column("lid", _UUID, nullable=True),
        Column("version", Integer(), nullable=False),
        Column("status", Integer(), nullable=False),
        Column("home", Text(), nullable=True),
        Column("type", Integer(), nullable=False),
        Column("source", _ID, nullable=False),
        Column("target", _ID, nullable=False),
        Column("fragment", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_association_domain"),
        ForeignKeyConstraint(["id"], ["object.id"], name="fk_association_id"),
        ForeignKeyConstraint(["source"], ["object.id"], name="fk_association_source"),
        ForeignKeyConstraint(["target"], ["object.id"], name="fk_association_target"),
        PrimaryKeyConstraint("id", name="pk_association"),
    )
    op.create_index("ix_association_source", "association", ["source"])
    op.create_index("ix_association_target", "association", ["target"])


def _values_of_objects() -> None:
    op.create_table(
        "object_code",
        Column("object", _ID, autoincrement=False, nullable=False),
        Column("attribute", SmallInteger(), autoincrement=False, nullable=False),
        Column("code", Integer(), autoincrement=False, nullable=False),
        ForeignKeyConstraint(["object"], ["object.id"], name="fk_object_code_object"),
        PrimaryKeyConstraint("object", "attribute", "code", name="pk_object_code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "object_author",
        Column("object", _ID, autoincrement=False, nullable=False),
        Column("position", Integer(), autoincrement=False, nullable=False),
        Column("person", Text(), nullable=False),
        ForeignKeyConstraint(["object"], ["object.id"], name="fk_object_author_object"),
        PrimaryKeyConstraint("object", "position", name="pk_object_author"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entry_reference",
        Column("object", _ID, autoincrement=False, nullable=False),
        Column("position", Integer(), autoincrement=False, nullable=False),
        Column("value", Text(), nullable=False),
        ForeignKeyConstraint(["object"], ["object.id"], name="fk_entry_reference_object"),
        PrimaryKeyConstraint("object", "position", name="pk_entry_reference"),
        sqlite_with_rowid=False,
    )


def _audit() -> None:
    op.create_table(
        "audit_event",
        Column("id", _ID, nullable=False),
        Column("domain", Integer(), nullable=False),
        Column("event", Text(), nullable=False),
        ForeignKeyConstraint(["domain"], ["domain.id"], name="fk_audit_event_domain"),
        PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
