"""One object against the attribute rows: a single pass over its slots, classifications and identifiers.

The rows are compiled once per profile, transaction and actor into look-up tables by ebRIM name, so that a good object
costs one look-up and one predicate per value.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.metadata import Classification, ExternalIdentifier, LocalizedString, RegistryObject, Slot
from .attributes import AUTHOR, TABLES
from .datatypes import DataType
from .engine import METADATA, AttributeTest, Coding, Report, Rule, Test

VALUE_LENGTH: Final = 256
ASSOCIATION_SLOTS: Final = ("SubmissionSetStatus", "PreviousVersion", "AssociationPropagation", "OriginalStatus", "NewStatus")
_URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[^\s]+", re.IGNORECASE)

# The readable name of each identifier, ITI TF-3 4.2.3.1.3 and the examples of 4.2.3.2 to 4.2.3.4
IDENTIFIER_NAMES: Final = {
    v.DE_PATIENT_ID: "XDSDocumentEntry.patientId",
    v.DE_UNIQUE_ID: "XDSDocumentEntry.uniqueId",
    v.SS_PATIENT_ID: "XDSSubmissionSet.patientId",
    v.SS_SOURCE_ID: "XDSSubmissionSet.sourceId",
    v.SS_UNIQUE_ID: "XDSSubmissionSet.uniqueId",
    v.FD_PATIENT_ID: "XDSFolder.patientId",
    v.FD_UNIQUE_ID: "XDSFolder.uniqueId",
}


def _row(rule_id: str, attribute: str, sentence: str, expected: str, clause: str, example: str) -> Rule:
    return Rule(
        id=rule_id,
        object="any object",
        attribute=attribute,
        codes=METADATA,
        sentence=sentence,
        expected=expected,
        clause=f"ITI TF-3 {clause}",
        example=example,
    )


RULES: Final = (
    _row("ihe.slot.duplicate", "Slot", "Send one Slot named {attribute} in the {object}, with all its values.",
         "one Slot of each name", "4.2.3.1.6", "two Slots named hash"),
    _row("ihe.slot.length", "Slot", "Shorten the value of {attribute} in the {object}: it has {received} characters.",
         f"at most {VALUE_LENGTH} characters", "4.2.3.1.1", "a value of 257 characters"),
    _row("ihe.slot.extra", "Slot", "Rename or remove the Slot {received} of the {object}: it is not an attribute of the standard.",
         "for extra metadata a URN that does not begin with urn:ihe:", "4.2.3.1.6", "a Slot named localInfo"),
    _row("ihe.code.value", "code", "Add the code of {attribute} in the {object} as nodeRepresentation of its Classification.",
         "a nodeRepresentation that is not empty", "Table 4.2.3.1.2-1", 'nodeRepresentation=""'),
    _row("ihe.code.scheme", "code", "Send one codingScheme for {attribute} in the {object}: a Slot with exactly one value.",
         "a Slot named codingScheme with one value", "Table 4.2.3.1.2-1", "no Slot named codingScheme"),
    _row("ihe.code.name", "code", "Add a display name for {attribute} in the {object}: the Name of its Classification.",
         "a Name with a LocalizedString that is not empty", "4.2.3.1.2", "no Name"),
    _row("ihe.author.content", "author", "Say who the author of the {object} is: a person, an institution or an address is missing.",
         "authorPerson, authorInstitution or authorTelecommunication", "4.2.3.1.4", "only an authorRole"),
    _row("ihe.author.node", "author", "Leave nodeRepresentation of the author of the {object} empty.",
         'nodeRepresentation=""', "4.2.3.1.4", 'nodeRepresentation="author"'),
    _row("ihe.classification.parent", "classifiedObject", "Let classifiedObject of the Classification name the {object} that contains it.",
         "the id of the object around it", "Table 4.2.3.1.2-1", "the id of another entry"),
    _row("ihe.identifier.parent", "registryObject", "Let registryObject of the ExternalIdentifier name the {object} that contains it.",
         "the id of the object around it", "Table 4.2.3.1.3-1", "the id of another entry"),
    _row("ihe.identifier.name", "Name", "Change the Name of the ExternalIdentifier {attribute} of the {object} to {expected}, or leave it out.",
         "the fixed name of the identifier", "Table 4.2.3.1.3-1", "XDSDocumentEntry.uniqueId on a patientId"),
)  # fmt: skip


@dataclass(slots=True)
class Place:
    """The compiled tests of one attribute: rule ids, and predicates of its values."""

    attribute: str
    required: str | None = None
    prohibited: str | None = None
    single: str | None = None
    formats: tuple[tuple[str, DataType], ...] = ()

    def take(self, rule_id: str, test: AttributeTest) -> None:
        """Add the test of one row."""
        if test.test is Test.FORMAT:
            assert test.datatype is not None
            self.formats = (*self.formats, (rule_id, test.datatype))
        else:
            setattr(self, test.test.value, rule_id)


class Places(NamedTuple):
    """The places of one coding, by ebRIM name, and the names that must be there."""

    by_key: Mapping[str | None, Place]
    required: frozenset[str | None]

    @classmethod
    def of(cls, by_key: Mapping[str | None, Place]) -> "Places":
        """The places with their required names picked out."""
        return cls(by_key, frozenset(key for key, place in by_key.items() if place.required))


class ObjectPlan(NamedTuple):
    """The compiled tests of one kind of object; `fields` are (Python attribute, place)."""

    kind: str
    slots: Places
    codes: Places
    authors: Mapping[str | None, Place]
    flags: Mapping[str | None, Place]
    identifiers: Places
    fields: tuple[tuple[str, Place], ...]
    name: Place | None


_FIELDS: Final = {"home": "home", "mimeType": "mime_type", "objectType": "object_type"}


def compile_objects(rules: Mapping[str, Rule]) -> dict[str, ObjectPlan]:
    """The plans of all kinds of objects, and of authors, from the rows that apply."""
    places: dict[tuple[str, Coding], dict[str | None, Place]] = defaultdict(dict)
    for kind, (_, table) in TABLES.items():
        for attribute in table:
            places[kind, attribute.coding][attribute.key] = Place(attribute.name)
    for attribute in AUTHOR:
        places["author", attribute.coding][attribute.key] = Place(attribute.name)
    for name in ASSOCIATION_SLOTS:
        places["Association", Coding.SLOT][name] = Place(name)
    for rule in rules.values():
        if isinstance(rule.test, AttributeTest):
            table_of = places[rule.test.kind, rule.test.coding]
            table_of.setdefault(rule.test.key, Place(rule.attribute)).take(rule.id, rule.test)
    return {kind: _plan(kind, places) for kind in (*TABLES, "author")}


def _plan(kind: str, places: Mapping[tuple[str, Coding], dict[str | None, Place]]) -> ObjectPlan:
    def of(coding: Coding) -> dict[str | None, Place]:
        return places.get((kind, coding), {})

    return ObjectPlan(
        kind=kind,
        slots=Places.of(of(Coding.SLOT)),
        codes=Places.of(of(Coding.CODE)),
        authors=of(Coding.AUTHOR),
        flags=of(Coding.FLAG),
        identifiers=Places.of(of(Coding.IDENTIFIER)),
        fields=tuple((_FIELDS[str(key)], place) for key, place in of(Coding.FIELD).items()),
        name=of(Coding.NAME).get("Name"),
    )


def check_object(item: RegistryObject, plan: ObjectPlan, author: ObjectPlan, report: Report) -> None:
    """Everything that the attribute rows say about one object."""
    for slot in item.slots:
        if slot.name not in plan.slots.by_key and not _is_extra(slot.name):
            report.add("ihe.slot.extra", object=plan.kind, object_id=item.id, attribute=slot.name, received=slot.name)
    _check_slots(item.slots, plan, item.id, report)
    if item.classifications or plan.codes.required:
        _check_classifications(item, plan, author, report)
    if item.external_identifiers or plan.identifiers.required:
        _check_identifiers(item, plan, report)
    for attribute, place in plan.fields:
        value = getattr(item, attribute)
        if value is None or not value.strip():
            _missing(place, plan.kind, item.id, report)
        else:
            _check_value(value, place, plan.kind, item.id, report)
    if plan.name is not None:
        _check_name(item, plan.name, plan.kind, report)


def _is_extra(name: str) -> bool:
    return _URN.fullmatch(name) is not None and not name.lower().startswith("urn:ihe:")


def _check_slots(slots: tuple[Slot, ...], plan: ObjectPlan, item_id: str, report: Report) -> None:
    places, required = plan.slots
    seen: set[str | None] = set()
    present: set[str | None] = set()
    for name, values, _ in slots:
        if name in seen:
            report.add("ihe.slot.duplicate", object=plan.kind, object_id=item_id, attribute=name, received=name)
        seen.add(name)
        place = places.get(name)
        count = 0
        for value in values:
            if not value or value.isspace():
                continue
            count += 1
            if len(value) > VALUE_LENGTH:
                report.add(
                    "ihe.slot.length", object=plan.kind, object_id=item_id, attribute=name, received=str(len(value))
                )
            if place is not None and place.formats:
                _check_value(value, place, plan.kind, item_id, report)
        if count:
            present.add(name)
            if place is not None and (place.prohibited or (count > 1 and place.single)):
                _too_many(place, count, plan.kind, item_id, report)
    if not required <= present:
        for key in sorted(str(key) for key in required - present):
            _missing(places[key], plan.kind, item_id, report)


def _check_value(value: str, place: Place, kind: str, item_id: str, report: Report) -> None:
    for rule_id, datatype in place.formats:
        if not datatype.valid(value):
            report.add(
                rule_id,
                object=kind,
                object_id=item_id,
                attribute=place.attribute,
                received=value,
                hint=datatype.hint(value),
            )


def _missing(place: Place, kind: str, item_id: str, report: Report) -> None:
    if place.required is not None:
        report.add(place.required, object=kind, object_id=item_id, attribute=place.attribute)


def _too_many(place: Place, count: int, kind: str, item_id: str, report: Report) -> None:
    if place.prohibited is not None:
        report.add(place.prohibited, object=kind, object_id=item_id, attribute=place.attribute)
    elif place.single is not None:
        report.add(place.single, object=kind, object_id=item_id, attribute=place.attribute, received=str(count))


def _check_classifications(item: RegistryObject, plan: ObjectPlan, author: ObjectPlan, report: Report) -> None:
    places, required = plan.codes
    counts: dict[str | None, int] = {}
    for c in item.classifications:
        if c.classified_object != item.id and c.classified_object:
            report.add(
                "ihe.classification.parent",
                object=plan.kind,
                object_id=item.id,
                received=c.classified_object,
                expected=item.id,
            )
        scheme = c.scheme
        place = places.get(scheme)
        if place is not None:
            counts[scheme] = counts.get(scheme, 0) + 1
            _check_code(c, place.attribute, plan.kind, item.id, report)
        elif scheme in plan.authors:
            _check_author(c, plan.kind, author, item.id, report)
        elif scheme is None and c.node in plan.flags:
            _too_many(plan.flags[c.node], 1, plan.kind, item.id, report)
    for scheme, count in counts.items():
        if count > 1 or places[scheme].prohibited:
            _too_many(places[scheme], count, plan.kind, item.id, report)
    if not required <= counts.keys():
        for key in sorted(str(key) for key in required - counts.keys()):
            _missing(places[key], plan.kind, item.id, report)


def _check_code(c: Classification, attribute: str, kind: str, item_id: str, report: Report) -> None:
    if not c.code or c.code.isspace():
        report.add("ihe.code.value", object=kind, object_id=item_id, attribute=attribute, received=c.code)
    schemes = [value for slot in c.slots if slot.name == "codingScheme" for value in slot.values]
    if len(schemes) != 1 or not schemes[0] or schemes[0].isspace():
        report.add(
            "ihe.code.scheme", object=kind, object_id=item_id, attribute=attribute, received=", ".join(schemes) or None
        )
    if not _has_text(c.name):
        report.add("ihe.code.name", object=kind, object_id=item_id, attribute=attribute, received=c.code)


def _has_text(name: tuple[LocalizedString, ...]) -> bool:
    for text in name:
        if text.value and not text.value.isspace():
            return True
    return False


_AUTHOR_CONTENT: Final = ("authorPerson", "authorInstitution", "authorTelecommunication")


def _check_author(c: Classification, kind: str, author: ObjectPlan, item_id: str, report: Report) -> None:
    if c.code:
        report.add("ihe.author.node", object=kind, object_id=item_id, received=c.code)
    if not any(value.strip() for slot in c.slots if slot.name in _AUTHOR_CONTENT for value in slot.values):
        report.add("ihe.author.content", object=kind, object_id=item_id)
    _check_slots(c.slots, author, item_id, report)


def _check_identifiers(item: RegistryObject, plan: ObjectPlan, report: Report) -> None:
    places, required = plan.identifiers
    counts: dict[str | None, int] = {}
    for identifier in item.external_identifiers:
        scheme, value = identifier.scheme, identifier.value
        if identifier.registry_object != item.id and identifier.registry_object:
            report.add(
                "ihe.identifier.parent",
                object=plan.kind,
                object_id=item.id,
                received=identifier.registry_object,
                expected=item.id,
            )
        place = places.get(scheme)
        if place is None or not value or value.isspace():
            continue
        counts[scheme] = counts.get(scheme, 0) + 1
        _check_value(value, place, plan.kind, item.id, report)
        if identifier.name:
            _check_identifier_name(identifier, place, plan.kind, item.id, report)
    for scheme, count in counts.items():
        if count > 1 or places[scheme].prohibited:
            _too_many(places[scheme], count, plan.kind, item.id, report)
    if not required <= counts.keys():
        for key in sorted(str(key) for key in required - counts.keys()):
            _missing(places[key], plan.kind, item.id, report)


def _check_identifier_name(
    identifier: ExternalIdentifier, place: Place, kind: str, item_id: str, report: Report
) -> None:
    expected = IDENTIFIER_NAMES.get(identifier.scheme or "")
    if expected is None or any(text.value.strip() in ("", expected) for text in identifier.name):
        return
    report.add(
        "ihe.identifier.name",
        object=kind,
        object_id=item_id,
        attribute=place.attribute,
        received=identifier.name[0].value,
        expected=expected,
    )


def _check_name(item: RegistryObject, place: Place, kind: str, report: Report) -> None:
    if place.required and not _has_text(item.name):
        _missing(place, kind, item.id, report)
    for text in item.name:
        _check_value(text.value, place, kind, item.id, report)
