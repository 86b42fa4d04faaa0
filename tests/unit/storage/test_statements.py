"""Statements use indexes: no query scans a table that grows with the registry."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.submissions import url_of
from xds_gateway.storage import patient_statements as patient_sql
from xds_gateway.storage import query_statements as queries
from xds_gateway.storage import removal_statements as removals
from xds_gateway.storage import statements as sql
from xds_gateway.storage import value_sets
from xds_gateway.storage.access import ANY_CONSENT
from xds_gateway.storage.access_conditions import AccessShape, PermitShape
from xds_gateway.storage.database import connect, migrate

SIZES = (1, 8, 0)
# Access filters: one that asks all that a permit can ask, with patients and consents, and parts of it
_FULL = PermitShape(confidentiality=2, class_codes=1, type_codes=8, own=True, consent="if permitted")
_NONE = PermitShape(confidentiality=None, class_codes=None, type_codes=None, own=False, consent="unless opposed")
ACCESS = (
    AccessShape(permits=(_NONE._replace(confidentiality=4, consent="regardless"),)),
    AccessShape(permits=(_NONE._replace(class_codes=1),), patients=1),
    AccessShape(permits=(_NONE,), grantees=2),
    AccessShape(
        permits=(_FULL, _NONE, _FULL._replace(confidentiality=0, consent="regardless")),
        patients=2,
        grantees=8,
        break_glass=True,
    ),
)
SHAPES = (
    queries.EntryShape(statuses=1, object_types=1),
    *(queries.EntryShape(statuses=2, object_types=None, access=access) for access in ACCESS),
    *(
        queries.EntryShape(statuses=1, object_types=2, codes=((name, size),))
        for name in sql.CODE_COLUMNS
        for size in SIZES
    ),
    *(
        queries.EntryShape(statuses=1, object_types=1, times=((name, start, stop),))
        for name in sql.TIME_COLUMNS
        for start, stop in ((True, False), (False, True), (True, True))
    ),
    queries.EntryShape(statuses=1, object_types=1, author_person=True),
    queries.EntryShape(statuses=1, object_types=1, reference_ids=True),
    queries.EntryShape(statuses=1, object_types=1, code_lists=2),
    queries.EntryShape(statuses=2, object_types=1, level=2),
    queries.EntryShape(
        statuses=0,
        object_types=0,
        codes=tuple((name, 0) for name in sql.CODE_COLUMNS),
        code_lists=2,
        times=tuple((name, True, True) for name in sql.TIME_COLUMNS),
        author_person=True,
        reference_ids=True,
        access=ACCESS[-1],
    ),
)
RANGES = ((False, False), (True, False), (False, True), (True, True))
SET_SHAPES = (
    *(queries.SubmissionSetShape(statuses=2, submission_time=ends) for ends in RANGES),
    *(queries.SubmissionSetShape(statuses=1, access=access) for access in ACCESS),
    queries.SubmissionSetShape(statuses=1, source_ids=True),
    queries.SubmissionSetShape(statuses=1, author_person=True),
    *(queries.SubmissionSetShape(statuses=1, content_types=size) for size in SIZES),
    queries.SubmissionSetShape(
        statuses=0, source_ids=True, submission_time=(True, True), author_person=True, content_types=0
    ),
)
FOLDER_SHAPES = (
    *(
        queries.FolderShape(statuses=size, last_update_time=ends, codes=codes)
        for size in SIZES
        for ends in RANGES
        for codes in (False, True)
    ),
    *(queries.FolderShape(statuses=1, access=access) for access in ACCESS),
)
KEY_SHAPES = tuple(
    queries.KeyShape(keys=keys, access=access, level=level)
    for level in (1, 2)
    for keys in (1, 8, 512)
    for access in (None, *ACCESS)
)
FILTER_SHAPES = (
    queries.KeyShape(keys=8, object_types=1),
    *(queries.KeyShape(keys=8, codes=(("format_code", size),)) for size in SIZES),
    queries.KeyShape(keys=512, object_types=0, codes=(("format_code", 0),), code_lists=1)._replace(access=ACCESS[-1]),
)
LINK_SHAPES = tuple(
    queries.LinkShape(keys=keys, types=types, access=access, statuses=statuses)
    for statuses in (1, 2)
    for keys in (1, 8, 512)
    for types in (None, *SIZES)
    for access in (None, *ACCESS)
)

# ITI-51: each way to find, with every combination of the parameters that can be there besides
CONDITIONAL = ("class_code", "healthcare_facility_type_code")
WIDE_SHAPES = tuple(
    queries.EntryShape(
        statuses=1,
        object_types=1,
        codes=tuple((name, 2) for name in names),
        code_lists=lists,
        times=tuple((name, True, True) for name in times),
        author_person=authors,
        access=access,
        created=created,
    )
    for names in ((), *((name,) for name in CONDITIONAL), CONDITIONAL, tuple(sql.CODE_COLUMNS))
    for lists in (0, 1)
    for times in ((), ("creation_time",), tuple(sql.TIME_COLUMNS))
    for authors in (False, True)
    for access in (None, ACCESS[-1])
    for created in (False, True)
)
FINDERS = {
    "patient": "SEARCH e USING INDEX ix_document_entry_patient (patient=?",
    "class_code": "SEARCH e USING INDEX ix_document_entry_class_code (class_code=?",
    "healthcare_facility_type_code": "SEARCH e USING INDEX ix_document_entry_healthcare_facility_type_code (",
    "event_code_list": "SEARCH k USING COVERING INDEX ix_object_code_code (code=?)",
}
FOLDER_FINDERS = {
    "patient": "SEARCH e USING INDEX ix_folder_patient (patient=?)",
    "folder_code_list": "SEARCH k USING COVERING INDEX ix_object_code_code (code=?)",
}
WIDE = {
    **{
        queries.find_documents_by(finder, keys, shape): step
        for finder, step in FINDERS.items()
        for keys in ((1,) if finder == "event_code_list" else (1, 8, 512))
        for shape in WIDE_SHAPES
    },
    **{
        queries.find_folders_by(finder, keys, shape): step
        for finder, step in FOLDER_FINDERS.items()
        for keys in ((1,) if finder == "folder_code_list" else (1, 8, 512))
        for shape in FOLDER_SHAPES
    },
}
REMOVALS = (  # with the look-ups of foreign keys that a deletion makes
    *(removals.associations(key, keys) for key in ("id", "source", "target") for keys in (1, 8, 512)),
    *(removals.remove(kind, keys) for kind in (1, 2, 3) for keys in (1, 8, 512)),
    *(build(keys) for build in (removals.remove_associations, removals.remove_ids) for keys in (1, 8, 512)),
    *(removals.remove_lists(table, keys) for table in removals.LISTS for keys in (1, 8, 512)),
    *(
        statement
        for name, statement in vars(removals).items()
        if name[0].isupper() and isinstance(statement, str) and " " in statement
    ),
    *removals.MAKE_LATEST.values(),
)
STATEMENTS = (
    *REMOVALS,
    *(queries.find_documents(shape) for shape in SHAPES),
    *(queries.find_submission_sets(shape) for shape in SET_SHAPES),
    *(queries.find_folders(shape) for shape in FOLDER_SHAPES),
    *(
        build(table, shape)
        for build in (queries.by_uuid, queries.by_unique_id, queries.by_id)
        for table, shapes in (
            (queries.ENTRY, (*KEY_SHAPES, *FILTER_SHAPES)),
            (queries.SUBMISSION_SET, KEY_SHAPES[:: len(ACCESS) - 1]),
            (queries.FOLDER, KEY_SHAPES[:: len(ACCESS) - 1]),
        )
        for shape in shapes
    ),
    *(queries.later_versions(table, shape) for table in (queries.ENTRY, queries.FOLDER) for shape in KEY_SHAPES),
    *(queries.documents(shape) for shape in KEY_SHAPES),
    *(queries.associations(key, shape) for key in ("source", "target", "id") for shape in LINK_SHAPES),
    *(queries.object_ids(keys) for keys in (1, 8, 512)),
    *(build(keys) for build in (sql.objects, sql.unique_ids) for keys in (1, 8, 512)),
    *sql.KNOWN.values(),
    *sql.SET_STATUS.values(),
    *sql.LATEST.values(),
    *sql.FIRST.values(),
    *sql.WHOLE.values(),
    *sql.REGISTERED.values(),
    value_sets.NUMBER,
    value_sets.CURRENT,
    value_sets.EARLIER,
    value_sets.CODES,
    value_sets.NEXT,
    value_sets.END,
    *sql.SUPERSEDE.values(),
    sql.CHANGE_UNIQUE_ID,
    sql.INHERIT_DOCUMENT,
    *patient_sql.STATEMENTS,
    sql.DEPENDENTS,
    sql.REGISTERED_SET,
    sql.FOLDERS_OF,
    sql.FRAGMENTS_OF,
    sql.STARTS,
    sql.CLAIM_OBJECT,
    sql.END,
    sql.SET_DOCUMENT,
    sql.TOUCH_FOLDER,
    sql.DOCUMENT_KEY,
    ANY_CONSENT,
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder: Path = tmp_path_factory.mktemp("plans")
    migrate(url_of(folder))
    opened = connect(url_of(folder), wait_seconds=1)
    yield opened
    opened.close()


def plan_of(connection: sqlite3.Connection, statement: str) -> list[str]:
    values = [None] * statement.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


# what a statement makes itself: bound lists, and the ends of one association
OWN = ("VIRTUAL TABLE", "SCAN CONSTANT ROW", "SCAN reached")


@pytest.mark.parametrize("statement", dict.fromkeys(STATEMENTS))
def test_no_statement_scans_a_growing_table(connection: sqlite3.Connection, statement: str) -> None:
    plan = plan_of(connection, statement)
    scans = [step for step in plan if step.startswith("SCAN") and not any(own in step for own in OWN)]
    assert plan
    assert scans == []


@pytest.mark.parametrize("finder", sorted(set(WIDE.values())))
def test_what_several_patients_have_is_found_by_an_index(connection: sqlite3.Connection, finder: str) -> None:
    statements = [statement for statement, step in WIDE.items() if step == finder]
    for statement in statements:
        plan = plan_of(connection, statement)
        first = next(step for step in plan if step.startswith(("SEARCH", "SCAN")))
        assert first.startswith(finder), statement
        assert [step for step in plan if step.startswith("SCAN") and not any(own in step for own in OWN)] == []
    assert statements


@pytest.mark.parametrize("finder", CONDITIONAL)
@pytest.mark.parametrize(("created", "columns"), [(True, "_code=? AND creation_time_hi>?)"), (False, "_code=?)")])
def test_what_came_since_a_time_is_a_range_of_the_index(
    connection: sqlite3.Connection, finder: str, created: bool, columns: str
) -> None:
    shape = queries.EntryShape(statuses=1, object_types=1, times=(("creation_time", True, True),), created=created)
    plan = plan_of(connection, queries.find_documents_by(finder, 2, shape))
    assert plan[0].endswith(columns)


def test_a_scan_would_be_seen(connection: sqlite3.Connection) -> None:
    assert plan_of(connection, "SELECT 1 FROM association a WHERE a.status = ?") == ["SCAN a"]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        *((queries.find_documents(shape), "ix_document_entry_patient") for shape in SHAPES),
        *((queries.find_submission_sets(shape), "ix_submission_set_patient") for shape in SET_SHAPES),
        *((queries.find_folders(shape), "ix_folder_patient") for shape in FOLDER_SHAPES),
    ],
)
def test_what_a_patient_has_needs_no_sorting(connection: sqlite3.Connection, statement: str, index: str) -> None:
    plan = plan_of(connection, statement)
    assert f"SEARCH e USING INDEX {index} (patient=?)" in plan
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize("shape", LINK_SHAPES)
@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("source", "SEARCH a USING INDEX ix_association_source (source=?)"),
        ("target", "SEARCH a USING INDEX ix_association_target (target=?)"),
        ("id", "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"),
    ],
)
def test_associations_are_found_by_their_ends(
    connection: sqlite3.Connection, key: str, step: str, shape: queries.LinkShape
) -> None:
    assert step in plan_of(connection, queries.associations(key, shape))


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 1), (2, 2), (3, 4), (64, 64), (65, 0), (5000, 0)])
def test_lists_have_few_sizes(count: int, size: int) -> None:
    assert sql.inline_size(count) == size


@pytest.mark.parametrize("count", [1, 2, 3, 5, 511, 512])
def test_keys_are_padded_with_null(count: int) -> None:
    keys = sql.padded(list(range(count)))
    assert (len(keys) & (len(keys) - 1), keys[:count], set(keys[count:]) <= {None}) == (0, list(range(count)), True)
