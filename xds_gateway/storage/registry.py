"""The registry's data of one domain: snapshots for plans, transactions for changes (design: plan, then commit)."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from ..actors.ports import KnownObject, KnownUniqueId, Prepared, Snapshot, Transaction
from ..model import vocabulary as v
from ..model.errors import GatewayError
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent, StoredDocument
from ..model.metadata import RegistryObject
from . import statements as sql
from .database import StorageConflict, inserted, translate
from .events import event_json
from .keys import uuid_key, uuid_urn
from .readers import Readers
from .rows import KIND_NAMES, KINDS, UNKNOWN_KIND, Row, last_update, make_row
from .terms import NewTerms, Terms, add_domain
from .writer import Writer

T = TypeVar("T")
_ENTRY: Final = KINDS["DocumentEntry"]
_FOLDER: Final = KINDS["Folder"]


class SqlRegistryStore:
    """`RegistryStore` over one database; the caller decides who writes what, this room only that it is whole."""

    def __init__(self, writer: Writer, readers: Readers, terms: Terms, domain: str) -> None:
        self._writer: Final = writer
        self._readers: Final = readers
        self._terms: Final = terms
        self._domain: Final = writer.write(lambda connection: add_domain(connection, domain))

    def prepare(self, objects: Sequence[RegistryObject]) -> Sequence[Prepared]:
        """Render and compress objects, outside of any lock. Raises StorageConflict for an id that is no UUID."""
        return [Prepared(item, make_row(item)) for item in objects]

    def inspect(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a snapshot that nothing changes, without queueing behind writers. Raises StorageBusy."""
        with self._readers.snapshot() as connection:
            return work(SqlSnapshot(connection, self._terms, self._domain))

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a durable transaction of its own. Raises what it raises, StorageBusy, StorageFull."""

        def run(connection: sqlite3.Connection) -> tuple[T, SqlTransaction]:
            transaction = SqlTransaction(connection, self._terms, self._domain)
            result = work(transaction)
            transaction.check()
            return result, transaction

        result, committed = self._writer.write(run)
        self._terms.remember(committed.terms.met)
        return result


class SqlSnapshot:
    """`Snapshot` on a connection that is inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, terms: Terms, domain: int) -> None:
        self._cursor: Final = connection.cursor()
        self._domain: Final = domain
        self.terms: Final = NewTerms(terms, connection)
        self._ids: Final[dict[bytes, tuple[int, int]]] = {}  # uuid -> id, kind of objects that are registered

    def patient_known(self, patient_id: PatientId) -> bool:
        """Whether the patient has a row."""
        return self._patient(patient_id) is not None

    def objects(self, uuids: Iterable[str]) -> Mapping[str, KnownObject]:
        """The objects of these ids that are registered, by id as given."""
        keys = {key: urn for urn in uuids if (key := uuid_key(urn)) is not None}
        found: dict[str, KnownObject] = {}
        for rows in self._in_chunks(sql.objects, list(keys)):
            for number, kind in rows:
                key, known = self._known(number, kind)
                self._ids[key] = (number, kind)
                found[keys[key]] = known
        return found

    def unique_ids(self, values: Iterable[str]) -> Mapping[str, KnownUniqueId]:
        """The uniqueIds that are taken, by value."""
        return {
            value: KnownUniqueId(value, KIND_NAMES[kind], digest, size)
            for rows in self._in_chunks(sql.unique_ids, list(dict.fromkeys(values)))
            for _, value, kind, digest, size in rows
        }

    def dependents(self, uuids: Iterable[str]) -> Sequence[KnownObject]:
        """Approved entries with an Approved APND or XFRM association to one of these entries, each once."""
        approved, types = self._word(v.APPROVED), (self._word(v.APND), self._word(v.XFRM))
        found: dict[int, KnownObject] = {}
        for number in self._numbers(uuids):
            for (dependent,) in self._cursor.execute(sql.DEPENDENTS, (number, approved, *types, approved)).fetchall():
                found[dependent] = self._known(dependent, _ENTRY)[1]
        return list(found.values())

    def folders_of(self, uuid: str) -> Sequence[KnownObject]:
        """Approved folders that hold this entry by an Approved HasMember."""
        approved, member = self._word(v.APPROVED), self._word(v.HAS_MEMBER)
        folders: list[int] = []
        for number in self._numbers((uuid,)):
            rows = self._cursor.execute(sql.FOLDERS_OF, (number, approved, member, approved)).fetchall()
            folders.extend(folder for (folder,) in rows)
        return [self._known(folder, _FOLDER)[1] for folder in folders]

    def _word(self, text: str) -> int | None:
        return self.terms.find((text, ""))

    def _patient(self, patient_id: PatientId) -> int | None:
        row = self._cursor.execute(sql.PATIENT, (self._domain, *patient_id)).fetchone()
        return row[0] if row else None

    def _in_chunks(self, statement: Callable[[int], str], keys: Sequence[object]) -> Iterable[list[tuple]]:  # type: ignore[type-arg]
        for start in range(0, len(keys), sql.CHUNK):
            chunk = sql.padded(keys[start : start + sql.CHUNK])
            yield self._cursor.execute(statement(len(chunk)), (*chunk, self._domain)).fetchall()

    def _numbers(self, uuids: Iterable[str]) -> list[int]:
        """The ids of registered objects."""
        return [number for number, _ in self._numbers_and_kinds(uuids)]

    def _numbers_and_kinds(self, uuids: Iterable[str]) -> list[tuple[int, int]]:
        keys = [key for urn in uuids if (key := uuid_key(urn)) is not None]
        unmet = [key for key in keys if key not in self._ids]
        found = [row for rows in self._in_chunks(sql.objects, unmet) for row in rows]
        return [self._ids[key] for key in keys if key in self._ids] + found

    def _known(self, number: int, kind: int) -> tuple[bytes, KnownObject]:
        row = self._cursor.execute(sql.KNOWN[kind], (number,)).fetchone()
        uuid, lid, object_type, status, version, value, authority, unique_id = row
        return uuid, KnownObject(
            uuid=uuid_urn(uuid),
            lid=uuid_urn(lid or uuid),
            kind=KIND_NAMES[kind],
            object_type=self.terms.word(object_type),
            status=self.terms.word(status) or "",
            version=version,
            patient_id=PatientId(value, authority) if value is not None else None,
            unique_id=unique_id,
        )


