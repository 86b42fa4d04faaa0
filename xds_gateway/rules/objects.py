"""One object against the attribute rows: a single pass over its slots, classifications and identifiers.

A good object costs one look-up and one predicate per value.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.metadata import Classification, ExternalIdentifier, LocalizedString, RegistryObject, Slot
from .datatypes import DataType
from .engine import Report, Rule, row
from .plans import NOT_PLAIN, ObjectPlan, Place, Places

VALUE_LENGTH: Final = 256
_URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[^\s]+", re.IGNORECASE)

# The readable name of each identifier, ITI TF-3 4.2.3.1.3 and the examples of 4.2.3.2 to 4.2.3.4
IDENTIFIER_NAMES: Final[Mapping[str | None, str]] = {
    v.DE_PATIENT_ID: "XDSDocumentEntry.patientId",
    v.DE_UNIQUE_ID: "XDSDocumentEntry.uniqueId",
    v.SS_PATIENT_ID: "XDSSubmissionSet.patientId",
    v.SS_SOURCE_ID: "XDSSubmissionSet.sourceId",
    v.SS_UNIQUE_ID: "XDSSubmissionSet.uniqueId",
    v.FD_PATIENT_ID: "XDSFolder.patientId",
    v.FD_UNIQUE_ID: "XDSFolder.uniqueId",
}


def _row(rule_id: str, attribute: str, sentence: str, expected: str, clause: str, example: str) -> Rule:
    return row(rule_id, "any object", attribute, sentence, expected, f"ITI TF-3 {clause}", example)


RULES: Final = (
    _row("ihe.slot.duplicate", "Slot",
         "Send one Slot named {attribute} in the {object}, with all its values.",
         "one Slot of each name", "4.2.3.1.6", "two Slots named hash"),
    _row("ihe.slot.length", "Slot",
         "Shorten the value of {attribute} in the {object}: it has {received} characters.",
         f"at most {VALUE_LENGTH} characters", "4.2.3.1.1", "a value of 257 characters"),
    _row("ihe.slot.extra", "Slot",
         "Rename or remove the Slot {received} of the {object}: it is not an attribute of the standard.",
         "for extra metadata a URN that does not begin with urn:ihe:", "4.2.3.1.6", "a Slot named localInfo"),
    _row("ihe.code.value", "code",
         "Add the code of {attribute} in the {object} as nodeRepresentation of its Classification.",
         "a nodeRepresentation that is not empty", "Table 4.2.3.1.2-1", 'nodeRepresentation=""'),
    _row("ihe.code.scheme", "code",
         "Send one codingScheme for {attribute} in the {object}: a Slot with exactly one value.",
         "a Slot named codingScheme with one value", "Table 4.2.3.1.2-1", "no Slot named codingScheme"),
    _row("ihe.code.name", "code",
         "Add a display name for {attribute} in the {object}: the Name of its Classification.",
         "a Name with a LocalizedString that is not empty", "4.2.3.1.2", "no Name"),
    _row("ihe.author.content", "author",
         "Say who the author of the {object} is: a person, an institution or an address is missing.",
         "authorPerson, authorInstitution or authorTelecommunication", "4.2.3.1.4", "only an authorRole"),
    _row("ihe.author.node", "author",
         "Leave nodeRepresentation of the author of the {object} empty.",
         'nodeRepresentation=""', "4.2.3.1.4", 'nodeRepresentation="author"'),
    _row("ihe.classification.parent", "classifiedObject",
         "Let classifiedObject of the Classification name the {object} that contains it.",
         "the id of the object around it", "Table 4.2.3.1.2-1", "the id of another entry"),
    _row("ihe.identifier.parent", "registryObject",
         "Let registryObject of the ExternalIdentifier name the {object} that contains it.",
         "the id of the object around it", "Table 4.2.3.1.3-1", "the id of another entry"),
    _row("ihe.identifier.length", "ExternalIdentifier",
         "Shorten {attribute} of the {object}: it has {received} characters.",
         f"at most {VALUE_LENGTH} characters", "4.2.3.1.1", "a uniqueId of 257 characters"),
    _row("ihe.identifier.name", "Name",
         "Change the Name of the ExternalIdentifier {attribute} of the {object} to {expected}, or leave it out.",
         "the fixed name of the identifier", "Table 4.2.3.1.3-1", "XDSDocumentEntry.uniqueId on a patientId"),
)  # fmt: skip


class Seen(NamedTuple):
    """What the pass over one object came across: values by slot name, and identifiers by scheme."""

    item: RegistryObject
    slots: Mapping[str, tuple[str, ...]]
    identifiers: Mapping[str | None, str]


def check_object(item: RegistryObject, plan: ObjectPlan, author: ObjectPlan, report: Report) -> Seen:
    """Everything that the attribute rows say about one object."""
    slots = _check_slots(item.slots, plan, item.id, report)
    if item.classifications or plan.codes.required:
        _check_classifications(item, plan, author, report)
    identifiers = _check_identifiers(item, plan, report)
    for attribute, place in plan.fields:
        value = getattr(item, attribute)
        if value is None or not value.strip():
            _missing(place, plan.kind, item.id, report)
        else:
            _check_value(value, place, plan.kind, item.id, report)
    if plan.name is not None:
        _check_name(item, plan.name, plan.kind, report)
    return Seen(item, slots, identifiers)


def is_extra(name: str) -> bool:
    """True for the name that extra metadata may have: a URN outside of urn:ihe: (ITI TF-3 4.2.3.1.6)."""
    return _URN.fullmatch(name) is not None and not name.lower().startswith("urn:ihe:")


def _check_slots(slots: tuple[Slot, ...], plan: ObjectPlan, item_id: str, report: Report) -> dict[str, tuple[str, ...]]:
    plain = plan.slots.plain
    found: dict[str, tuple[str, ...]] = {}
    for name, values, _ in slots:
        valid, most = plain.get(name, NOT_PLAIN)
        if 0 < len(values) <= most and name not in found:
            for value in values:
                if len(value) > VALUE_LENGTH or not valid(value):
                    break
            else:
                found[name] = values
                continue
        _check_slot(name, values, plan, found, item_id, report)
    if not plan.slots.required <= found.keys() or plan.slots.prohibited:
        _check_presence(found, plan.slots, plan.kind, item_id, report)
    return found


def _check_slot(
    name: str,
    values: tuple[str, ...],
    plan: ObjectPlan,
    found: dict[str, tuple[str, ...]],
    item_id: str,
    report: Report,
) -> None:
    place = plan.slots.by_key.get(name)
    if place is None and plan.extra and name and not is_extra(name):
        report.add(plan.extra, object=plan.kind, object_id=item_id, attribute=name, received=name)
    if name in found:
        report.add("ihe.slot.duplicate", object=plan.kind, object_id=item_id, attribute=name, received=name)
    told = [value for value in values if value and not value.isspace()]
    for value in told:
        if len(value) > VALUE_LENGTH:
            _report_length("ihe.slot.length", value, name, plan.kind, item_id, report)
        elif place is not None:
            _check_value(value, place, plan.kind, item_id, report)
    if len(told) > 1 and place is not None and place.single:
        _report_count(place.single, len(told), place, plan.kind, item_id, report)
    if told:
        found[name] = tuple(told)


def _report_length(rule_id: str, value: str, attribute: str, kind: str, item_id: str, report: Report) -> None:
    report.add(rule_id, object=kind, object_id=item_id, attribute=attribute, received=str(len(value)))


def _report_value(
    rule_id: str, value: str, datatype: DataType, attribute: str, kind: str, item_id: str, report: Report
) -> None:
    report.add(rule_id, object=kind, object_id=item_id, attribute=attribute, received=value)


def _report_count(rule_id: str, count: int, place: Place, kind: str, item_id: str, report: Report) -> None:
    report.add(rule_id, object=kind, object_id=item_id, attribute=place.attribute, received=str(count))


def _check_value(value: str, place: Place, kind: str, item_id: str, report: Report) -> None:
    for rule_id, valid, datatype in place.formats:
        if not valid(value):
            _report_value(rule_id, value, datatype, place.attribute, kind, item_id, report)


def _missing(place: Place, kind: str, item_id: str, report: Report) -> None:
    if place.required is not None:
        report.add(place.required, object=kind, object_id=item_id, attribute=place.attribute)


def _prohibited(place: Place, kind: str, item_id: str, report: Report) -> None:
    if place.prohibited is not None:
        report.add(place.prohibited, object=kind, object_id=item_id, attribute=place.attribute)


def _check_presence(
    found: Mapping[str, object] | Mapping[str | None, object], places: Places, kind: str, item_id: str, report: Report
) -> None:
    for key, place in places.by_key.items():
        if place.required and key not in found:
            _missing(place, kind, item_id, report)
        elif place.prohibited and key in found:
            _prohibited(place, kind, item_id, report)


def _check_counts(counts: Mapping[str | None, int], places: Places, kind: str, item_id: str, report: Report) -> None:
    """How often classifications or identifiers of each scheme are there."""
    for key, count in counts.items():
        if count > 1 and (single := places.by_key[key].single):
            _report_count(single, count, places.by_key[key], kind, item_id, report)


def _check_classifications(item: RegistryObject, plan: ObjectPlan, author: ObjectPlan, report: Report) -> None:
    places, item_id = plan.codes.by_key, item.id
    codes: list[str | None] = []
    for c in item.classifications:
        _, parent, scheme, node, code, slots, name, _ = c
        if parent != item_id and parent:
            _report_parent("ihe.classification.parent", parent, plan.kind, item_id, report)
        place = places.get(scheme)
        if place is not None:
            codes.append(scheme)
            if not (code and name and code.strip() and name[0][0].strip() and _is_plain_scheme(slots)):
                _check_code(c, place.attribute, plan.kind, item_id, report)
        elif scheme is None:
            if node in plan.flags:
                _prohibited(plan.flags[node], plan.kind, item_id, report)
        elif scheme in plan.authors:
            _check_author(c, plan.kind, author, item_id, report)
    _check_schemes(codes, plan.codes, plan.kind, item_id, report)


def _check_schemes(schemes: list[str | None], places: Places, kind: str, item_id: str, report: Report) -> None:
    """What must be there is, what must not is not, and what is single comes once."""
    found = dict.fromkeys(schemes)
    if not places.required <= found.keys() or places.prohibited:
        _check_presence(found, places, kind, item_id, report)
    if len(found) != len(schemes):
        _check_counts(Counter(schemes), places, kind, item_id, report)


def _report_parent(rule_id: str, parent: str, kind: str, item_id: str, report: Report) -> None:
    report.add(rule_id, object=kind, object_id=item_id, received=parent, expected=item_id)


def _is_plain_scheme(slots: tuple[Slot, ...]) -> bool:
    """True for the usual case: nothing but one codingScheme with one value."""
    if len(slots) != 1:
        return False
    name, values, _ = slots[0]
    return name == "codingScheme" and len(values) == 1 and values[0].strip() != ""


def _check_code(c: Classification, attribute: str, kind: str, item_id: str, report: Report) -> None:
    if not c.code or c.code.isspace():
        report.add("ihe.code.value", object=kind, object_id=item_id, attribute=attribute, received=c.code)
    schemes = c.slot_values("codingScheme")
    if len(schemes) != 1 or not schemes[0].strip():
        received = ", ".join(schemes) or None
        report.add("ihe.code.scheme", object=kind, object_id=item_id, attribute=attribute, received=received)
    if not _has_text(c.name):
        report.add("ihe.code.name", object=kind, object_id=item_id, attribute=attribute)


def _has_text(name: tuple[LocalizedString, ...]) -> bool:
    return any(text.value and not text.value.isspace() for text in name)


def _check_author(c: Classification, kind: str, author: ObjectPlan, item_id: str, report: Report) -> None:
    if c.code:
        report.add("ihe.author.node", object=kind, object_id=item_id, received=c.code)
    found = _check_slots(c.slots, author, item_id, report)
    if not (found.get("authorPerson") or found.get("authorInstitution") or found.get("authorTelecommunication")):
        report.add("ihe.author.content", object=kind, object_id=item_id)


def _check_identifiers(item: RegistryObject, plan: ObjectPlan, report: Report) -> dict[str | None, str]:
    places, item_id = plan.identifiers.by_key, item.id
    found: dict[str | None, str] = {}
    schemes: list[str | None] = []
    for identifier in item.external_identifiers:
        _, parent, scheme, value, name, _, _ = identifier
        if parent != item_id and parent:
            _report_parent("ihe.identifier.parent", parent, plan.kind, item_id, report)
        place = places.get(scheme)
        if place is None or not value or value.isspace():
            continue
        schemes.append(scheme)
        found.setdefault(scheme, value)
        if len(value) > VALUE_LENGTH:
            _report_length("ihe.identifier.length", value, place.attribute, plan.kind, item_id, report)
        for rule_id, valid, datatype in place.formats:
            if not valid(value):
                _report_value(rule_id, value, datatype, place.attribute, plan.kind, item_id, report)
        if name and name[0][0] != IDENTIFIER_NAMES.get(scheme):
            _check_identifier_name(identifier, place, plan.kind, item_id, report)
    if schemes or plan.identifiers.required:
        _check_schemes(schemes, plan.identifiers, plan.kind, item_id, report)
    return found


def _check_identifier_name(
    identifier: ExternalIdentifier, place: Place, kind: str, item_id: str, report: Report
) -> None:
    expected = IDENTIFIER_NAMES.get(identifier.scheme)
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
