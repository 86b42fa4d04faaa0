"""Audit: events are chained, indexed by patient, anchored, and sent to audit repositories.

Revision 0007. The rows that are there are chained in their order; segments of the journal are taken up by the next
gateway. The previous release refuses this schema: its rows would have no chain. A revision is frozen: it does not
import the code of the running release.
"""

from hashlib import sha256
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision: Final = "0007"
down_revision: Final = "0006"

_ID: Final = BigInteger().with_variant(Integer(), "sqlite")
_AT_ONCE: Final = 5_000


def upgrade() -> None:
    """Chain the rows, add what is known of sources, entries, patients, anchors and targets."""
    op.add_column("audit_event", Column("chain", LargeBinary()))
    _chain_rows()
    _make_sequence()
    _make_targets()


def _make_sequence() -> None:
    op.create_table(
        "audit_source",
        Column("id", _ID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("position", BigInteger(), nullable=False),
        Column("events", BigInteger(), nullable=False),
        Column("chain", LargeBinary(), nullable=False),
        Column("last_at", Text(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_audit_source"),
        UniqueConstraint("name", name="uq_audit_source_name"),
    )
    op.create_table(
        "audit_entry",
        Column("id", _ID, nullable=False),
        Column("at", Text(), nullable=False),
        Column("source", _ID, nullable=False),
        Column("position", BigInteger(), nullable=False),
        ForeignKeyConstraint(["source"], ["audit_source.id"], name="fk_audit_entry_source"),
        PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_table(
        "audit_patient",
        Column("patient", Text(), nullable=False),
        Column("entry", _ID, nullable=False),
        ForeignKeyConstraint(["entry"], ["audit_entry.id"], name="fk_audit_patient_entry"),
        PrimaryKeyConstraint("patient", "entry", name="pk_audit_patient"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_anchor",
        Column("id", _ID, nullable=False),
        Column("entry", _ID, nullable=False),
        Column("at", Text(), nullable=False),
        Column("content", Text(), nullable=False),
        Column("signature", LargeBinary()),
        PrimaryKeyConstraint("id", name="pk_audit_anchor"),
    )


def _make_targets() -> None:
    op.create_table(
        "audit_target",
        Column("id", _ID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("entry", _ID, nullable=False),
        Column("failure", Text()),
        Column("failing_since", Text()),
        PrimaryKeyConstraint("id", name="pk_audit_target"),
        UniqueConstraint("name", name="uq_audit_target_name"),
    )
    op.create_table(
        "audit_refused",
        Column("target", _ID, nullable=False),
        Column("entry", _ID, nullable=False),
        Column("at", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        ForeignKeyConstraint(["target"], ["audit_target.id"], name="fk_audit_refused_target"),
        PrimaryKeyConstraint("target", "entry", name="pk_audit_refused"),
        sqlite_with_rowid=False,
    )


def _chain_rows() -> None:
    rows, last, chain = op.get_bind(), 0, sha256(b"xds-gateway audit audit_event").digest()
    select = sa.text("SELECT id, event FROM audit_event WHERE id > :last ORDER BY id LIMIT :limit")
    change = sa.text("UPDATE audit_event SET chain = :chain WHERE id = :id")
    while found := rows.execute(select, {"last": last, "limit": _AT_ONCE}).fetchall():
        changes = []
        for last, event in found:
            chain = sha256(chain + event.encode()).digest()
            changes.append({"id": last, "chain": chain})
        rows.execute(change, changes)