class SqlTransaction(SqlSnapshot):
    """`Transaction` on the writing connection. A change that failed keeps the whole from being committed."""

    _broken: GatewayError | None = None

    def check(self) -> None:
        """Raise the failure of a change that the work has swallowed: half of it may be in the database."""
        if self._broken is not None:
            raise self._broken

    def add(self, prepared: Sequence[Prepared]) -> None:
        """Add objects with their uniqueIds, codes and authors. Raises StorageConflict when an id is taken."""
        self._change(lambda: self._add([item.row for item in prepared]))

    def add_documents(self, documents: Mapping[str, StoredDocument]) -> None:
        """Tie stored documents to entries, by entry uuid. Raises StorageConflict for an unknown entry."""
        self._change(lambda: self._add_documents(documents))

    def add_patient(self, patient_id: PatientId) -> None:
        """Make a patient known; nothing happens when it is."""
        self._change(lambda: self._cursor.execute(sql.ADD_PATIENT, (self._domain, *patient_id)))

    def set_status(self, uuids: Iterable[str], status: str) -> None:
        """Change availabilityStatus of these objects; unknown ones are passed over."""

        def change() -> None:
            word = self.terms.id((status, ""))
            for number, kind in self._numbers_and_kinds(uuids):
                self._cursor.execute(sql.SET_STATUS[kind], (word, number))

        self._change(change)

    def touch_folders(self, uuids: Iterable[str], last_update_time: str) -> None:
        """Set Folder.lastUpdateTime, a DTM (ITI TF-3 4.2.3.4.6)."""
        columns = last_update(last_update_time)
        self._change(
            lambda: self._cursor.executemany(sql.TOUCH_FOLDER, [(*columns, number) for number in self._numbers(uuids)])
        )

    def audit(self, event: AuditEvent) -> None:
        """Add the audit row of this change."""
        self._change(lambda: self._cursor.execute(sql.ADD_AUDIT, (self._domain, event_json(event))))

    def _change(self, change: Callable[[], object]) -> None:
        try:
            change()
        except sqlite3.Error as failure:
            self._broken = translate(failure)
            raise self._broken from failure
        except GatewayError as failure:
            self._broken = failure
            raise

    def _add(self, rows: Sequence[Row]) -> None:
        numbers = [self._add_object(row) for row in rows]
        for row, number in zip(rows, numbers, strict=True):
            if not row.ends:
                self._add_metadata(row, number)
            else:
                self._add_association(row, number)

    def _add_object(self, row: Row) -> int:
        """The integer of a new object; an id that was only the end of an association is claimed."""
        identity = (row.kind, row.uuid, self._domain)
        try:
            number = inserted(self._cursor.execute(sql.ADD_OBJECT, (self._domain, row.uuid, row.kind)))
        except sqlite3.IntegrityError:
            claimed = self._cursor.execute(sql.CLAIM_OBJECT, identity).fetchall()
            if not claimed:
                raise
            number = int(claimed[0][0])
        self._ids[row.uuid] = (number, row.kind)
        return number

    def _add_metadata(self, row: Row, number: int) -> None:
        versioned = () if row.kind == KINDS["SubmissionSet"] else (1,)
        self._cursor.execute(
            sql.ADD[row.kind],
            (
                *self._managed(row, number),
                self._known_patient(row.patient),
                row.patient_cx,
                row.home,
                self._add_unique_id(row),
                *versioned,
                *self._words(row),
                *row.values,
                row.fragment,
            ),
        )
        self._add_lists(row, number)

    def _add_association(self, row: Row, number: int) -> None:
        ends = [self._end(end) for end in row.ends]
        self._cursor.execute(
            sql.ADD[row.kind], (*self._managed(row, number), row.home, *ends, *self._words(row), row.fragment)
        )

    def _managed(self, row: Row, number: int) -> tuple[object, ...]:
        return number, self._domain, row.uuid, row.lid, row.version, self.terms.id(row.status)

    def _words(self, row: Row) -> list[int | None]:
        identify = self.terms.id
        return [None if word is None else identify(word) for word in row.words]

    def _add_lists(self, row: Row, number: int) -> None:
        add, identify = self._cursor.executemany, self.terms.id
        if row.codes:
            add(sql.ADD_CODE, [(number, attribute, identify(code)) for attribute, code in row.codes])
        if row.authors:
            add(sql.ADD_AUTHOR, [(number, position, person) for position, person in enumerate(row.authors)])
        if row.references:
            add(sql.ADD_REFERENCE, [(number, position, value) for position, value in enumerate(row.references)])

    def _known_patient(self, patient_id: PatientId | None) -> int | None:
        if patient_id is None:
            return None
        found = self._patient(patient_id)
        if found is None:
            raise StorageConflict("the patient of an object is not known")
        return found

    def _add_unique_id(self, row: Row) -> int | None:
        """The integer of a uniqueId; only a document may repeat it, with the same hash and size."""
        if row.unique_id is None:
            return None
        value, digest, size = row.unique_id
        try:
            return inserted(self._cursor.execute(sql.ADD_UNIQUE_ID, (self._domain, value, row.kind, digest, size)))
        except sqlite3.IntegrityError:
            taken = self._cursor.execute(sql.unique_ids(1), (value, self._domain)).fetchone()
            if row.kind != _ENTRY or taken is None or taken[2:] != (_ENTRY, digest, size):
                raise
            return int(taken[0])

    def _end(self, key: bytes) -> int:
        """The integer of an association's end, which may be an object of no table."""
        met = self._ids.get(key)
        if met is not None:
            return met[0]
        row = self._cursor.execute(sql.END, (key, self._domain)).fetchone()
        if row is not None:
            return int(row[0])
        return inserted(self._cursor.execute(sql.ADD_OBJECT, (self._domain, key, UNKNOWN_KIND)))

    def _add_documents(self, documents: Mapping[str, StoredDocument]) -> None:
        numbers: dict[str, int] = {}  # by key: one document may serve several entries
        for urn, document in documents.items():
            if document.key not in numbers:
                stored = (document.key, document.size, document.sha1, document.chunk_digests)
                numbers[document.key] = inserted(self._cursor.execute(sql.ADD_DOCUMENT, stored))
            entries = self._numbers_and_kinds((urn,))
            if [kind for _, kind in entries] != [_ENTRY]:
                raise StorageConflict("a document belongs to no entry")
            self._cursor.execute(sql.SET_DOCUMENT, (numbers[document.key], entries[0][0]))
