"""What an update changes in a registry: each rule about registered objects from both sides, and each consequence."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

import pytest

from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.builders import (
    OTHER_PATIENT,
    PATIENT,
    SOURCE,
    make_association,
    make_documentation,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_slots,
)
from tests.unit.updates import make_status_update, make_submit, make_update
from xds_gateway.actors.changes import Changes
from xds_gateway.actors.identity import resolved
from xds_gateway.actors.versions import Update, check_object_types, plan_update
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import Finding
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.metadata import DocumentEntry, Folder, RegistryObject, Submission
from xds_gateway.rules import updates
from xds_gateway.rules.engine import Transaction
from xds_gateway.rules.ihe import IHE, read_update

AUTHORITY = PatientId(*(parse_patient_id(PATIENT) or ())).authority


def urn(number: int) -> str:
    return f"urn:uuid:{number:08x}-0000-4000-8000-000000000000"


OLD, SIBLING, OLDER, OLD_FOLDER, OTHER_FOLDER, OLD_SET, FILED, RELATED, OF_SET, NEW, NEW_FOLDER = (
    urn(n) for n in range(1, 12)
)
UNKNOWN = urn(999)


def entry(identifier: str = OLD, patient: str = PATIENT, **changes: Any) -> DocumentEntry:
    number = int(identifier[9:17], 16)
    identifiers = {v.DE_PATIENT_ID: patient, v.DE_UNIQUE_ID: f"{SOURCE}.9.{number}", **changes.pop("identifiers", {})}
    return make_entry(number, id=identifier, identifiers=identifiers, **changes)


def folder(identifier: str = OLD_FOLDER, patient: str = PATIENT, **changes: Any) -> Folder:
    number = int(identifier[9:17], 16)
    identifiers = {v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: f"{SOURCE}.8.{number}"}
    return make_folder(number, id=identifier, identifiers=identifiers, **changes)


def new_entry(**changes: Any) -> DocumentEntry:
    """The next version of OLD."""
    return replace(entry(OLD, **changes), id=NEW, lid=changes.get("lid", OLD))


def new_folder(**changes: Any) -> Folder:
    """The next version of OLD_FOLDER."""
    return replace(folder(OLD_FOLDER, **changes), id=NEW_FOLDER, lid=changes.get("lid", OLD_FOLDER))


FILING = make_association(OLD_FOLDER, OLD, id=FILED)
RELATION = make_association(SIBLING, OLD, v.APND, id=RELATED)
MEMBERSHIP = make_member(OLD_SET, OLD, id=OF_SET)
PLAIN = (entry(), make_set(9, id=OLD_SET), MEMBERSHIP)
FULL = (*PLAIN, entry(SIBLING), folder(), FILING, RELATION)
LINK = make_association(OLD_FOLDER, SIBLING, id="link")
SUBMITTED = (LINK, make_submit("link"))
RESTRICTED: Transaction = "ITI-92"


class Case(NamedTuple):
    """A message and a registry."""

    sent: Submission
    registered: tuple[RegistryObject, ...] = FULL
    transaction: Transaction = "ITI-57"

    def plan(self, *, patients_open: bool = True) -> tuple[Changes, tuple[Finding, ...]]:
        numbers = count(0x1000)
        final = resolved(self.sent, lambda: urn(next(numbers)), None)
        settled = replace(
            final.submission,
            document_entries=_with_lids(final.submission.document_entries, self.sent.document_entries),
            folders=_with_lids(final.submission.folders, self.sent.folders),
        )
        operations, findings = read_update(settled, transaction=self.transaction)
        assert findings == ()
        return plan_update(
            Update(final._replace(submission=settled), operations, ()),
            MemorySnapshot.of(*self.registered),
            patients_open=patients_open,
            authorities=frozenset((AUTHORITY,)),
            transaction=self.transaction,
            new_uuid=lambda: urn(next(numbers)),
        )


def _with_lids(final: Iterable[Any], sent: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(replace(item, lid=as_sent.lid) for item, as_sent in zip(final, sent, strict=True))


def changes_of(case: Case) -> Changes:
    changes, findings = case.plan()
    assert findings == ()
    return changes


def second_version(**changes: Any) -> DocumentEntry:
    """Version 2 of OLD, which is registered."""
    return replace(entry(OLD), id=OLDER, lid=OLD, version="2", **changes)


def slots_changed(**slots: str | None) -> DocumentEntry:
    return new_entry(slots=slots)


def status(target: str, original: str = v.APPROVED, new: str = v.DEPRECATED) -> Submission:
    return make_update(associations=(make_status_update(target, original, new),))


def submit(source: str, target: str, kind: str = v.HAS_MEMBER) -> Submission:
    return make_update(associations=(make_association(source, target, kind, id="link"), make_submit("link")))


def deprecated(*gone: str) -> tuple[RegistryObject, ...]:
    """The registry with some objects deprecated."""
    return tuple(replace(item, status=v.DEPRECATED) if item.id in gone else item for item in FULL)


GOOD = Case(make_update(new_entry()))
GOOD_92 = GOOD._replace(transaction=RESTRICTED)

# rule -> what passes, what breaks it, and further rules that go with it
PAIRS: dict[str, tuple[Case, Case, set[str]]] = {
    "ihe.update.entry.unknown": (GOOD, Case(make_update(new_entry(lid=UNKNOWN))), set()),
    "ihe.update.folder.unknown": (
        Case(make_update(new_folder())),
        Case(make_update(new_folder(lid=UNKNOWN))),
        {"ihe.update.entry.unknown"},
    ),
    "ihe.update.version": (
        Case(make_update(new_entry(), previous=2), (*PLAIN, second_version())),
        Case(make_update(new_entry()), (*PLAIN, second_version())),
        set(),
    ),
    "ihe.update.latest.deprecated": (GOOD, Case(make_update(new_entry()), deprecated(OLD)), set()),
    "ihe.update.uniqueId": (GOOD, Case(make_update(new_entry(identifiers={v.DE_UNIQUE_ID: "1.2.3"}))), set()),
    "ihe.update.objectType": (GOOD, Case(make_update(new_entry(object_type=v.ON_DEMAND_DOCUMENT))), set()),
    "ihe.update.objectType.restricted": (
        GOOD_92,
        Case(make_update(new_entry(object_type=v.ON_DEMAND_DOCUMENT)), transaction=RESTRICTED),
        {"ihe.update.objectType"},
    ),
    "ihe.update.unmodifiable": (
        Case(make_update(slots_changed(documentAvailability=None)), transaction=RESTRICTED),
        Case(make_update(slots_changed(documentAvailability=v.OFFLINE)), transaction=RESTRICTED),
        set(),
    ),
    "ihe.update.patient.restricted": (
        GOOD_92,
        Case(
            make_update(
                new_entry(patient=OTHER_PATIENT),
                submission_set=make_set(identifiers={v.SS_PATIENT_ID: OTHER_PATIENT}),
            ),
            transaction=RESTRICTED,
        ),
        set(),
    ),
    "ihe.update.target.unknown": (Case(status(OLD)), Case(status(UNKNOWN)), set()),
    "ihe.update.target.kind": (Case(status(FILED)), Case(status(OLD_SET)), set()),
    "ihe.update.target.latest": (
        Case(status(OLDER), (*PLAIN, second_version())),
        Case(status(OLD), (*PLAIN, second_version())),
        set(),
    ),
    "ihe.update.target.status": (Case(status(OLD)), Case(status(OLD, v.DEPRECATED, v.APPROVED)), set()),
    "ihe.update.end.unknown": (Case(submit(OLD_FOLDER, SIBLING)), Case(submit(OLD_FOLDER, UNKNOWN)), set()),
    "ihe.update.end.kind": (Case(submit(OLD_FOLDER, SIBLING)), Case(submit(OLD_FOLDER, OLD_SET)), set()),
    "ihe.update.end.deprecated": (
        Case(submit(OLD_FOLDER, SIBLING)),
        Case(submit(OLD_FOLDER, SIBLING), deprecated(SIBLING)),
        set(),
    ),
    "ihe.update.association.exists": (Case(submit(OLD, SIBLING, v.APND)), Case(submit(OLD_FOLDER, OLD)), set()),
    "ihe.update.patient": (
        Case(submit(OLD_FOLDER, SIBLING)),
        Case(submit(OLD_FOLDER, OTHER_FOLDER), (*FULL, entry(OTHER_FOLDER, OTHER_PATIENT))),
        set(),
    ),
    "ihe.registry.id": (GOOD, Case(make_update(replace(new_entry(), id=SIBLING))), set()),
    "ihe.registry.uniqueId.set": (
        GOOD,
        Case(make_update(new_entry(), submission_set=make_set(identifiers={v.SS_UNIQUE_ID: f"{SOURCE}.2.9"}))),
        set(),
    ),
}
ELSEWHERE = {"ihe.update.home"}  # it needs no registry: test_updates.py
PLANNED = pytest.mark.parametrize("rule", PAIRS)


def test_every_rule_about_registered_objects_has_a_pair():
    assert {rule.id for rule in updates.STATE_RULES} - ELSEWHERE == {r for r in PAIRS if r.startswith("ihe.update")}


@PLANNED
def test_an_update_that_keeps_the_rule_is_planned(rule: str):
    changes, findings = PAIRS[rule][0].plan()
    assert findings == ()
    assert changes != Changes()


@PLANNED
def test_an_update_that_breaks_the_rule_is_refused_for_it_and_changes_nothing(rule: str):
    _, broken, others = PAIRS[rule]
    changes, findings = broken.plan()
    assert {f.rule for f in findings} == {rule, *others}
    assert all(f.code is IHE.rules[f.rule].code(broken.transaction) and "None" not in f.sentence for f in findings)
    assert changes == Changes()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # the lid must be that of an entry, and of the first version
        (Case(make_update(new_entry(lid=OLD_FOLDER))), {"ihe.update.entry.unknown"}),
        (Case(make_update(new_entry(lid=OLDER), previous=2), (*PLAIN, second_version())), {"ihe.update.entry.unknown"}),
        # unknown things are told together, and before versions
        (Case(make_update(new_entry(lid=UNKNOWN), associations=(make_status_update(UNKNOWN),))),
         {"ihe.update.entry.unknown", "ihe.update.target.unknown"}),
        (Case(make_update(new_entry(), previous=7, associations=(make_status_update(UNKNOWN),))),
         {"ihe.update.target.unknown"}),
        (Case(make_update(new_entry(), previous=7), deprecated(OLD)), {"ihe.update.version"}),
        # statuses
        (Case(status(OF_SET)), {"ihe.update.target.kind"}),
        (Case(status("SubmissionSet01")), {"ihe.update.target.kind"}),
        (Case(make_update(new_entry(), associations=(make_status_update(OLD),))), {"ihe.update.target.latest"}),
        (Case(make_update(new_entry(), associations=(make_status_update(NEW, v.DEPRECATED, v.APPROVED),))),
         {"ihe.update.target.status"}),
        # ends
        (Case(submit(OLD, SIBLING)), {"ihe.update.end.kind"}),
        (Case(submit(OLD, OLD_FOLDER, v.APND)), {"ihe.update.end.kind"}),
        (Case(submit(OLD, OLD, v.APND)), {"ihe.update.end.kind"}),
        (Case(submit(OLD_SET, SIBLING)), {"ihe.update.end.kind"}),
        (Case(submit(OLD, SIBLING, v.IS_SNAPSHOT_OF)), {"ihe.registry.target.onDemand"}),
        (Case(submit(OLD_FOLDER, SIBLING), deprecated(OLD_FOLDER)), {"ihe.update.end.deprecated"}),
        (Case(make_update(new_entry(), associations=(make_association(SIBLING, OLD, v.XFRM, id="link"),
                                                     make_submit("link")))), {"ihe.update.end.deprecated"}),
        (Case(make_update(associations=(*SUBMITTED, replace(LINK, id="again"), make_submit("again")))),
         {"ihe.update.association.exists"}),
        # patients
        (Case(make_update(associations=(make_status_update(SIBLING),)), (*PLAIN, entry(SIBLING, OTHER_PATIENT))),
         {"ihe.update.patient"}),
        (Case(submit(OLD, SIBLING, v.APND), (entry(OLD, OTHER_PATIENT), entry(SIBLING, OTHER_PATIENT))),
         {"ihe.update.patient"}),
        # a restricted update says all that cannot change
        (Case(make_update(slots_changed(repositoryUniqueId="1.2", sourcePatientId="x^^^&1.2&ISO")),
              transaction=RESTRICTED), {"ihe.update.unmodifiable"}),
    ],
)  # fmt: skip
def test_what_else_is_refused(case: Case, expected: set[str]):
    changes, findings = case.plan()
    assert {f.rule for f in findings} == expected
    assert changes == Changes()


def test_a_finding_names_objects_as_their_sender_did():
    sent = make_update(replace(new_entry(), id="Document01"), associations=(make_status_update(OLD),))
    (found,) = Case(sent).plan()[1]
    assert (found.received, found.expected) == (OLD, "Document01")


@pytest.mark.parametrize("transaction", ["ITI-57", "ITI-92"])
def test_a_patient_that_was_never_fed_is_unknown(transaction: Transaction):
    sent = make_update(new_entry())
    _, findings = Case(sent, transaction=transaction).plan(patients_open=False)
    assert {f.code.value for f in findings} == {"XDSUnknownPatientId"}


def test_the_object_type_is_judged_before_anything_else():
    operations, _ = read_update(make_update(new_entry(object_type=v.ON_DEMAND_DOCUMENT)), transaction="ITI-92")
    findings = check_object_types(operations.versions, MemorySnapshot.of(*FULL), transaction="ITI-92")
    assert [f.code.value for f in findings] == ["UnmodifiableMetadataError", "XDSObjectTypeError"]
    assert check_object_types(operations.versions, MemorySnapshot.of(), transaction="ITI-92") == ()


# --- consequences -----------------------------------------------------------------------------------------------------


def links(changes: Changes) -> set[tuple[str, str, str]]:
    """The associations that are made: type, source, target."""
    return {(a.association_type.rsplit(":", 1)[1], a.source, a.target) for a in changes.associations}


@pytest.mark.parametrize("transaction", ["ITI-57", "ITI-92"])
def test_a_new_version_takes_the_place_of_the_one_before(transaction: Transaction):
    changes = changes_of(Case(make_update(new_entry()), PLAIN, transaction))
    assert (changes.superseded, changes.deprecated, changes.approved) == ((OLD,), (OLD,), ())
    assert (changes.associations, changes.touched_folders, changes.folder_times) == ((), (), ())


def test_a_deprecated_version_stays_so_in_a_restricted_update():
    changes = changes_of(Case(make_update(new_entry()), deprecated(OLD), RESTRICTED))
    assert set(changes.deprecated) == {OLD, NEW}
    assert links(changes) == {("HasMember", OLD_FOLDER, NEW), ("APND", SIBLING, NEW)}


@pytest.mark.parametrize(
    ("registered", "expected", "touched"),
    [
        (FULL, {("HasMember", OLD_FOLDER, NEW), ("APND", SIBLING, NEW)}, (OLD_FOLDER,)),
        (deprecated(FILED), {("APND", SIBLING, NEW)}, ()),
        (deprecated(RELATED), {("HasMember", OLD_FOLDER, NEW)}, (OLD_FOLDER,)),
        (deprecated(OLD_FOLDER), {("APND", SIBLING, NEW)}, ()),
        (deprecated(SIBLING), {("HasMember", OLD_FOLDER, NEW), ("APND", SIBLING, NEW)}, (OLD_FOLDER,)),
    ],
    ids=["all", "membership", "relationship", "folder", "other entry"],
)
def test_what_is_approved_goes_over_to_the_new_version(registered, expected, touched):
    changes = changes_of(Case(make_update(new_entry()), registered))
    assert (links(changes), changes.touched_folders) == (expected, touched)


def test_without_propagation_a_new_version_is_alone():
    changes = changes_of(Case(make_update(new_entry(), slots={"AssociationPropagation": "no"})))
    assert (links(changes), changes.touched_folders) == (set(), ())


def test_a_copy_is_a_new_object_with_slots_and_documentation():
    link = replace(
        RELATION, slots=make_slots({"urn:example:why": "late"}), classifications=(make_documentation(RELATED),)
    )
    (copy,) = changes_of(Case(make_update(new_entry()), (*PLAIN, entry(SIBLING), link))).associations
    assert copy.id == copy.lid
    assert copy.id != RELATED
    assert (copy.slots, copy.status, copy.version) == (link.slots, v.APPROVED, "1")
    (documented,) = copy.classifications
    assert documented == link.classifications[0]._replace(id=documented.id, classified_object=copy.id)
    assert documented.id != link.classifications[0].id


def test_a_new_version_of_a_folder_holds_what_the_one_before_held():
    changes = changes_of(Case(make_update(new_folder())))
    assert links(changes) == {("HasMember", NEW_FOLDER, OLD)}
    assert (changes.touched_folders, changes.folder_times) == ((NEW_FOLDER,), ())


@pytest.mark.parametrize(
    "case",
    [
        Case(make_update(new_folder(), slots={"AssociationPropagation": "no"})),
        Case(make_update(new_folder()), deprecated(OLD)),
        Case(make_update(new_folder()), (folder(),)),
    ],
)
def test_a_new_version_of_a_folder_without_members_keeps_its_time(case: Case):
    sent = replace(case.sent, folders=(new_folder(slots={"lastUpdateTime": "19990101"}),))
    changes = changes_of(case._replace(sent=sent))
    assert (links(changes), changes.touched_folders) == (set(), ())
    assert changes.folder_times == ((NEW_FOLDER, "20260314090000"),)


@pytest.mark.parametrize(
    ("entry_goes_on", "folder_goes_on", "expected"),
    [
        ("yes", "yes", {("HasMember", NEW_FOLDER, NEW), ("APND", SIBLING, NEW)}),
        ("yes", "no", {("APND", SIBLING, NEW)}),
        ("no", "yes", set()),
        ("no", "no", set()),
    ],
)
def test_of_a_folder_and_its_entry_the_new_versions_meet_when_both_propagate(entry_goes_on, folder_goes_on, expected):
    parts = [
        make_update(item, slots={"AssociationPropagation": goes_on})
        for item, goes_on in ((new_entry(), entry_goes_on), (new_folder(), folder_goes_on))
    ]
    sent = replace(parts[0], folders=parts[1].folders, associations=parts[0].associations + parts[1].associations)
    assert links(changes_of(Case(sent))) == expected


def test_of_two_related_entries_the_new_versions_are_related_once():
    sibling = replace(entry(SIBLING), id=NEW_FOLDER, lid=SIBLING)
    changes = changes_of(Case(make_update(new_entry(), sibling)))
    assert links(changes) == {("HasMember", OLD_FOLDER, NEW), ("APND", NEW_FOLDER, NEW)}


@pytest.mark.parametrize(
    ("case", "deprecates", "approves"),
    [
        (Case(status(OLD)), (OLD,), ()),
        (Case(status(OLD, v.DEPRECATED, v.APPROVED), deprecated(OLD)), (), (OLD,)),
        (Case(status(OLD_FOLDER)), (OLD_FOLDER,), ()),
        (Case(status(FILED)), (FILED,), ()),
        (Case(status(RELATED, v.DEPRECATED, v.APPROVED), deprecated(RELATED)), (), (RELATED,)),
        (Case(make_update(new_entry(), associations=(make_status_update(NEW),)), PLAIN), (OLD, NEW), ()),
        (Case(submit(OLD, SIBLING, v.RPLC)), (SIBLING,), ()),
        (Case(submit(SIBLING, OLD, v.RPLC)), (OLD,), ()),  # the replacement stays, though it is an addendum too
        (Case(submit(OLD, SIBLING, v.XFRM)), (), ()),
    ],
)
def test_a_status_changes_alone(case: Case, deprecates: tuple[str, ...], approves: tuple[str, ...]):
    changes = changes_of(case)
    assert (changes.deprecated, changes.approved) == (deprecates, approves)
    assert changes.associations == ()


def test_a_submitted_association_may_be_deprecated_at_once():
    sent = make_update(associations=(*SUBMITTED, make_status_update("link", id="status")))
    (gone,) = changes_of(Case(sent)).deprecated
    assert gone not in {OLD, SIBLING, OLD_FOLDER}


def test_a_document_that_is_filed_touches_its_folder():
    assert changes_of(Case(submit(OLD_FOLDER, SIBLING))).touched_folders == (OLD_FOLDER,)
    assert changes_of(Case(submit(OLD, SIBLING, v.APND))).touched_folders == ()


def test_a_new_version_without_propagation_may_be_filed_by_hand():
    filed = make_association(OLD_FOLDER, NEW, id="link")
    sent = make_update(new_entry(), associations=(filed, make_submit("link")), slots={"AssociationPropagation": "no"})
    assert changes_of(Case(sent)).touched_folders == (OLD_FOLDER,)


# --- another patient --------------------------------------------------------------------------------------------------


def moved(*items: DocumentEntry | Folder, propagation: str = "yes") -> Submission:
    """New versions that belong to another patient, with their set."""
    the_set = make_set(identifiers={v.SS_PATIENT_ID: OTHER_PATIENT})
    return make_update(*items, submission_set=the_set, slots={"AssociationPropagation": propagation})


MOVED, MOVED_FOLDER = new_entry(patient=OTHER_PATIENT), new_folder(patient=OTHER_PATIENT)
UNRELATED = tuple(item for item in FULL if item.id != RELATED)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case(moved(MOVED), PLAIN), set()),
        (Case(moved(MOVED, propagation="no")), set()),
        (Case(moved(MOVED)), {"ihe.update.patient"}),
        (Case(moved(MOVED_FOLDER)), {"ihe.update.patient"}),
        (Case(moved(MOVED_FOLDER, propagation="no")), set()),
        (Case(moved(MOVED, MOVED_FOLDER), UNRELATED), set()),
    ],
    ids=["alone", "left alone", "in a folder", "folder", "empty folder", "both"],
)
def test_another_patient_is_fine_where_nothing_of_the_first_is_associated(case: Case, expected: set[str]):
    changes, findings = case.plan()
    assert {f.rule for f in findings} == expected
    assert {f.code.value for f in findings} <= {"XDSPatientIDReconciliationError"}
    if not expected:
        assert changes.concerned == (OTHER_PATIENT, PATIENT)
        assert PatientId(*(parse_patient_id(OTHER_PATIENT) or ())) in changes.patients
    else:
        assert changes == Changes()
