"""The registry's data of one domain: snapshots for plans, transactions for changes (design: plan, then commit)."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from ..actors.patient_ports import PatientMerge, ReceivedMessage
from ..actors.ports import Cleared, Prepared, Receipt, Snapshot, Transaction
from ..model.consents import Consent, KeptConsent
from ..model.errors import GatewayError
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent, StoredDocument
from ..model.metadata import RegistryObject
from ..model.value_sets import ValueSet, ValueSets
from . import statements as sql
from .chains import TABLE, follow, seed
from .consents import ConsentTransaction
from .database import StorageConflict, inserted, translate
from .events import event_json
from .readers import Readers
from .removals import detach, forget, remove_objects
from .resets import clear
from .rows import KINDS, UNKNOWN_KIND, Row, last_update, make_row
from .snapshots import SqlSnapshot
from .terms import Terms, add_domain
from .value_sets import HeldValueSets, write_value_sets
from .wholes import whole_object
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
        self._held: Final = HeldValueSets()

    def prepare(self, objects: Sequence[RegistryObject], receipt: Receipt | None = None) -> Sequence[Prepared]:
        """Render and compress objects, outside of any lock. Raises StorageConflict for an id that is no UUID."""
        return [Prepared(item, make_row(item, receipt)) for item in objects]

    def inspect(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a snapshot that nothing changes, without queueing behind writers. Raises StorageBusy."""
        with self._readers.snapshot() as connection:
            return work(SqlSnapshot(connection, self._terms, self._domain, self._held))

    def value_sets(self) -> ValueSets:
        """The value sets that this process has read last; a snapshot tells the present ones."""
        return self._held.last

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a durable transaction of its own. Raises what it raises, StorageBusy, StorageFull."""

        def run(connection: sqlite3.Connection) -> tuple[T, SqlTransaction]:
            transaction = SqlTransaction(connection, self._terms, self._domain, self._held)
            result = work(transaction)
            transaction.check()
            return result, transaction

        result, committed = self._writer.write(run)
        self._terms.remember(committed.terms.met)
        return result


class SqlTransaction(SqlSnapshot, ConsentTransaction):
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
        self._change(lambda: self._add_patient(patient_id))

    def merge_patients(self, merge: PatientMerge) -> None:
        """Let one active patient stand for another, and for all that were merged into that one."""
        self._change(lambda: self._merge_patients(merge))

    def unmerge_patient(self, patient_id: PatientId, at: str, by: str) -> None:
        """Undo the merge of a subsumed patient."""
        self._change(lambda: self._unmerge_patient(patient_id, at, by))

    def add_consent(self, consent: Consent, at: str, by: str) -> int:
        """Keep a consent of a known patient; its number."""
        numbers: list[int] = []
        self._change(lambda: numbers.append(self._add_consent(consent, at, by, self.terms)))
        return numbers[0]

    def withdraw_consent(self, number: int, at: str, by: str) -> KeptConsent | None:
        """Let a consent count no more; None when there is none of this number in force."""
        withdrawn: list[KeptConsent | None] = []
        self._change(lambda: withdrawn.append(self._withdraw_consent(number, at, by)))
        return withdrawn[0]

    def note_received(self, message: ReceivedMessage, at: str) -> None:
        """Remember an accepted message of a feed."""
        self._change(lambda: self._note_received(message, at))

    def set_status(self, uuids: Iterable[str], status: str) -> None:
        """Change availabilityStatus of these objects; unknown ones are passed over."""

        def change() -> None:
            word = self.terms.id((status, ""))
            for number, kind in self._numbers_and_kinds(uuids):
                self._cursor.execute(sql.SET_STATUS[kind], (word, number))

        self._change(change)

    def supersede(self, uuids: Iterable[str]) -> None:
        """Make these entries and folders older versions; other kinds have none."""

        def change() -> None:
            for number, kind in self._numbers_and_kinds(uuids):
                if kind in sql.SUPERSEDE:
                    self._cursor.execute(sql.SUPERSEDE[kind], (number,))

        self._change(change)

    def touch_folders(self, uuids: Iterable[str], last_update_time: str) -> None:
        """Set Folder.lastUpdateTime, a DTM (ITI TF-3 4.2.3.4.6)."""
        columns = last_update(last_update_time)
        self._change(
            lambda: self._cursor.executemany(sql.TOUCH_FOLDER, [(*columns, number) for number in self._numbers(uuids)])
        )

    def remove(self, uuids: Iterable[str]) -> None:
        """Remove objects with all that belongs to them. Raises StorageConflict when an association refers to one."""
        self._change(lambda: self._remove(self._numbers_and_kinds(dict.fromkeys(uuids))))

    def detach_documents(self, repository_unique_id: str, unique_ids: Iterable[str]) -> Sequence[str]:
        """Give documents out no more; the keys whose bytes nothing needs now, noted until `forget_documents`."""
        keys: list[str] = []
        repository = self._word(repository_unique_id)
        if repository is not None:
            self._change(lambda: keys.extend(detach(self._cursor, self._domain, repository, unique_ids)))
        return keys

    def forget_documents(self, keys: Iterable[str]) -> None:
        """Forget removed documents: their bytes are gone."""
        self._change(lambda: forget(self._cursor, keys))

    def clear(self, outboxes: Sequence[str]) -> Cleared:
        """Remove everything of the domain but its audit, and what waits for these audit repositories."""
        cleared: list[Cleared] = []
        self._ids.clear()
        self._change(lambda: cleared.append(clear(self._cursor, self._domain, outboxes)))
        return cleared[0]

    def set_value_sets(self, lists: Mapping[str, ValueSet | None]) -> int:
        """Begin new lists for these attributes, None for none; the number of the new version."""
        numbers: list[int] = []
        self._change(lambda: numbers.append(write_value_sets(self._cursor, self._domain, lists)))
        self._held, self._seen_value_sets = HeldValueSets(), None  # nobody else knows them before they are committed
        return numbers[0]

    def audit(self, event: AuditEvent) -> None:
        """Add the audit row of this change, and chain it to the one before."""

        def change() -> None:
            told = event_json(event)
            last = self._cursor.execute(sql.LAST_AUDIT).fetchone()
            chain = follow(last[0] if last else seed(TABLE), told.encode("ascii"))
            self._cursor.execute(sql.ADD_AUDIT, (self._domain, told, chain))

        self._change(change)

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
        before = self._latest(_ENTRY, row.lid) if row.lid is not None and row.kind == _ENTRY else None
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
        if before is not None:
            self._cursor.execute(sql.INHERIT_DOCUMENT, (before, number))

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
        found = self._patient_row(patient_id)
        if found is None:
            raise StorageConflict("the patient of an object is not known")
        return found.id

    def _add_unique_id(self, row: Row) -> int | None:
        """The integer of a uniqueId.

        A document may repeat it with the same hash and size, a later version with others, which become the latest.
        """
        if row.unique_id is None:
            return None
        value, digest, size = row.unique_id
        try:
            return inserted(self._cursor.execute(sql.ADD_UNIQUE_ID, (self._domain, value, row.kind, digest, size)))
        except sqlite3.IntegrityError:
            taken = self._cursor.execute(sql.unique_ids(1), (value, self._domain)).fetchone()
            if row.lid is not None and taken is not None and taken[2] == row.kind:
                self._cursor.execute(sql.CHANGE_UNIQUE_ID, (digest, size, taken[0]))
                return int(taken[0])
            if row.kind != _ENTRY or taken is None or taken[2:] != (_ENTRY, digest, size):
                raise
            return int(taken[0])

    def _remove(self, objects: Sequence[tuple[int, int]]) -> None:
        gone = {number for number, _ in objects}
        for key in [key for key, (number, _) in self._ids.items() if number in gone]:
            del self._ids[key]
        for number, unique_id in remove_objects(self._cursor, objects, self._latest):
            row = make_row(whole_object(self._cursor.execute(sql.WHOLE[_ENTRY], (number,)).fetchone(), self.terms))
            _, digest, size = row.unique_id or ("", None, None)
            self._cursor.execute(sql.CHANGE_UNIQUE_ID, (digest, size, unique_id))

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
