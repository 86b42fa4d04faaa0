"""Registry objects made into rows outside of any lock: everything but the integers that only the database knows."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..actors.ports import Receipt
from ..codec.ebrim import render_fragment
from ..model import vocabulary as v
from ..model.datatypes import parse_dtm
from ..model.identifiers import PatientId, parse_organization_id, parse_patient_id
from ..model.metadata import Association, Classification, DocumentEntry, Folder, RegistryObject, SubmissionSet
from .database import StorageConflict
from .fragments import pack
from .keys import uuid_key
from .terms import Pair

# Numbers of kinds in `object` and `unique_id`; 0 is an id that is only known as the end of an association.
KINDS: Final = {"DocumentEntry": 1, "SubmissionSet": 2, "Folder": 3, "Association": 4}
KIND_NAMES: Final = {number: name for name, number in KINDS.items()}
UNKNOWN_KIND: Final = 0

# Numbers of the multi-valued codes in `object_code`.
CODE_LISTS: Final = {"confidentiality_code": 1, "event_code_list": 2, "folder_code_list": 3}
# ... and in the same table the organisations of an entry's authors, by which access rights know whose it is.
AUTHOR_ORGANIZATION: Final = 4

# Numbers of what a consent covers; 0 is all documents of the patient.
SCOPES: Final = {"confidentiality_code": 1, "class_code": 2, "type_code": 3}

REFERENCE_ID_LIST: Final = "urn:ihe:iti:xds:2013:referenceIdList"
_LARGEST_INTEGER: Final = 2**63 - 1
_Value = int | str | bytes | None


class Row(NamedTuple):
    """One object, ready to insert. `words` become integers of `code`, then stand between `managed` and `values`."""

    kind: int
    uuid: bytes
    patient: PatientId | None
    unique_id: tuple[str, str | None, int | None] | None  # value, hash, size
    lid: bytes | None
    version: int
    status: Pair
    patient_cx: str | None
    home: str | None
    words: tuple[Pair | None, ...]
    values: tuple[_Value, ...]
    fragment: bytes
    codes: tuple[tuple[int, Pair], ...] = ()
    authors: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    ends: tuple[bytes, ...] = ()


def make_row(item: RegistryObject, receipt: Receipt | None = None) -> Row:
    """The row of an entry, set, folder or association; a set keeps the receipt.

    Raises StorageConflict for an id that is no UUID.
    """
    return _ROWS[item.KIND](item, _Parts(item, receipt))


class _Parts:
    """What an object holds, by name, in one pass: the views of the model would make more than a row needs."""

    __slots__ = ("classifications", "identifiers", "receipt", "slots")

    def __init__(self, item: RegistryObject, receipt: Receipt | None) -> None:
        self.receipt: Final = receipt
        self.slots: Final[dict[str, tuple[str, ...]]] = {}
        for slot in item.slots:
            self.slots[slot.name] = (*self.slots[slot.name], *slot.values) if slot.name in self.slots else slot.values
        self.classifications: Final[dict[str | None, list[Classification]]] = {}
        for classification in item.classifications:
            self.classifications.setdefault(classification.scheme, []).append(classification)
        self.identifiers: Final[dict[str | None, str | None]] = {}
        for identifier in item.external_identifiers:
            self.identifiers.setdefault(identifier.scheme, identifier.value)

    def text(self, slot: str) -> str | None:
        values = self.slots.get(slot)
        return values[0] if values else None

    def word(self, slot: str) -> Pair | None:
        return _word(self.text(slot))

    def interval(self, slot: str) -> tuple[int | None, int | None]:
        interval = parse_dtm(self.text(slot) or "")
        return (None, None) if interval is None else (interval.earliest, interval.latest)

    def code(self, scheme: str) -> Pair | None:
        found = self.classifications.get(scheme)
        return _pair(found[0]) if found else None

    def code_list(self, attribute: str, scheme: str) -> tuple[tuple[int, Pair], ...]:
        number = CODE_LISTS[attribute]
        pairs = dict.fromkeys([_pair(found) for found in self.classifications.get(scheme, ())])
        return tuple([(number, pair) for pair in pairs])

    def organizations(self, scheme: str) -> tuple[tuple[int, Pair], ...]:
        """The organisations of authors that have an identifier, as words."""
        authors = self.classifications.get(scheme, ())
        texts = [xon for author in authors for xon in author.slot_values("authorInstitution")]
        found = dict.fromkeys(key for xon in texts if (key := parse_organization_id(xon)) is not None)
        return tuple([(AUTHOR_ORGANIZATION, (key, "")) for key in found])

    def persons(self, scheme: str) -> tuple[str, ...]:
        authors = self.classifications.get(scheme, ())
        return tuple(
            [
                person
                for author in authors
                for slot in author.slots
                if slot.name == "authorPerson"
                for person in slot.values
            ]
        )


def _entry(item: DocumentEntry, parts: _Parts) -> Row:
    """Columns follow `document_entry`, from repository_unique_id on."""
    return _row(
        item,
        parts,
        dictionary=1,
        hash_and_size=((parts.text("hash") or "").lower() or None, _integer(parts.text("size"))),
        words=(
            parts.word("repositoryUniqueId"),
            _word(item.object_type),
            _word(item.mime_type),
            parts.word("documentAvailability"),
            *[parts.code(scheme) for scheme in _ENTRY_CODES],
        ),
        values=(
            *parts.interval("creationTime"),
            *parts.interval("serviceStartTime"),
            *parts.interval("serviceStopTime"),
        ),
        codes=(
            *parts.code_list("confidentiality_code", v.DE_CONFIDENTIALITY_CODE),
            *parts.code_list("event_code_list", v.DE_EVENT_CODE_LIST),
            *parts.organizations(v.DE_AUTHOR),
        ),
        authors=parts.persons(v.DE_AUTHOR),
        references=parts.slots.get(REFERENCE_ID_LIST, ()),
    )


_ENTRY_CODES: Final = (
    v.DE_CLASS_CODE,
    v.DE_TYPE_CODE,
    v.DE_PRACTICE_SETTING_CODE,
    v.DE_HEALTHCARE_FACILITY_TYPE_CODE,
    v.DE_FORMAT_CODE,
)


def _submission_set(item: SubmissionSet, parts: _Parts) -> Row:
    node, objects, digest = parts.receipt or (None, None, None)
    return _row(
        item,
        parts,
        dictionary=2,
        words=(parts.code(v.SS_CONTENT_TYPE_CODE), _word(node)),
        values=(parts.identifiers.get(v.SS_SOURCE_ID), *parts.interval("submissionTime"), objects, digest),
        authors=parts.persons(v.SS_AUTHOR),
    )


def _folder(item: Folder, parts: _Parts) -> Row:
    return _row(
        item,
        parts,
        dictionary=2,
        values=last_update(parts.text("lastUpdateTime") or ""),
        codes=parts.code_list("folder_code_list", v.FD_CODE_LIST),
    )


def _association(item: Association, parts: _Parts) -> Row:
    ends = (_key(item.source), _key(item.target))
    return _row(item, parts, dictionary=3, words=(_word(item.association_type),), ends=ends)


_ROWS: Final[dict[str, Callable[[Any, _Parts], Row]]] = {
    DocumentEntry.KIND: _entry,
    SubmissionSet.KIND: _submission_set,
    Folder.KIND: _folder,
    Association.KIND: _association,
}


def last_update(time: str) -> tuple[str, int | None, int | None]:
    """The columns of Folder.lastUpdateTime."""
    interval = parse_dtm(time)
    return (time, *interval) if interval else (time, None, None)


def _row(
    item: RegistryObject,
    parts: _Parts,
    *,
    dictionary: int,
    hash_and_size: tuple[str | None, int | None] = (None, None),
    words: tuple[Pair | None, ...] = (),
    values: tuple[_Value, ...] = (),
    codes: tuple[tuple[int, Pair], ...] = (),
    authors: tuple[str, ...] = (),
    references: tuple[str, ...] = (),
    ends: tuple[bytes, ...] = (),
) -> Row:
    uuid = _key(item.id)
    lid = uuid if item.lid is None or item.lid == item.id else _key(item.lid)
    patient_cx = parts.identifiers.get(item.PATIENT_ID_SCHEME) if item.PATIENT_ID_SCHEME else None
    unique_id = parts.identifiers.get(item.UNIQUE_ID_SCHEME) if item.UNIQUE_ID_SCHEME else None
    return Row(
        KINDS[item.KIND],
        uuid,
        parse_patient_id(patient_cx) if patient_cx else None,
        (unique_id, *hash_and_size) if unique_id else None,
        None if lid == uuid else lid,
        int(item.version) if item.version and item.version.isdecimal() else 1,
        (item.status or v.APPROVED, ""),
        patient_cx,
        item.home,
        words,
        values,
        pack(render_fragment(item), dictionary),
        codes,
        authors,
        references,
        ends,
    )


def _key(urn: str) -> bytes:
    key = uuid_key(urn)
    if key is None:
        raise StorageConflict(f"{urn[:100]!r} is not the UUID that an object needs in the registry")
    return key


def _word(text: str | None) -> Pair | None:
    return None if text is None else (text, "")


def _pair(classification: Classification) -> Pair:
    """A code with its coding scheme."""
    for slot in classification.slots:
        if slot.name == "codingScheme" and slot.values:
            return classification.code or "", slot.values[0]
    return classification.code or "", ""


def _integer(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text) if len(text) < 20 else _LARGEST_INTEGER
    return min(number, _LARGEST_INTEGER)
