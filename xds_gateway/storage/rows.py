"""Registry objects made into rows outside of any lock: everything but the integers that only the database knows."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..codec.ebrim import render_fragment
from ..model import vocabulary as v
from ..model.datatypes import parse_dtm
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import Association, DocumentEntry, Folder, RegistryObject, SubmissionSet
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


def make_row(item: RegistryObject) -> Row:
    """The row of an entry, set, folder or association. Raises StorageConflict for an id that is no UUID."""
    return _ROWS[item.KIND](item)


def _entry(item: DocumentEntry) -> Row:
    """Columns follow `document_entry`, from repository_unique_id on."""
    return _row(
        item,
        1,
        hash_and_size=((item.hash or "").lower() or None, _integer(item.size)),
        words=(
            _word(item.repository_unique_id),
            _word(item.object_type),
            _word(item.mime_type),
            _word(item.slot_value("documentAvailability")),
            *(_code(item, scheme) for scheme in _ENTRY_CODES),
        ),
        values=(
            *_interval(item, "creationTime"),
            *_interval(item, "serviceStartTime"),
            *_interval(item, "serviceStopTime"),
        ),
        codes=(
            *_code_list(item, "confidentiality_code", v.DE_CONFIDENTIALITY_CODE),
            *_code_list(item, "event_code_list", v.DE_EVENT_CODE_LIST),
        ),
        authors=_persons(item, v.DE_AUTHOR),
        references=item.slot_values(REFERENCE_ID_LIST),
    )


_ENTRY_CODES: Final = (
    v.DE_CLASS_CODE,
    v.DE_TYPE_CODE,
    v.DE_PRACTICE_SETTING_CODE,
    v.DE_HEALTHCARE_FACILITY_TYPE_CODE,
    v.DE_FORMAT_CODE,
)


def _submission_set(item: SubmissionSet) -> Row:
    return _row(
        item,
        2,
        words=(_code(item, v.SS_CONTENT_TYPE_CODE),),
        values=(item.identifier(v.SS_SOURCE_ID), *_interval(item, "submissionTime")),
        authors=_persons(item, v.SS_AUTHOR),
    )


def _folder(item: Folder) -> Row:
    return _row(
        item,
        2,
        values=last_update(item.slot_value("lastUpdateTime") or ""),
        codes=_code_list(item, "folder_code_list", v.FD_CODE_LIST),
    )


def _association(item: Association) -> Row:
    return _row(item, 3, words=(_word(item.association_type),), ends=(_key(item.source), _key(item.target)))


_ROWS: Final[dict[str, Callable[[Any], Row]]] = {
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
    dictionary: int,
    *,
    hash_and_size: tuple[str | None, int | None] = (None, None),
    words: tuple[Pair | None, ...] = (),
    values: tuple[_Value, ...] = (),
    codes: tuple[tuple[int, Pair], ...] = (),
    authors: tuple[str, ...] = (),
    references: tuple[str, ...] = (),
    ends: tuple[bytes, ...] = (),
) -> Row:
    uuid = _key(item.id)
    lid = uuid if item.lid is None else _key(item.lid)
    patient_cx = item.patient_id
    unique_id = item.unique_id
    return Row(
        kind=KINDS[item.KIND],
        uuid=uuid,
        patient=parse_patient_id(patient_cx) if patient_cx else None,
        unique_id=(unique_id, *hash_and_size) if unique_id else None,
        lid=None if lid == uuid else lid,
        version=int(item.version) if item.version and item.version.isdecimal() else 1,
        status=(item.status or v.APPROVED, ""),
        patient_cx=patient_cx,
        home=item.home,
        words=words,
        values=values,
        fragment=pack(render_fragment(item), dictionary),
        codes=codes,
        authors=authors,
        references=references,
        ends=ends,
    )


def _key(urn: str) -> bytes:
    key = uuid_key(urn)
    if key is None:
        raise StorageConflict(f"{urn[:100]!r} is not the UUID that an object needs in the registry")
    return key


def _word(text: str | None) -> Pair | None:
    return None if text is None else (text, "")


def _code(item: RegistryObject, scheme: str) -> Pair | None:
    found = item.codes(scheme)
    return (found[0].code or "", found[0].coding_scheme or "") if found else None


def _code_list(item: RegistryObject, attribute: str, scheme: str) -> tuple[tuple[int, Pair], ...]:
    number = CODE_LISTS[attribute]
    pairs = dict.fromkeys((c.code or "", c.coding_scheme or "") for c in item.codes(scheme))
    return tuple((number, pair) for pair in pairs)


def _persons(item: RegistryObject, scheme: str) -> tuple[str, ...]:
    return tuple(person for author in item.codes(scheme) for person in author.slot_values("authorPerson"))


def _interval(item: RegistryObject, slot: str) -> tuple[int | None, int | None]:
    value = item.slot_value(slot)
    interval = parse_dtm(value) if value else None
    return (interval.earliest, interval.latest) if interval else (None, None)


def _integer(text: str | None) -> int | None:
    if text is None or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text) if len(text) < 20 else _LARGEST_INTEGER
    return min(number, _LARGEST_INTEGER)
