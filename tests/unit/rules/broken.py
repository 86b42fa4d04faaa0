"""For each rule one message that passes and one that differs only there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from tests.unit.builders import (
    AUTHOR,
    ENTRY_CODES,
    ENTRY_SLOTS,
    FOLDER_CODES,
    OTHER_PATIENT,
    REGISTERED,
    REGISTERED_FOLDER,
    SET_CODES,
    SOURCE,
    make_association,
    make_author,
    make_code,
    make_documentation,
    make_entry,
    make_folder,
    make_identifier,
    make_member,
    make_node,
    make_set,
    make_slots,
    make_submission,
)
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    LocalizedString,
    RegistryObject,
    Submission,
    UnclassifiedPackage,
)
from xds_gateway.rules.engine import AttributeTest, Check, Coding, Rule, Transaction

Item = TypeVar("Item", bound=RegistryObject)

SET, ENTRY, FOLDER = "SubmissionSet01", "Document01", "Folder01"
OTHER_REGISTERED = "urn:uuid:7d1b1e9e-7f5b-4f0f-8f53-6d2f6d3e9a01"
UPPER_CASE = "urn:uuid:10B545EA-725C-446D-9B95-8AEB444EDDF3"


class Pair(NamedTuple):
    """A message that passes, and one that breaks one rule."""

    good: Submission
    bad: Submission


# --- attribute rows: made from the row itself, its example included ---------------------------------------------------


def pair_of(rule: Rule, transaction: Transaction) -> Pair:
    """The pair of a row of attributes or messages, as it is sent in a transaction."""
    if isinstance(rule.test, AttributeTest):
        return broken_attribute(rule, rule.test, as_sent_in(transaction, _full()))
    good, bad = MESSAGES[rule.id]
    return Pair(as_sent_in(transaction, good), as_sent_in(transaction, bad))


def as_sent_in(transaction: Transaction, submission: Submission) -> Submission:
    """The message with entries as ITI-61 has them, or with all its objects flagged as limited metadata."""
    if transaction == "ITI-61":
        return replace(submission, document_entries=tuple(map(_on_demand, submission.document_entries)))
    if transaction == "ITI-41 limited":
        return replace(
            submission,
            document_entries=tuple(_flagged(e, v.LIMITED_DOCUMENT_ENTRY) for e in submission.document_entries),
            submission_sets=tuple(_flagged(s, v.LIMITED_SUBMISSION_SET) for s in submission.submission_sets),
            folders=tuple(_flagged(f, v.LIMITED_FOLDER) for f in submission.folders),
        )
    return submission


def _on_demand(entry: DocumentEntry) -> DocumentEntry:
    slots = tuple(slot for slot in entry.slots if slot.name not in ("creationTime", "hash", "size"))
    return replace(entry, slots=slots, object_type=v.ON_DEMAND_DOCUMENT)


def _flagged(item: Item, flag: str) -> Item:
    return replace(
        item, classifications=(*item.classifications, make_node(flag, item.id, f"flag-{item.KIND}-{item.id[-6:]}"))
    )


def broken_attribute(rule: Rule, test: AttributeTest, good: Submission) -> Pair:
    """The pair of an attribute row: what its test forbids, or for a format its own example."""
    entry = good.document_entries[0]
    if test.kind == "author":
        return Pair(good, _with_entry(good, _with_author(entry, rule, test)))
    if test.kind == "DocumentEntry":
        return Pair(good, _with_entry(good, _changed(entry, rule, test)))
    if test.kind == "SubmissionSet":
        return Pair(good, replace(good, submission_sets=(_changed(good.submission_sets[0], rule, test),)))
    if test.kind == "Folder":
        return Pair(good, replace(good, folders=(_changed(good.folders[0], rule, test),)))
    raise AssertionError(f"{rule.id} is about {test.kind}, which no message here has")


def _changed(item: RegistryObject, rule: Rule, test: AttributeTest) -> RegistryObject:
    if test.coding is Coding.FIELD:
        field = {"home": "home", "mimeType": "mime_type", "objectType": "object_type"}[test.key]
        return replace(item, **{field: " " if test.check is Check.REQUIRED else rule.example})
    if test.coding is Coding.NAME:
        return replace(item, name=() if test.check is Check.REQUIRED else (LocalizedString(rule.example),))
    if test.coding is Coding.FLAG:
        return replace(item, classifications=(*item.classifications, make_node(test.key, item.id, "flag")))
    if test.coding is Coding.SLOT:
        return replace(item, slots=_changed_slots(item, rule, test))
    if test.coding is Coding.CODE:
        return replace(item, classifications=_changed_codes(item, test))
    return _changed_identifier(item, rule, test)


def _changed_slots(item: RegistryObject, rule: Rule, test: AttributeTest) -> tuple[object, ...]:
    slots = {slot.name: slot.values for slot in item.slots}
    slots[test.key] = {
        Check.REQUIRED: (" ",),
        Check.SINGLE: slots.get(test.key, ()) * 2,
        Check.PROHIBITED: ("20",),
        Check.FORMAT: (rule.example,),
    }[test.check]
    return make_slots(slots)


def _changed_codes(item: RegistryObject, test: AttributeTest) -> tuple[Classification, ...]:
    others = tuple(c for c in item.classifications if c.scheme != test.key)
    if test.check is Check.REQUIRED:
        return others
    codes = {**ENTRY_CODES, **SET_CODES, **FOLDER_CODES}[test.key]
    return (*others, *(make_code(test.key, codes[0], item.id, f"{item.id}-x{n}") for n in range(2)))


def _changed_identifier(item: RegistryObject, rule: Rule, test: AttributeTest) -> RegistryObject:
    own = [e for e in item.external_identifiers if e.scheme == test.key]
    others = tuple(e for e in item.external_identifiers if e.scheme != test.key)
    values = {Check.REQUIRED: [" "], Check.SINGLE: [own[0].value] * 2, Check.FORMAT: [rule.example]}[test.check]
    made = (make_identifier(test.key, value, item.id, f"{item.id}-x{n}") for n, value in enumerate(values))
    return replace(item, external_identifiers=(*others, *made))


def _with_author(entry: DocumentEntry, rule: Rule, test: AttributeTest) -> DocumentEntry:
    slots = dict(AUTHOR)
    slots[test.key] = rule.example if test.check is Check.FORMAT else ("^Welby", "^House")
    return _entry_with(make_author(v.DE_AUTHOR, ENTRY, "author", slots), v.DE_AUTHOR, entry)


# --- messages to start from -------------------------------------------------------------------------------------------


def _full() -> Submission:
    """A set, two entries, a folder that holds the first, a replacement, an addendum and a reference."""
    return make_submission(
        entries=(make_entry(1), make_entry(2)), folders=(make_folder(),), relationships=tuple(FULL.values())
    )


FULL: Mapping[str, Association] = {
    "filed": make_association(FOLDER, ENTRY, id="filed"),
    "filing": make_member(SET, "filed", None, id="filing"),
    "filed elsewhere": make_association(REGISTERED_FOLDER, ENTRY, id="elsewhere"),
    "filing elsewhere": make_member(SET, "elsewhere", None, id="filing-elsewhere"),
    "replacement": make_association(
        ENTRY, REGISTERED, v.RPLC, id="rplc", classifications=(make_documentation("rplc"),)
    ),
    "addendum": make_association("Document02", ENTRY, v.APND, id="apnd", slots=make_slots({"urn:example:why": "late"})),
    "reference": make_member(SET, OTHER_REGISTERED, "Reference", id="reference"),
}


def _with(**changes: Association | None) -> Submission:
    """The full message with associations changed, added or, when None, left out."""
    kept = [a for a in {**FULL, **changes}.values() if a is not None]
    return make_submission(entries=(make_entry(1), make_entry(2)), folders=(make_folder(),), relationships=kept)


def _with_entry(submission: Submission, entry: DocumentEntry) -> Submission:
    return replace(submission, document_entries=(entry, *submission.document_entries[1:]))


def _entry_with(changed: Classification, scheme: str, entry: DocumentEntry | None = None) -> DocumentEntry:
    """An entry, the first one, with the classifications of one scheme replaced by this one."""
    entry = entry or make_entry()
    return replace(entry, classifications=(*(c for c in entry.classifications if c.scheme != scheme), changed))


def _type_code(**changes: object) -> Submission:
    code = make_code(v.DE_TYPE_CODE, Code("34105-7", "2.16.840.1.113883.6.1", "Letter"), ENTRY, "type")
    return _with_entry(_full(), _entry_with(code._replace(**changes), v.DE_TYPE_CODE))


def _author(values: Mapping[str, str], **changes: object) -> Submission:
    author = make_author(v.DE_AUTHOR, ENTRY, "author", values)
    return _with_entry(_full(), _entry_with(author._replace(**changes), v.DE_AUTHOR))


def _entry(**changes: object) -> Submission:
    return _with_entry(_full(), make_entry(**changes))


def _second_entry(**changes: object) -> Submission:
    full = _full()
    return replace(full, document_entries=(full.document_entries[0], make_entry(2, **changes)))


def _unique_id_named(name: str) -> Submission:
    entry = make_entry()
    identifiers = tuple(
        e._replace(name=(LocalizedString(name),)) if e.scheme == v.DE_UNIQUE_ID else e
        for e in entry.external_identifiers
    )
    return _entry(external_identifiers=identifiers)


def _unique_id_of(owner: str) -> Submission:
    entry = make_entry()
    return _entry(
        external_identifiers=tuple(e._replace(registry_object=owner) for e in entry.external_identifiers[:1])
        + entry.external_identifiers[1:]
    )


def _renamed_set(identifier: str) -> Submission:
    return make_submission(submission_set=make_set(id=identifier))


def _package(*nodes: str) -> Submission:
    made = make_set(2)
    fields = {name: getattr(made, name) for name in ("id", "slots", "name", "external_identifiers")}
    return replace(_full(), unclassified=(UnclassifiedPackage(nodes=nodes, **fields),))


# --- message rows -----------------------------------------------------------------------------------------------------

GOOD = _full()

MESSAGES: Mapping[str, Pair] = {
    # the message and its packages
    "ihe.submission.set": Pair(GOOD, replace(GOOD, submission_sets=(make_set(1), make_set(2)))),
    "ihe.submission.content": Pair(make_submission(), make_submission(entries=())),
    "ihe.submission.onDemand": Pair(GOOD, make_submission(entries=(), folders=(make_folder(),))),
    "ihe.package.kind": Pair(GOOD, _package(v.SUBMISSION_SET_NODE, v.FOLDER_NODE)),
    "ihe.classification.stray": Pair(
        GOOD, replace(GOOD, stray_classifications=(make_node(v.FOLDER_NODE, "nothing", "stray"),))
    ),
    # ids
    "ihe.id.blank": Pair(_renamed_set("set"), _renamed_set(" ")),
    "ihe.id.unique": Pair(GOOD, _with(addendum=replace(FULL["addendum"], id="rplc"))),
    "ihe.id.nested.unique": Pair(_type_code(id="other"), _type_code(id=f"{ENTRY}-cl0")),
    "ihe.id.uuid": Pair(_renamed_set(UPPER_CASE.lower()), _renamed_set(UPPER_CASE)),
    "ihe.lid": Pair(_entry(lid=ENTRY), _entry(lid=REGISTERED)),
    # one patient, no uniqueId twice
    "ihe.patient.same": Pair(GOOD, _second_entry(identifiers={v.DE_PATIENT_ID: OTHER_PATIENT})),
    "ihe.uniqueId.unique": Pair(GOOD, _second_entry(identifiers={v.DE_UNIQUE_ID: f"{SOURCE}.1.1^2026"})),
    # attributes that belong together
    "ihe.de.serviceTime.order": Pair(
        _entry(slots={"serviceStartTime": "2026", "serviceStopTime": "202601"}),
        _entry(slots={"serviceStartTime": "20260102", "serviceStopTime": "20260101"}),
    ),
    "ihe.de.sourcePatientInfo.once": Pair(
        _entry(slots={"sourcePatientInfo": ("PID-5|Durand^Camille", "PID-5|Petit^Camille", "PID-8|F")}),
        _entry(slots={"sourcePatientInfo": ("PID-8|M", "PID-8|F")}),
    ),
    # slots
    "ihe.slot.duplicate": Pair(
        GOOD, _with_entry(GOOD, replace(make_entry(), slots=make_slots(ENTRY_SLOTS) + make_slots({"URI": "a.xml"})))
    ),
    "ihe.slot.length": Pair(
        _entry(slots={"urn:example:ward": "x" * 256}), _entry(slots={"urn:example:ward": "x" * 257})
    ),
    "ihe.slot.extra": Pair(_entry(slots={"urn:example:x": "1"}), _entry(slots={"localInfo": "1"})),
    # codes, authors, identifiers
    "ihe.code.value": Pair(_type_code(), _type_code(code=" ")),
    "ihe.code.scheme": Pair(_type_code(), _type_code(slots=make_slots({"codingScheme": ("1.2.3", "1.2.4")}))),
    "ihe.code.name": Pair(_type_code(), _type_code(name=())),
    "ihe.author.content": Pair(_author({"authorInstitution": "Nord"}), _author({"authorRole": "PRF"})),
    "ihe.author.node": Pair(_author(AUTHOR, code=None), _author(AUTHOR, code="author")),
    "ihe.classification.parent": Pair(_type_code(classified_object=""), _type_code(classified_object="Document02")),
    "ihe.identifier.parent": Pair(_unique_id_of(""), _unique_id_of("Document02")),
    "ihe.identifier.length": Pair(
        _entry(identifiers={v.DE_UNIQUE_ID: "1." + "2" * 254}), _entry(identifiers={v.DE_UNIQUE_ID: "1." + "2" * 255})
    ),
    "ihe.identifier.name": Pair(_unique_id_named("XDSDocumentEntry.uniqueId "), _unique_id_named("uniqueId")),
    # associations
    "ihe.as.type": Pair(GOOD, _with(addendum=replace(FULL["addendum"], association_type="urn:example:APND"))),
    "ihe.as.type.update": Pair(
        GOOD, _with(update=make_association(SET, REGISTERED, v.UPDATE_AVAILABILITY_STATUS, id="update"))
    ),
    "ihe.as.previousVersion": Pair(
        GOOD,
        _with(filing=make_association(SET, "filed", id="filing", slots=make_slots({"PreviousVersion": "1"}))),
    ),
    "ihe.as.source.unresolved": Pair(GOOD, _with(other=make_association("nothing", ENTRY, id="other"))),
    "ihe.as.target.unresolved": Pair(GOOD, _with(reference=make_member(SET, "nothing", "Reference", id="reference"))),
    "ihe.as.member.source": Pair(GOOD, _with(other=make_association("Document02", ENTRY, id="other"))),
    "ihe.as.member.target": Pair(GOOD, _with(other=make_association(SET, SET, id="other"))),
    "ihe.as.member.status": Pair(
        GOOD, _with(reference=make_member(SET, FULL["reference"].target, "Original", id="reference"))
    ),
    "ihe.as.documentation": Pair(
        GOOD, _with(filing=replace(FULL["filing"], classifications=(make_documentation("filing"),)))
    ),
    "ihe.de.member": Pair(make_submission(), make_submission(associations=(FULL["reference"],))),
    "ihe.fd.member": Pair(
        make_submission(folders=(make_folder(),)),
        make_submission(folders=(make_folder(),), associations=(make_member(SET, ENTRY),)),
    ),
    "ihe.as.folder.member": Pair(GOOD, _with(filing=None)),
    "ihe.as.relationship.source": Pair(GOOD, _with(addendum=make_association(REGISTERED, ENTRY, v.APND, id="apnd"))),
    "ihe.as.relationship.target": Pair(GOOD, _with(addendum=make_association("Document02", SET, v.SIGNS, id="apnd"))),
    "ihe.as.relationship.self": Pair(GOOD, _with(addendum=make_association(ENTRY, ENTRY, v.APND, id="apnd"))),
    "ihe.as.append.transformation": Pair(
        _with(other=make_association(ENTRY, OTHER_REGISTERED, v.APND, id="other")),
        _with(other=make_association(ENTRY, OTHER_REGISTERED, v.XFRM, id="other")),
    ),
    "ihe.as.snapshot.source": Pair(
        _with(other=make_association(ENTRY, OTHER_REGISTERED, v.XFRM_RPLC, id="other")),
        _with(other=make_association(ENTRY, OTHER_REGISTERED, v.IS_SNAPSHOT_OF, id="other")),
    ),
    "ihe.as.replace.registered": Pair(
        GOOD, _with(addendum=make_association("Document02", ENTRY, v.XFRM_RPLC, id="apnd"))
    ),
    "ihe.as.replace.once": Pair(GOOD, _with(addendum=make_association("Document02", REGISTERED, v.RPLC, id="apnd"))),
}
