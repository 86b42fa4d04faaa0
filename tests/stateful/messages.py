"""What a life is made of: objects with ids of their own, put together into messages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha1
from typing import TypeVar

from tests.unit import builders
from tests.unit.builders import make_association, make_code, make_slots
from tests.unit.feeds import HEADER
from tests.unit.updates import make_status_update, make_submit
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.feeds import FeedMessage, Identifier
from xds_gateway.model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    Slot,
    Submission,
    SubmissionSet,
)

from .patients import AUTHORITY, cx
from .questions import REFERENCES, Wanted

NAMES = ("PAT-0042", "PAT-0043", "PAT-0044", "PAT-0045")
PATIENTS = tuple(map(cx, NAMES))
LOCALS = ("IPP-77", "IPP-78")
LOCAL_AUTHORITY = "1.3.6.1.4.1.21367.13.20.9"
_FLAVOURS: Mapping[str, tuple[str, tuple[Code, Code]]] = {
    v.DE_CLASS_CODE: ("ClassCode", (Code("11", "1.2.3.1", "Letter"), Code("12", "1.2.3.1", "Report"))),
    v.DE_FORMAT_CODE: ("FormatCode", (Code("text", "1.2.3.2", "Text"), Code("pdf", "1.2.3.2", "PDF"))),
    v.DE_CONFIDENTIALITY_CODE: ("ConfidentialityCode", (Code("N", "1.2.3.3", "Normal"), Code("R", "1.2.3.3", "Few"))),
    v.DE_EVENT_CODE_LIST: ("EventCodeList", (Code("E1", "1.2.3.4", "One"), Code("E2", "1.2.3.4", "Two"))),
}
CODED = tuple(
    Wanted(scheme=scheme, name=name, code=(code.code, code.scheme))
    for scheme, (name, codes) in _FLAVOURS.items()
    for code in codes
    if name in ("ClassCode", "EventCodeList")
)
FILTERED = tuple(
    Wanted(scheme=scheme, name=name, code=(code.code, code.scheme))
    for scheme, (name, codes) in _FLAVOURS.items()
    for code in codes
    if name in ("FormatCode", "ConfidentialityCode")
)
_REFERENCES = "urn:ihe:iti:xds:2013:referenceIdList"
Item = TypeVar("Item", bound=DocumentEntry | Folder)


class Names:
    """Ids that nothing has yet, the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        self._count += 1
        return f"urn:uuid:{self._count:08x}-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

    def control_id(self) -> str:
        self._count += 1
        return str(self._count)

    def oid(self) -> str:
        self._count += 1
        return f"1.3.6.1.4.1.21367.77.{self._count}"


def adt(event: str, control_id: str, patient: str, subsumed: str | None = None) -> FeedMessage:
    """A message of a feed about patients of the domain's authority, each by its name."""

    def identifier(name: str) -> Identifier:
        return Identifier(name, "", AUTHORITY, "ISO")

    return FeedMessage(
        header=HEADER._replace(event=event, control_id=control_id),
        patients=(identifier(patient),),
        subsumed=(identifier(subsumed),) if subsumed else (),
    )


def link_change(control_id: str, new: str, local: str, previous: str, subsumed: str | None = None) -> FeedMessage:
    """A43: a local identifier belongs to another patient, or another one was merged into it; all by their names."""
    before = (Identifier(previous, "", AUTHORITY, "ISO"), *((_local(subsumed),) if subsumed else ()))
    header = HEADER._replace(event="A43", control_id=control_id, version="2.5")
    return FeedMessage(header, (Identifier(new, "", AUTHORITY, "ISO"), _local(local)), before)


def _local(name: str) -> Identifier:
    return Identifier(name, "", LOCAL_AUTHORITY, "ISO")


def local_cx(name: str) -> str:
    """A local identifier as sourcePatientId has it."""
    return f"{name}^^^&{LOCAL_AUTHORITY}&ISO"


def describe(content: bytes) -> dict[str, str]:
    """Hash and size of a document."""
    return {"hash": sha1(content).hexdigest(), "size": str(len(content))}


def entry(
    identifier: str, patient: str, unique_id: str, content: bytes, flavour: int = 0, local: str = LOCALS[0]
) -> DocumentEntry:
    """An entry of one of two flavours: other codes, another referenceIdList; `local` is its source's patient."""
    return builders.make_entry(
        id=identifier,
        home=None,
        slots={**describe(content), _REFERENCES: REFERENCES[flavour], "sourcePatientId": local_cx(local)},
        codes={scheme: (codes[flavour],) for scheme, (_, codes) in _FLAVOURS.items()},
        identifiers={v.DE_PATIENT_ID: patient, v.DE_UNIQUE_ID: unique_id},
    )


def on_demand(item: DocumentEntry) -> DocumentEntry:
    """The same, made on demand."""
    left = tuple(slot for slot in item.slots if slot.name not in ("creationTime", "hash", "size"))
    return replace(item, object_type=v.ON_DEMAND_DOCUMENT, slots=left)


