"""Databases: pragmas that make commits durable, schemas of other releases, sentences for administrators."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tests.contract.submissions import url_of
from xds_gateway.model.errors import StorageBusy, StorageFaulty, StorageFull
from xds_gateway.storage.audit_tables import metadata
from xds_gateway.storage.database import (
    DatabaseUnusable,
    SchemaMissing,
    SchemaNewer,
    StorageConflict,
    StorageFailure,
    check_schema,
    connect,
    migrate,
    sqlite_path,
    translate,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    migrate(url_of(tmp_path))
    return url_of(tmp_path)


def change(url: str, statement: str) -> None:
    connection = sqlite3.connect(sqlite_path(url))
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 7000)],
)
def test_a_connection_is_set_for_durable_commits(url: str, pragma: str, value: object) -> None:
    connection = connect(url, wait_seconds=7)
    assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value
    connection.close()


def test_a_database_that_cannot_be_durable_is_refused() -> None:
    with pytest.raises(DatabaseUnusable, match="journal_mode=wal"):
        connect("sqlite:///:memory:", wait_seconds=1)


def test_the_migrations_make_the_tables_of_this_release(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


FIRST_PATIENT = """CREATE TABLE patient (
    id INTEGER NOT NULL, domain INTEGER NOT NULL, value TEXT NOT NULL, authority TEXT NOT NULL,
    CONSTRAINT pk_patient PRIMARY KEY (id), CONSTRAINT fk_patient_domain FOREIGN KEY(domain) REFERENCES domain (id),
    CONSTRAINT uq_patient_domain_value_authority UNIQUE (domain, value, authority))"""


AUDIT = ("audit_refused", "audit_target", "audit_anchor", "audit_patient", "audit_entry", "audit_source")


def test_a_database_of_the_first_schema_gains_what_later_ones_have(url: str) -> None:
    def indexes() -> set[str]:
        connection = sqlite3.connect(sqlite_path(url))
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        connection.close()
        return names

    added = {"class_code", "healthcare_facility_type_code"}
    added = {*(f"ix_document_entry_{name}" for name in added), "ix_object_code_code"}
    detached = {f"ix_detached_document_{name}" for name in ("unique_id", "document", "removed")}
    fed = {"ix_patient_survivor", "ix_received_message_at"}
    fed |= {f"ix_patient_merge_{name}" for name in ("subsumed", "surviving")}
    listed = {"ix_value_set_domain", "ix_consent_patient", "ix_consent_domain"}
    used = {"ix_used_assertion_until"}
    sent = {"ix_audit_entry_at"}
    whole = indexes()
    for name in added:
        change(url, f"DROP INDEX {name}")
    for table in (
        "listed_code",
        "value_set",
        "detached_document",
        "consent",
        "patient_merge",
        "received_message",
        "patient",
        "used_assertion",
        "replay_memory",
        *AUDIT,
    ):
        change(url, f"DROP TABLE {table}")
    change(url, FIRST_PATIENT)
    for column in ("sender", "sent_objects", "sent_digest"):
        change(url, f"ALTER TABLE submission_set DROP COLUMN {column}")
    change(url, "ALTER TABLE domain DROP COLUMN value_sets")
    change(url, "ALTER TABLE audit_event DROP COLUMN chain")
    change(url, "UPDATE alembic_version SET version_num = '0001'")
    assert {name for name in indexes() if name.startswith("ix_")} == {
        name for name in whole - added - detached - fed - listed - sent - used if name.startswith("ix_")
    }
    migrate(url)
    check_schema(url)
    assert indexes() == whole


def test_migrating_again_changes_nothing(url: str) -> None:
    before = sqlite_path(url).read_bytes()
    migrate(url)
    check_schema(url)
    assert sqlite_path(url).read_bytes() == before


@pytest.mark.parametrize("check", [migrate, check_schema])
def test_a_newer_schema_is_refused_in_one_sentence(url: str, check: object) -> None:
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaNewer, match=r"^The database .* was made by a newer release \(schema 9999\); [a-z ]+\.$"):
        check(url)  # type: ignore[operator]


def test_a_database_without_schema_must_be_migrated_first(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    with pytest.raises(SchemaMissing, match="does not exist"):
        check_schema(url)
    sqlite3.connect(sqlite_path(url)).close()
    with pytest.raises(SchemaMissing, match="older release"):
        check_schema(url)
    migrate(url)
    check_schema(url)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    change(url, "CREATE TABLE audit_event (id INTEGER)")  # the last one that the first revision makes
    with pytest.raises(Exception, match="audit_event"):
        migrate(url)
    connection = sqlite3.connect(sqlite_path(url))
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("audit_event",)]
    connection.close()


@pytest.mark.parametrize(
    "url",
    ["", "sqlite://", "sqlite:///", "postgresql://localhost/x", "sqlite:///x?mode=ro", "/var/lib/registry.db"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(DatabaseUnusable, match=r"sqlite:///"):
        migrate(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///var/x.db", "var/x.db"), ("sqlite:////srv/x.db", "/srv/x.db"), ("sqlite:////a%20b/x", "/a b/x")],
)
def test_a_url_names_a_file(url: str, path: str) -> None:
    assert sqlite_path(url) == Path(path)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"This is a letter, not a database. " * 100)
    with pytest.raises(DatabaseUnusable, match="not an SQLite database"):
        migrate(url_of(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnusable, match=r"^The folder .*\.$"):
        migrate(url_of(tmp_path / "file"))


def test_opening_a_current_database_imports_neither_alembic_nor_sqlalchemy(url: str) -> None:
    code = (
        "import sys; from pathlib import Path; from xds_gateway.storage.database import migrate;"
        "from xds_gateway.storage.opening import open_storage; migrate(sys.argv[1]);"
        "open_storage(sys.argv[1], Path(sys.argv[2]), 'main', writer_name='w1', spool_quota=1).close();"
        "print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    )
    folder = str(sqlite_path(url).parent / "data")
    output = subprocess.run([sys.executable, "-c", code, url, folder], capture_output=True, text=True, check=True)
    assert output.stdout == "set()\n"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_BUSY, StorageBusy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageBusy),
        (sqlite3.SQLITE_LOCKED, StorageBusy),
        (sqlite3.SQLITE_FULL, StorageFull),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageFaulty),
        (sqlite3.SQLITE_IOERR_WRITE, StorageFaulty),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StorageConflict),
        (sqlite3.SQLITE_CANTOPEN, DatabaseUnusable),
        (sqlite3.SQLITE_READONLY, DatabaseUnusable),
        (sqlite3.SQLITE_CORRUPT, StorageFailure),
        (None, StorageFailure),
    ],
)
def test_failures_of_the_driver_have_our_names(code: int | None, meaning: type[Exception]) -> None:
    failure = sqlite3.OperationalError("text")
    if code is not None:
        failure.sqlite_errorcode = code
    assert type(translate(failure)) is meaning
