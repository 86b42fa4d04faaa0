"""A registered entry or folder with other attributes, ready to be its own next version (ITI-57; ITI TF-3 4.2.3).

Everything that is not changed stays as the registry keeps it, what the SDK does not know included: an update replaces
the whole object.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..model import vocabulary as v
from ..model.datatypes import Code
from ..model.metadata import Classification, DocumentEntry, Folder, LocalizedString, Slot
from .errors import Misconfigured
from .parts import make_author, make_code, make_text

Versioned = DocumentEntry | Folder

#   attribute of DocumentMetadata   slot: ITI TF-3 Table 4.2.3.2-1
_ENTRY_SLOTS: Final = {
    "creation_time": "creationTime",
    "document_availability": "documentAvailability",
    "language_code": "languageCode",
    "legal_authenticator": "legalAuthenticator",
    "reference_ids": "urn:ihe:iti:xds:2013:referenceIdList",
    "service_start_time": "serviceStartTime",
    "service_stop_time": "serviceStopTime",
    "source_patient_id": "sourcePatientId",
    "source_patient_info": "sourcePatientInfo",
}
#   attribute                       classification scheme
_ENTRY_CODES: Final = {
    "class_code": v.DE_CLASS_CODE,
    "confidentiality_codes": v.DE_CONFIDENTIALITY_CODE,
    "event_codes": v.DE_EVENT_CODE_LIST,
    "format_code": v.DE_FORMAT_CODE,
    "healthcare_facility_type_code": v.DE_HEALTHCARE_FACILITY_TYPE_CODE,
    "practice_setting_code": v.DE_PRACTICE_SETTING_CODE,
    "type_code": v.DE_TYPE_CODE,
}
_FOLDER_CODES: Final = {"codes": v.FD_CODE_LIST}
_TEXTS: Final = {"title": "name", "comments": "description"}
_COMMON: Final = (*_TEXTS, "patient_id")
CHANGEABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "DocumentEntry": (*_COMMON, "authors", "mime_type", *_ENTRY_SLOTS, *_ENTRY_CODES),
    "Folder": (*_COMMON, *_FOLDER_CODES),
}
_KEPT_BY_REGISTRY: Final = ("lastUpdateTime",)


def next_version(item: Versioned, changes: Mapping[str, Any], new_id: str, symbols: Iterator[str]) -> Versioned:
    """The object under a new id with these attributes changed; an attribute that is None or empty is removed.

    Attributes are named as in `DocumentMetadata`, and `codes` of a folder. Raises Misconfigured for an unknown one.
    """
    _check(item, changes)
    slots, codes = (_ENTRY_SLOTS, _ENTRY_CODES) if isinstance(item, DocumentEntry) else ({}, _FOLDER_CODES)
    changed: dict[str, Any] = {
        field: _text(getattr(item, field), changes[name]) for name, field in _TEXTS.items() if name in changes
    }
    if "mime_type" in changes:
        changed["mime_type"] = changes["mime_type"]
    schemes = {scheme: _codes(changes[name]) for name, scheme in codes.items() if name in changes}
    classifications = [c for c in item.classifications if c.scheme not in schemes]
    classifications += [
        make_code(scheme, code, new_id, symbols) for scheme, listed in schemes.items() for code in listed
    ]
    if "authors" in changes:
        classifications = [c for c in classifications if c.scheme != v.DE_AUTHOR]
        classifications += [make_author(v.DE_AUTHOR, author, new_id, symbols) for author in changes["authors"] or ()]
    return replace(
        item,
        id=new_id,
        lid=item.lid or item.id,
        status=None,
        version=None,
        home=None,
        slots=tuple(_slots(item.slots, {slots[name]: changes[name] for name in slots if name in changes})),
        classifications=_owned(classifications, new_id, symbols),
        external_identifiers=tuple(
            each._replace(
                id=next(symbols),
                registry_object=new_id,
                value=changes["patient_id"]
                if "patient_id" in changes and each.scheme == item.PATIENT_ID_SCHEME
                else each.value,
            )
            for each in item.external_identifiers
        ),
        **changed,
    )


def _check(item: Versioned, changes: Mapping[str, Any]) -> None:
    known = CHANGEABLE[item.KIND]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"; is {near[0]} meant?" if near else ""
            raise Misconfigured(f"a {item.KIND} has no attribute {name} that an update changes{meant}")
    if not changes:
        raise Misconfigured("nothing is changed: an update needs an attribute")


def _text(old: tuple[LocalizedString, ...], value: str | None) -> tuple[LocalizedString, ...]:
    return make_text(value, old[0].lang if old else None)


def _codes(value: Any) -> tuple[Code, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, Code) else tuple(value)


def _slots(old: Iterable[Slot], changed: Mapping[str, Any]) -> Iterator[Slot]:
    """The slots that stay, then those that are changed and have values."""
    yield from (slot for slot in old if slot.name not in changed and slot.name not in _KEPT_BY_REGISTRY)
    for name, value in changed.items():
        values = (value,) if isinstance(value, str) else tuple(value or ())
        if any(values):
            yield Slot(name, tuple(each for each in values if each))


def _owned(classifications: Sequence[Classification], owner: str, symbols: Iterator[str]) -> tuple[Classification, ...]:
    return tuple(each._replace(id=next(symbols), classified_object=owner) for each in classifications)
