"""What plans see of the registry: one state of it, whatever else is written meanwhile."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from ..actors.ports import HeldDocument, KnownAssociation, KnownObject, KnownUniqueId, Receipt, RegisteredSet
from ..codec.xml import escape
from ..model import vocabulary as v
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import DocumentEntry, RegistryObject
from ..model.principal import AccessFilter
from ..model.value_sets import ValueSets
from . import access_conditions as access_sql
from . import removal_statements as removal_sql
from . import statements as sql
from .access import BoundAccess
from .consents import ConsentSnapshot
from .fragments import unpack
from .keys import uuid_key, uuid_urn
from .rows import KIND_NAMES, KINDS
from .terms import NewTerms, Terms
from .value_sets import HeldValueSets, number_of, read_earlier, read_value_sets
from .wholes import whole_object

_ENTRY: Final = KINDS["DocumentEntry"]
_FOLDER: Final = KINDS["Folder"]


class SqlSnapshot(ConsentSnapshot):
    """`Snapshot` on a connection that is inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, terms: Terms, domain: int, held: HeldValueSets) -> None:
        super().__init__(connection.cursor(), domain)
        self.terms: Final = NewTerms(terms, connection)
        self._held = held
        self._seen_value_sets: ValueSets | None = None
        self._ids: Final[dict[bytes, tuple[int, int]]] = {}  # uuid -> id, kind of objects that are registered
        self._caller: AccessFilter | None = None  # whose eyes these are, by `look_as`
        self._unseen: frozenset[bytes] = frozenset()

    def look_as(self, access: AccessFilter, named: Iterable[str]) -> None:
        """Let `objects` and `latest_versions` not know what the caller may not find of these ids."""
        self._caller, self._unseen = None, frozenset()
        asked = tuple(named)
        versions = self.latest_versions(asked)
        known = (*self.objects(asked), *(version.uuid for version in versions.values()))
        permitted = self.permitted(known, access)
        hidden = {urn for urn in asked if urn in known and urn not in permitted}
        hidden |= {urn for urn, version in versions.items() if version.uuid not in permitted}
        self._caller, self._unseen = access, frozenset(key for urn in hidden if (key := uuid_key(urn)) is not None)

    def permitted(self, uuids: Iterable[str], access: AccessFilter) -> frozenset[str]:
        """Those of these registered objects that a filter permits, by id as given."""
        asked = BoundAccess(self._cursor.execute, self.terms.find, self._domain, access)
        found: set[str] = set()
        for kind, urns in self._by_kind(uuids).items():
            if asked.shape is None:
                found.update(urns.values())
                continue
            for keys in sql.chunks(list(urns)):
                rows = self._cursor.execute(access_sql.permitted(kind, len(keys), asked.shape), asked.of(kind, keys))
                found.update(urns[number] for (number,) in rows)
        return frozenset(found)

    def shown(self, uuids: Iterable[str]) -> frozenset[str]:
        """Those of these registered objects that the caller may find."""
        if self._caller is None:
            return frozenset(urn for urns in self._by_kind(uuids).values() for urn in urns.values())
        return self.permitted(uuids, self._caller)

    def _by_kind(self, uuids: Iterable[str]) -> Mapping[int, Mapping[int, str]]:
        """Registered objects among these, kind by kind: their ids, and how they were asked for."""
        kinds: dict[int, dict[int, str]] = {}
        for urn in dict.fromkeys(uuids):
            for number, kind in self._numbers_and_kinds((urn,)):
                kinds.setdefault(kind, {})[number] = urn
        return kinds

    def objects(self, uuids: Iterable[str]) -> Mapping[str, KnownObject]:
        """The objects of these ids that are registered, by id as given."""
        keys = {key: urn for urn in uuids if (key := uuid_key(urn)) is not None}
        found: dict[str, KnownObject] = {}
        for rows in self._in_chunks(sql.objects, list(keys)):
            for number, kind in rows:
                key, known = self._known(number, kind)
                self._ids[key] = (number, kind)
                if key not in self._unseen:
                    found[keys[key]] = known
        return found

    def unique_ids(self, values: Iterable[str]) -> Mapping[str, KnownUniqueId]:
        """The uniqueIds that are taken, by value."""
        return {
            value: KnownUniqueId(value, KIND_NAMES[kind], digest, size, self._is_shown(number))
            for rows in self._in_chunks(sql.unique_ids, list(dict.fromkeys(values)))
            for number, value, kind, digest, size in rows
        }

    def _is_shown(self, unique_id: int) -> bool:
        """Whether the caller may find an entry with this uniqueId."""
        if self._caller is None:
            return True
        asked = BoundAccess(self._cursor.execute, self.terms.find, self._domain, self._caller)
        if asked.shape is None:
            return True
        values = asked.of(_ENTRY, [unique_id])
        return self._cursor.execute(access_sql.any_entry(asked.shape), values).fetchone() is not None

    def registered_set(self, unique_id: str) -> RegisteredSet | None:
        """The submission set of this uniqueId, and who brought it with how many objects."""
        row = self._cursor.execute(sql.REGISTERED_SET, (unique_id, self._domain)).fetchone()
        if row is None:
            return None
        uuid, sender, objects, digest = row
        node = self.terms.word(sender)
        return RegisteredSet(uuid_urn(uuid), None if node is None else Receipt(node, objects, digest))

    def dependents(self, uuids: Iterable[str]) -> Sequence[KnownObject]:
        """Approved entries with an Approved APND or XFRM association to one of these entries, each once."""
        approved, types = self._word(v.APPROVED), (self._word(v.APND), self._word(v.XFRM))
        found: dict[int, KnownObject] = {}
        for number in self._numbers(uuids):
            for (dependent,) in self._cursor.execute(sql.DEPENDENTS, (number, approved, *types, approved)).fetchall():
                found[dependent] = self._known(dependent, _ENTRY)[1]
        return list(found.values())

    def transformations(self, uuids: Iterable[str]) -> frozenset[str]:
        """Those of these entries that are the source of an Approved XFRM."""
        approved, transforms = self._word(v.APPROVED), self._word(v.XFRM)
        found = [
            urn
            for urn in uuids
            for number in self._numbers((urn,))
            if self._cursor.execute(sql.STARTS, (number, transforms, approved)).fetchone()
        ]
        return frozenset(found)

    def folders_of(self, uuid: str) -> Sequence[KnownObject]:
        """Approved folders that hold this entry by an Approved HasMember."""
        approved, member = self._word(v.APPROVED), self._word(v.HAS_MEMBER)
        folders: list[int] = []
        for number in self._numbers((uuid,)):
            rows = self._cursor.execute(sql.FOLDERS_OF, (number, approved, member, approved)).fetchall()
            folders.extend(folder for (folder,) in rows)
        return [self._known(folder, _FOLDER)[1] for folder in folders]

    def latest_versions(self, logical_ids: Iterable[str]) -> Mapping[str, KnownObject]:
        """The latest version of each of these entries and folders, by logicalID as given."""
        found: dict[str, KnownObject] = {}
        for urn in logical_ids:
            key = uuid_key(urn)
            for kind in (_ENTRY, _FOLDER) if key is not None and key not in self._unseen else ():
                number = self._latest(kind, key)
                if number is not None:
                    found[urn] = self._known(number, kind)[1]
        return found

    def read(self, uuids: Iterable[str]) -> Mapping[str, RegistryObject]:
        """These objects whole, by id as given."""
        return {
            urn: whole_object(self._cursor.execute(sql.WHOLE[kind], (number,)).fetchone(), self.terms)
            for urn in dict.fromkeys(uuids)
            for number, kind in self._numbers_and_kinds((urn,))
        }

    def entries_from(self, patient_id: PatientId, sources: Collection[PatientId]) -> Sequence[DocumentEntry]:
        """Approved entries of a patient and of those it stands for, with one of these as sourcePatientId."""
        marks = [f"{escape(source.id)}^".encode() for source in sources]
        approved, found = self._word(v.APPROVED), []
        for patient in self._and_merged(patient_id):
            for number, fragment in self._cursor.execute(sql.FRAGMENTS_OF, (patient, approved)).fetchall():
                unpacked = unpack(fragment)
                if any(mark in unpacked for mark in marks):  # few have one: only these are read whole
                    entry = whole_object(self._cursor.execute(sql.WHOLE[_ENTRY], (number,)).fetchone(), self.terms)
                    if isinstance(entry, DocumentEntry) and _source_of(entry) in sources:
                        found.append(entry)
        return found

    def associations(self, uuids: Iterable[str]) -> Sequence[KnownAssociation]:
        """All associations that these ids name, lead from or lead to, of any status, each once."""
        member, found = self._word(v.HAS_MEMBER), {}
        numbers = self._numbers(dict.fromkeys(uuids))
        for end in ("id", "source", "target"):
            for rows in self._in_chunks(partial(removal_sql.associations, end), numbers):
                for number, uuid, source, target, link in rows:
                    ends = (uuid_urn(uuid), uuid_urn(source), uuid_urn(target))
                    found[number] = KnownAssociation(*ends, link == member)
        return [found[number] for number in sorted(found)]

    def documents_of(self, repository_unique_id: str, unique_ids: Iterable[str]) -> Mapping[str, HeldDocument]:
        """Documents held, by uniqueId: those of entries, those whose metadata were removed, those half removed."""
        repository, found = self._word(repository_unique_id), {}
        for value in dict.fromkeys(unique_ids):
            identity = (value, self._domain, repository)
            rows = self._cursor.execute(removal_sql.DOCUMENTS_OF_ENTRIES, identity).fetchall()
            rows += self._cursor.execute(removal_sql.DETACHED_DOCUMENTS, identity).fetchall()
            if rows:
                found[value] = HeldDocument(
                    keys=tuple(dict.fromkeys(key for _, key, _, _ in rows)),
                    entries=tuple(uuid_urn(uuid) for _, _, uuid, _ in rows if uuid is not None),
                    patients=tuple(dict.fromkeys(patient for *_, patient in rows if patient is not None)),
                )
        return found

    def documents_to_erase(self) -> Sequence[str]:
        """Keys of stored documents that were removed and whose bytes may still be there."""
        return [key for (key,) in self._cursor.execute(removal_sql.DOCUMENTS_TO_ERASE, (self._domain,)).fetchall()]

    def value_sets(self) -> ValueSets:
        """The domain's value sets; read only when their number is not that of the ones that are held."""
        if self._seen_value_sets is None:
            number = number_of(self._cursor, self._domain)
            if self._held.last.number != number:
                self._held.last = read_value_sets(self._cursor, self._domain, number)
            self._seen_value_sets = self._held.last
        return self._seen_value_sets

    def earlier_value_sets(self, number: int) -> ValueSets:
        """The value sets as a version had them."""
        return read_earlier(self._cursor, self._domain, number)

    def registered(self, kind: str, after: int, limit: int) -> Sequence[tuple[int, RegistryObject]]:
        """Objects of a kind in their latest version, in the order of registration, each with its place."""
        rows = self._cursor.execute(sql.REGISTERED[KINDS[kind]], (after, self._domain, limit)).fetchall()
        whole = sql.WHOLE[KINDS[kind]]
        return [(n, whole_object(self._cursor.execute(whole, (n,)).fetchone(), self.terms)) for (n,) in rows]

    def _latest(self, kind: int, lid: bytes | None) -> int | None:
        for statement in (sql.LATEST[kind], sql.FIRST[kind]):
            row = self._cursor.execute(statement, (lid, self._domain)).fetchone()
            if row is not None:
                return int(row[0])
        return None

    def _word(self, text: str) -> int | None:
        return self.terms.find((text, ""))

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
        uuid, lid, object_type, status, version, unique_id, value, authority, survivor = row
        if survivor is not None:
            value, authority = self._patient_id(survivor)
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


def _source_of(entry: DocumentEntry) -> PatientId | None:
    return parse_patient_id(entry.slot_value("sourcePatientId") or "")
