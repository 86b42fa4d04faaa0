"""The registry's tables (SQLAlchemy Core), for SQLite now and PostgreSQL later.

Every registry object has one row in `object`: it holds the id in the one namespace of entryUUIDs and gives the
integer that associations, codes and authors point at, so that random keys are indexed once. The table of its kind
shares that integer as primary key. Words of the standard (statuses, types, mime types, OIDs of repositories) and
codes are integers of `code`; a word has the scheme "".

What the registry changes after registration (status, version, lid, patient, home, lastUpdateTime) is in columns
only; `fragment` is the compressed ebRIM of the object with holes for them, and never changes.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only makes an INTEGER PRIMARY KEY the row's own address.
Identity: Final = BigInteger().with_variant(Integer, "sqlite")


def numbered() -> "Column[int]":
    """The integer of a row."""
    return Column("id", Identity, primary_key=True)


def _own_id() -> "Column[int]":
    return Column("id", Identity, ForeignKey("object.id"), primary_key=True, autoincrement=False)


def _word(name: str, *, nullable: bool = True) -> "Column[int]":
    return Column(name, Integer, nullable=nullable)


def _interval(name: str) -> "tuple[Column[Any], ...]":
    """A DTM as the first and the last instant that it may mean, YYYYMMDDhhmmss."""
    return Column(f"{name}_lo", BigInteger), Column(f"{name}_hi", BigInteger)


def _managed(*, patient_needed: bool = True) -> "tuple[Column[Any], ...]":
    """The columns that are rendered into the holes of the fragment, and the fragment."""
    patient = (
        Column("patient", Identity, ForeignKey("patient.id")),
        Column("patient_cx", Text),  # CX as sent
    )
    return (
        Column("uuid", LargeBinary(16), nullable=False),
        Column("lid", LargeBinary(16)),  # NULL: the object is the first version, its lid is its own uuid
        Column("version", Integer, nullable=False),
        _word("status", nullable=False),
        *(patient if patient_needed else ()),
        Column("home", Text),
    )


def _fragment() -> "Column[Any]":
    return Column("fragment", LargeBinary, nullable=False)


def _by_some(table: str, column: "Column[Any]") -> Index:
    """An index of the rows that have the column: later versions have a lid, few entries of ITI-42 a document here."""
    some = text(f"{column.name} IS NOT NULL")
    return Index(f"ix_{table}_{column.name}", column, sqlite_where=some, postgresql_where=some)


# value_sets: number of the present version of the domain's value sets; each load makes it one more
domain = Table(
    "domain",
    metadata,
    numbered(),
    Column("name", Text, nullable=False, unique=True),
    Column("value_sets", Integer, nullable=False, server_default=text("0")),
)

# The list of one attribute from version `number` on, before version `ended`; `sources` is JSON. It is never changed.
value_set = Table(
    "value_set",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("attribute", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("ended", Integer),
    Column("sources", Text, nullable=False),
)
Index("ix_value_set_domain", value_set.c.domain, value_set.c.ended)

# active 0: retired; since and until are DTMs to the second (UTC), until is excluded
listed_code = Table(
    "listed_code",
    metadata,
    Column("value_set", Identity, ForeignKey("value_set.id"), primary_key=True, autoincrement=False),
    Column("scheme", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("display", Text, nullable=False),
    Column("active", SmallInteger, nullable=False),
    Column("since", Text),
    Column("until", Text),
    sqlite_with_rowid=False,
)

code = Table(
    "code",
    metadata,
    numbered(),
    Column("code", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    UniqueConstraint("code", "scheme"),
)

patient = Table(
    "patient",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("value", Text, nullable=False),
    Column("authority", Text, nullable=False),
    # The patient that stands for this one, at the end of the whole chain of merges; NULL: it is active itself. Objects
    # stay with the patient that they were submitted for, so a merge changes as many rows as it has patients.
    Column("survivor", Identity, ForeignKey("patient.id")),
    Column("survives", SmallInteger, nullable=False, server_default=text("0")),  # 1: others were merged into it
    UniqueConstraint("domain", "value", "authority"),
)
_by_some("patient", patient.c.survivor)

# Merges as they were told, one after the other (ITI TF-2 3.8.4.2): undone ones stay, with who undid them.
patient_merge = Table(
    "patient_merge",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("subsumed", Identity, ForeignKey("patient.id"), nullable=False),
    Column("surviving", Identity, ForeignKey("patient.id"), nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("undone_at", Text),
    Column("undone_by", Text),
)
Index("ix_patient_merge_subsumed", patient_merge.c.subsumed)
Index("ix_patient_merge_surviving", patient_merge.c.surviving)

# What a patient permits or opposes: `grantee` names everybody, a role, an organisation or a person, `nearness` grows in
# this order; `scope` is all documents (0) or those with a code (rows.SCOPES). A withdrawn one stays, with who did it.
consent = Table(
    "consent",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("patient", Identity, ForeignKey("patient.id"), nullable=False),
    Column("permits", SmallInteger, nullable=False),
    Column("nearness", SmallInteger, nullable=False),
    Column("grantee", Text, nullable=False),
    Column("scope", SmallInteger, nullable=False),
    Column("code", Integer),
    Column("break_glass", SmallInteger, nullable=False),  # 1: an opposition that an emergency overrides
    Column("until", BigInteger),  # YYYYMMDDhhmmss, UTC, excluded
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("withdrawn_at", Text),
    Column("withdrawn_by", Text),
)
Index("ix_consent_patient", consent.c.patient)
_standing: Final = text("withdrawn_at IS NULL")
Index("ix_consent_domain", consent.c.domain, sqlite_where=_standing, postgresql_where=_standing)

# Messages of identity feeds that were accepted: one that comes again is answered again and has no effect.
received_message = Table(
    "received_message",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),  # YYYYMMDDhhmmss, UTC
    UniqueConstraint("message_id", "sender", "domain"),
)
Index("ix_received_message_at", received_message.c.at)

# kind: see rows.KINDS; 0 is an object that is only known as the end of an association, and goes with the last one
object_ = Table(
    "object",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("uuid", LargeBinary(16), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    UniqueConstraint("uuid", "domain"),
)

# One namespace over entries, sets and folders (ITI TF-3 4.2.3.2.26); hash and size are those of the latest version.
unique_id = Table(
    "unique_id",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("value", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("hash", Text),
    Column("size", BigInteger),
    UniqueConstraint("value", "domain"),
)

stored_document = Table(
    "stored_document",
    metadata,
    numbered(),
    Column("key", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("sha1", Text, nullable=False),
    Column("chunk_digests", LargeBinary, nullable=False),
)

# A document that no entry names. removed 0: its metadata were removed (ITI-62), ITI-86 still finds it by its uniqueId;
# 1: it was removed (ITI-86), the row is there until its bytes are gone, and is then dropped with `stored_document`'s.
detached_document = Table(
    "detached_document",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    _word("repository_unique_id", nullable=False),
    Column("unique_id", Text, nullable=False),
    Column("document", Identity, ForeignKey("stored_document.id"), nullable=False),
    Column("removed", SmallInteger, nullable=False),
)
Index("ix_detached_document_unique_id", detached_document.c.unique_id, detached_document.c.domain)
Index("ix_detached_document_document", detached_document.c.document)
Index(
    "ix_detached_document_removed",
    detached_document.c.removed,
    sqlite_where=text("removed = 1"),
    postgresql_where=text("removed = 1"),
)

document_entry = Table(
    "document_entry",
    metadata,
    _own_id(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    *_managed(),
    Column("latest", SmallInteger, nullable=False),  # 0: an older version of its lid (ITI-57)
    Column("unique_id", Identity, ForeignKey("unique_id.id")),
    _word("repository_unique_id"),
    _word("object_type"),
    _word("mime_type"),
    _word("availability"),  # documentAvailability; NULL is Online (ITI TF-3 4.2.3.2.30)
    _word("class_code"),
    _word("type_code"),
    _word("practice_setting_code"),
    _word("healthcare_facility_type_code"),
    _word("format_code"),
    *_interval("creation_time"),
    *_interval("service_start_time"),
    *_interval("service_stop_time"),
    Column("document", Identity, ForeignKey("stored_document.id")),
    _fragment(),
)
Index("ix_document_entry_patient", document_entry.c.patient, document_entry.c.creation_time_lo.desc())
Index("ix_document_entry_unique_id", document_entry.c.unique_id)
# Queries over all patients (ITI-51): what a class of documents or a kind of facility has brought since a time.
for _code in (document_entry.c.class_code, document_entry.c.healthcare_facility_type_code):
    Index(f"ix_document_entry_{_code.name}", _code, document_entry.c.creation_time_hi)
_by_some("document_entry", document_entry.c.document)
_by_some("document_entry", document_entry.c.lid)

submission_set = Table(
    "submission_set",
    metadata,
    _own_id(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    *_managed(),
    Column("unique_id", Identity, ForeignKey("unique_id.id")),
    Column("source_id", Text),
    _word("content_type_code"),
    *_interval("submission_time"),
    _word("sender"),  # the node that sent it, with how many objects, so that it is known when it is sent again
    Column("sent_objects", Integer),
    Column("sent_digest", LargeBinary),  # of an update, whose commands are not stored
    _fragment(),
)
Index("ix_submission_set_patient", submission_set.c.patient, submission_set.c.submission_time_lo.desc())
Index("ix_submission_set_unique_id", submission_set.c.unique_id)

folder = Table(
    "folder",
    metadata,
    _own_id(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    *_managed(),
    Column("latest", SmallInteger, nullable=False),
    Column("unique_id", Identity, ForeignKey("unique_id.id")),
    Column("last_update_time", Text, nullable=False),
    *_interval("last_update_time"),
    _fragment(),
)
Index("ix_folder_patient", folder.c.patient, folder.c.last_update_time_lo.desc())
Index("ix_folder_unique_id", folder.c.unique_id)
_by_some("folder", folder.c.lid)

association = Table(
    "association",
    metadata,
    _own_id(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    *_managed(patient_needed=False),
    _word("type", nullable=False),
    Column("source", Identity, ForeignKey("object.id"), nullable=False),
    Column("target", Identity, ForeignKey("object.id"), nullable=False),
    _fragment(),
)
Index("ix_association_source", association.c.source)
Index("ix_association_target", association.c.target)

# attribute: see rows.CODE_LISTS (confidentialityCode, eventCodeList, Folder.codeList)
object_code = Table(
    "object_code",
    metadata,
    Column("object", Identity, ForeignKey("object.id"), primary_key=True, autoincrement=False),
    Column("attribute", SmallInteger, primary_key=True, autoincrement=False),
    Column("code", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
# Queries over all patients (ITI-51) ask for event codes and folder codes; confidentiality codes (1) are left out.
_by_code: Final = text("attribute <> 1")
Index(
    "ix_object_code_code",
    object_code.c.code,
    object_code.c.object,
    sqlite_where=_by_code,
    postgresql_where=_by_code,
)

object_author = Table(
    "object_author",
    metadata,
    Column("object", Identity, ForeignKey("object.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("person", Text, nullable=False),
    sqlite_with_rowid=False,
)

entry_reference = Table(
    "entry_reference",
    metadata,
    Column("object", Identity, ForeignKey("object.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),  # one value of referenceIdList as sent (ITI TF-3 4.2.3.2.28)
    sqlite_with_rowid=False,
)

audit_event = Table(
    "audit_event",
    metadata,
    numbered(),
    Column("domain", Integer, ForeignKey("domain.id"), nullable=False),
    Column("event", Text, nullable=False),  # JSON of AuditEvent, as in the journal
    Column("chain", LargeBinary),  # SHA-256 over the chain of the row before and the event (chains.py)
)

# Assertions for one use that were used (storage/replays.py), of all domains.
used_assertion = Table(
    "used_assertion",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("until", BigInteger, nullable=False),  # seconds since 1970
    sqlite_with_rowid=False,
)
Index("ix_used_assertion_until", used_assertion.c.until)

# One row: the latest expiry that was forgotten, how many assertions are held.
replay_memory = Table(
    "replay_memory",
    metadata,
    Column("forgotten", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
)