def folder(identifier: str, patient: str, unique_id: str) -> Folder:
    identifiers = {v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: unique_id}
    return builders.make_folder(id=identifier, home=None, identifiers=identifiers)


def submission_set(identifier: str, patient: str, unique_id: str) -> SubmissionSet:
    identifiers = {v.SS_PATIENT_ID: patient, v.SS_UNIQUE_ID: unique_id}
    return builders.make_set(id=identifier, home=None, identifiers=identifiers)


def link(identifier: str, source: str, target: str, association_type: str = v.HAS_MEMBER) -> Association:
    return make_association(source, target, association_type, id=identifier)


def member(identifier: str, source: str, target: str, status: str) -> Association:
    """A HasMember of a set, to an entry."""
    return replace(link(identifier, source, target), slots=make_slots({"SubmissionSetStatus": status}))


def submission(
    names: Names,
    patient: str,
    *,
    entries: Iterable[DocumentEntry] = (),
    folders: Iterable[Folder] = (),
    relationships: Iterable[Association] = (),
    filings: Iterable[tuple[str, str]] = (),
    references: Iterable[str] = (),
    set_unique_id: str | None = None,
) -> Submission:
    """A set with these as members; `filings` are (folder, entry), `references` what is known already."""
    the_set = submission_set(names.uuid(), patient, set_unique_id or names.oid())
    listed, kept = tuple(entries), tuple(folders)
    filed = tuple(link(names.uuid(), *ends) for ends in filings)
    return Submission(
        submission_sets=(the_set,),
        document_entries=listed,
        folders=kept,
        associations=(
            *(member(names.uuid(), the_set.id, item.id, "Original") for item in listed),
            *(link(names.uuid(), the_set.id, item.id) for item in (*kept, *filed)),
            *(member(names.uuid(), the_set.id, known, "Reference") for known in references),
            *filed,
            *relationships,
        ),
    )


def version(
    item: Item, identifier: str, lid: str, *, patient: str | None = None, unique_id: str | None = None, **slots: str
) -> Item:
    """A new version, as an administrator sends it: the same but for what is given."""
    values = {each.name: each for each in item.slots} | {name: Slot(name, (value,)) for name, value in slots.items()}
    changed = {item.PATIENT_ID_SCHEME: patient, item.UNIQUE_ID_SCHEME: unique_id}
    return replace(
        item,
        id=identifier,
        lid=lid,
        slots=tuple(values.values()),
        classifications=tuple(
            _again(each, identifier, f"{identifier[9:]}-c{n}") for n, each in enumerate(item.classifications)
        ),
        external_identifiers=tuple(
            _again(each, identifier, f"{identifier[9:]}-e{n}")._replace(value=changed.get(each.scheme) or each.value)
            for n, each in enumerate(item.external_identifiers)
        ),
    )


Part = TypeVar("Part", Classification, ExternalIdentifier)


def _again(part: Part, owner: str, identifier: str) -> Part:
    if isinstance(part, Classification):
        return part._replace(id=identifier, classified_object=owner)
    return part._replace(id=identifier, registry_object=owner)


def flavoured(item: DocumentEntry, flavour: int) -> DocumentEntry:
    """The same entry with the codes of a flavour."""
    others = tuple(each for each in item.classifications if each.scheme not in _FLAVOURS)
    codes = tuple(
        make_code(scheme, codes[flavour], item.id, f"{item.id[9:]}-f{n}")
        for n, (scheme, (_, codes)) in enumerate(_FLAVOURS.items())
    )
    return replace(item, classifications=(*others, *codes))


def update(
    names: Names,
    patient: str,
    *,
    versions: Iterable[tuple[DocumentEntry | Folder, int, str | None]] = (),
    statuses: Iterable[tuple[str, str]] = (),
    submitted: Iterable[Association] = (),
) -> Submission:
    """An update: new versions with PreviousVersion and AssociationPropagation; (target, present status) to change."""
    the_set = submission_set(names.uuid(), patient, names.oid())
    listed, made = tuple(versions), tuple(submitted)
    members = tuple(
        replace(
            member(names.uuid(), the_set.id, item.id, "Original"),
            slots=make_slots(
                {
                    "SubmissionSetStatus": "Original",
                    "PreviousVersion": str(previous),
                    "AssociationPropagation": propagation,
                }
            ),
        )
        for item, previous, propagation in listed
    )
    other = {v.APPROVED: v.DEPRECATED, v.DEPRECATED: v.APPROVED}
    commands = [
        make_status_update(target, status, other[status], source=the_set.id, id=names.uuid())
        for target, status in statuses
    ]
    commands += [make_submit(association.id, the_set.id, id=names.uuid()) for association in made]
    return Submission(
        submission_sets=(the_set,),
        document_entries=tuple(item for item, _, _ in listed if isinstance(item, DocumentEntry)),
        folders=tuple(item for item, _, _ in listed if isinstance(item, Folder)),
        associations=(*members, *made, *commands),
    )
