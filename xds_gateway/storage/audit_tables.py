"""Tables of the audit beside its events: their one order, their patients, anchors, and how far repositories are."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from .tables import Identity, metadata, numbered

# Where events come from: a segment of the journal, or the table audit_event; how far they are taken up.
audit_source = Table(
    "audit_source",
    metadata,
    numbered(),
    Column("name", Text, nullable=False, unique=True),
    Column("position", BigInteger, nullable=False),  # bytes of a segment, id of the last row of the table
    Column("events", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),  # of the last event that is taken up
    Column("last_at", Text, nullable=False),
)

# All events in the one order in which they are sent: where each is.
audit_entry = Table(
    "audit_entry",
    metadata,
    numbered(),
    Column("at", Text, nullable=False),
    Column("source", Identity, ForeignKey("audit_source.id"), nullable=False),
    Column("position", BigInteger, nullable=False),  # where its line begins, or id of its row
    Index("ix_audit_entry_at", "at"),
)

audit_patient = Table(
    "audit_patient",
    metadata,
    Column("patient", Text, primary_key=True),  # id^^^&oid&ISO, or as it was sent
    Column("entry", Identity, ForeignKey("audit_entry.id"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    numbered(),
    Column("entry", Identity, nullable=False),  # the last one that it covers
    Column("at", Text, nullable=False),
    Column("content", Text, nullable=False),  # JSON (security/anchors.py)
    Column("signature", LargeBinary),
)

audit_target = Table(
    "audit_target",
    metadata,
    numbered(),
    Column("name", Text, nullable=False, unique=True),
    Column("entry", Identity, nullable=False),  # the last one that the repository has
    Column("failure", Text),  # why it has no more, and since when
    Column("failing_since", Text),
)

# Events that a repository refused for good: set aside, so that the others go on.
audit_refused = Table(
    "audit_refused",
    metadata,
    Column("target", Identity, ForeignKey("audit_target.id"), primary_key=True, autoincrement=False),
    Column("entry", Identity, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)
