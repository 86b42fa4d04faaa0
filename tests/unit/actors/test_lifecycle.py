"""What a submission changes in a registry: each state rule from both sides, and each consequence."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.builders import (
    CONTENT_SHA1,
    OTHER_PATIENT,
    PATIENT,
    SOURCE,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_submission,
)
from xds_gateway.actors.changes import Changes
from xds_gateway.actors.identity import resolved
from xds_gateway.actors.lifecycle import plan
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, RegistryObject, Submission, SubmissionSet
from xds_gateway.rules.engine import Transaction

THE_PATIENT = PatientId(*(parse_patient_id(PATIENT) or ()))
AUTHORITY = THE_PATIENT.authority


def urn(number: int) -> str:
    return f"urn:uuid:{number:08x}-0000-4000-8000-000000000000"


OLD, CHILD, GRANDCHILD, OLD_FOLDER, OTHER_FOLDER, OLD_SET = (urn(n) for n in range(1, 7))
UNKNOWN = urn(999)


def old_entry(identifier: str = OLD, patient: str = PATIENT, **changes: Any) -> DocumentEntry:
    number = int(identifier[9:17], 16)
    identifiers = {v.DE_PATIENT_ID: patient, v.DE_UNIQUE_ID: f"{SOURCE}.9.{number}"}
    return make_entry(number, id=identifier, identifiers=identifiers, **changes)


def old_folder(identifier: str = OLD_FOLDER, patient: str = PATIENT, **changes: Any) -> Folder:
    number = int(identifier[9:17], 16)
    identifiers = {v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: f"{SOURCE}.8.{number}"}
    return make_folder(number, id=identifier, identifiers=identifiers, **changes)


def old_set(**changes: Any) -> SubmissionSet:
    return make_set(9, id=OLD_SET, **changes)


def link(source: str, target: str, association_type: str = v.HAS_MEMBER, **changes: Any) -> Association:
    identifier = f"urn:uuid:{uuid5(NAMESPACE_OID, f'{source} {target} {association_type}')}"
    return make_association(source, target, association_type, id=identifier, **changes)


def relate(association_type: str, target: str = OLD, source: str = "Document01") -> Association:
    return make_association(source, target, association_type)


def new_uuids() -> Any:
    numbers = count(0xA000)
    return lambda: urn(next(numbers))


def planned(
    submission: Submission,
    registered: Iterable[RegistryObject] = (),
    *,
    patients: Iterable[PatientId] = (),
    merged: Mapping[PatientId, PatientId] = {},
    patients_open: bool = True,
    follow_merges: bool = False,
    authorities: frozenset[str] = frozenset(),
    transaction: Transaction = "ITI-42",
) -> tuple[Changes, tuple[Finding, ...], Submission]:
    snapshot = MemorySnapshot.of(*registered)
    snapshot.patients.update(patients)
    snapshot.merged.update(merged)
    new_uuid = new_uuids()
    final = resolved(submission, new_uuid, None)
    changes, findings = plan(
        final,
        snapshot,
        patients_open=patients_open,
        follow_merges=follow_merges,
        authorities=authorities,
        transaction=transaction,
        new_uuid=new_uuid,
    )
    return changes, findings, final.submission


def rules(submission: Submission, registered: Iterable[RegistryObject] = (), **domain: Any) -> list[str]:
    return [f.rule.removeprefix("ihe.registry.") for f in planned(submission, registered, **domain)[1]]


# ---- patients ----

THE_OTHER = PatientId(*(parse_patient_id(OTHER_PATIENT) or ()))
OTHERS = make_submission(
    entries=(make_entry(identifiers={v.DE_PATIENT_ID: OTHER_PATIENT}),),
    submission_set=make_set(identifiers={v.SS_PATIENT_ID: OTHER_PATIENT}),
)


@pytest.mark.parametrize(
    ("submission", "domain", "found"),
    [
        (make_submission(), {}, []),
        (OTHERS, {}, []),
        (make_submission(), {"patients_open": False, "patients": (THE_PATIENT,)}, []),
        (OTHERS, {"patients_open": False, "patients": (THE_PATIENT,)}, ["patient"]),
        (make_submission(), {"patients_open": False}, ["patient"]),
        (make_submission(), {"authorities": frozenset({AUTHORITY, "1.2.3"})}, []),
        (make_submission(), {"authorities": frozenset({"1.2.3"})}, ["patient"]),
        (
            make_submission(),
            {"authorities": frozenset({AUTHORITY}), "patients_open": False, "patients": (THE_PATIENT,)},
            [],
        ),
    ],
)
def test_which_patients_are_accepted(submission: Submission, domain: dict[str, Any], found: list[str]) -> None:
    assert rules(submission, **domain) == found


def test_an_unknown_patient_is_told_once_and_with_its_code() -> None:
    _, (finding,), _ = planned(make_submission(folders=(make_folder(),)), patients_open=False)
    assert (finding.code, finding.received) == (ErrorCode.UNKNOWN_PATIENT, PATIENT)


def test_the_patients_of_a_submission_become_known() -> None:
    assert planned(make_submission())[0].patients == (THE_PATIENT,)


MERGED = {THE_PATIENT: THE_OTHER}


@pytest.mark.parametrize(
    ("submission", "domain", "found"),
    [
        (make_submission(), {"merged": MERGED}, ["patient.merged"]),
        (make_submission(), {"merged": MERGED, "patients_open": False}, ["patient.merged"]),
        (make_submission(), {"merged": MERGED, "follow_merges": True}, []),
        (make_submission(), {"merged": MERGED, "follow_merges": True, "patients_open": False}, []),
        (OTHERS, {"merged": MERGED, "patients": (THE_OTHER,), "patients_open": False}, []),
        (make_submission(), {"follow_merges": True, "patients_open": False}, ["patient"]),
    ],
)
def test_a_merged_patient_is_refused_or_followed(submission, domain, found):
    assert rules(submission, **domain) == found


@pytest.mark.parametrize(("merged", "found"), [(MERGED, []), ({}, ["target.patient"])])
def test_merged_patients_count_as_one(merged, found):
    """What is registered is known by its survivor, the submission names the one who was merged into it."""
    registered = [old_entry(patient=OTHER_PATIENT)]
    replacing = make_submission(relationships=(relate(v.RPLC, OLD),))
    assert rules(replacing, registered, merged=merged, follow_merges=True) == found


# ---- identity ----


def taken(kind: str, **changes: Any) -> RegistryObject:
    """A registered object that has the uniqueId of what is submitted as `kind`."""
    unique_id = {"entry": make_entry(), "set": make_set(), "folder": make_folder()}[kind].unique_id
    return old_entry(**changes).__class__(
        id=OLD,
        slots=make_entry(**changes).slots,
        external_identifiers=make_entry(identifiers={v.DE_UNIQUE_ID: unique_id}).external_identifiers,
    )


def with_folder() -> Submission:
    return make_submission(folders=(make_folder(),))


@pytest.mark.parametrize(
    ("registered", "found"),
    [
        (old_entry(), []),
        (old_set(), []),
        (taken("set"), ["uniqueId.set"]),
        (taken("folder"), ["uniqueId.folder"]),
        (make_set(id=OLD_SET), ["uniqueId.set"]),
        (make_folder(id=OLD_FOLDER), ["uniqueId.folder"]),
        (old_set(identifiers={v.SS_UNIQUE_ID: make_entry().unique_id}), ["uniqueId.entry"]),
        (old_folder().__class__(
            id=OLD_FOLDER,
            external_identifiers=make_folder(identifiers={v.FD_UNIQUE_ID: make_entry().unique_id}).external_identifiers,
        ), ["uniqueId.entry"]),
        # the same document again: both entries are kept
        (taken("entry"), []),
        (taken("entry", slots={"hash": CONTENT_SHA1.upper()}), []),
        (taken("entry", slots={"hash": None, "size": None}), ["uniqueId.onDemand"]),
        (taken("entry", status=v.DEPRECATED), []),
        # other bytes
        (taken("entry", slots={"hash": "0" * 40}), ["hash"]),
        (taken("entry", slots={"size": "1"}), ["size"]),
        (taken("entry", slots={"hash": "0" * 40, "size": "1"}), ["hash", "size"]),
    ],
)  # fmt: skip
def test_unique_ids(registered: RegistryObject, found: list[str]) -> None:
    assert rules(with_folder(), [registered]) == found


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("set", ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY),
        ("folder", ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY),
    ],
)
def test_the_code_of_a_duplicate(rule: str, code: ErrorCode) -> None:
    _, (finding,), _ = planned(with_folder(), [taken(rule)])
    assert finding.code is code


@pytest.mark.parametrize("kind", ["entry", "set", "folder"])
@pytest.mark.parametrize(
    ("identifier", "found"), [(OLD, ["id"]), (OLD.upper().replace("URN:UUID", "urn:uuid"), ["id"]), (UNKNOWN, [])]
)
def test_a_submitted_uuid_is_new(kind: str, identifier: str, found: list[str]) -> None:
    submission = {
        "entry": make_submission(entries=(make_entry(id=identifier),)),
        "set": make_submission(submission_set=make_set(id=identifier)),
        "folder": make_submission(folders=(make_folder(id=identifier),)),
    }[kind]
    assert rules(submission, [old_entry()]) == found


# ---- relationships ----

REPLACING = [v.RPLC, v.XFRM_RPLC]
ADDING = [v.APND, v.XFRM, v.SIGNS]
TO_DOCUMENTS = [*REPLACING, *ADDING]


@pytest.mark.parametrize("association_type", TO_DOCUMENTS)
@pytest.mark.parametrize(
    ("registered", "found"),
    [
        ([old_entry()], []),
        ([], ["target.unknown"]),
        ([old_entry(status=v.DEPRECATED)], ["target.deprecated"]),
        ([old_entry(patient=OTHER_PATIENT)], ["target.patient"]),
        ([old_entry(patient=OTHER_PATIENT, status=v.DEPRECATED)], ["target.deprecated", "target.patient"]),
    ],
)
def test_the_target_of_a_relationship(
    association_type: str, registered: list[RegistryObject], found: list[str]
) -> None:
    assert rules(make_submission(relationships=(relate(association_type),)), registered) == found


@pytest.mark.parametrize("association_type", TO_DOCUMENTS)
@pytest.mark.parametrize("registered", [old_folder(), old_set(), link(OLD_SET, OLD)])
def test_only_a_signature_points_at_something_else_and_only_at_a_set(
    association_type: str, registered: RegistryObject
) -> None:
    submission = make_submission(relationships=(relate(association_type, registered.id),))
    signed = association_type == v.SIGNS and registered.KIND == SubmissionSet.KIND
    assert rules(submission, [registered]) == ([] if signed else ["target.entry"])


@pytest.mark.parametrize(
    ("association_type", "object_type", "found"),
    [
        (v.IS_SNAPSHOT_OF, v.ON_DEMAND_DOCUMENT, []),
        (v.IS_SNAPSHOT_OF, v.STABLE_DOCUMENT, ["target.onDemand"]),
        (v.RPLC, v.STABLE_DOCUMENT, []),
        (v.RPLC, v.ON_DEMAND_DOCUMENT, []),
        (v.XFRM_RPLC, v.ON_DEMAND_DOCUMENT, []),
        (v.APND, v.ON_DEMAND_DOCUMENT, []),
    ],
)
def test_stable_and_on_demand_targets(association_type: str, object_type: str, found: list[str]) -> None:
    submission = make_submission(relationships=(relate(association_type),))
    assert rules(submission, [old_entry(object_type=object_type)]) == found


@pytest.mark.parametrize("association_type", TO_DOCUMENTS)
@pytest.mark.parametrize(
    ("source", "found"), [("Document01", []), (CHILD, ["source.unknown"]), ("SubmissionSet01", ["source.unknown"])]
)
def test_a_relationship_starts_at_an_entry_of_the_message(association_type: str, source: str, found: list[str]) -> None:
    submission = make_submission(relationships=(relate(association_type, source=source),))
    assert rules(submission, [old_entry(), old_entry(CHILD)]) == found


@pytest.mark.parametrize("association_type", ADDING)
def test_entries_of_one_message_may_relate(association_type: str) -> None:
    relationship = relate(association_type, "Document02")
    changes, findings, _ = planned(
        make_submission(entries=(make_entry(1), make_entry(2)), relationships=(relationship,))
    )
    assert findings == ()
    assert changes.deprecated == ()


def test_a_signature_signs_its_own_set() -> None:
    assert rules(make_submission(relationships=(relate(v.SIGNS, "SubmissionSet01"),))) == []


# ---- membership ----


def referring(target: str, **changes: Any) -> Submission:
    """A set that refers to what is registered."""
    return make_submission(relationships=(make_member("SubmissionSet01", target, "Reference", **changes),))


@pytest.mark.parametrize(
    ("target", "registered", "found"),
    [
        (OLD, [old_entry()], []),
        (OLD, [old_entry(patient=OTHER_PATIENT)], []),
        (OLD, [], ["target.unknown"]),
        (OLD_FOLDER, [old_folder()], []),
        (OLD_FOLDER, [], ["target.unknown"]),
    ],
)
def test_a_set_refers_to_what_is_registered(target: str, registered: list[RegistryObject], found: list[str]) -> None:
    assert rules(referring(target), registered) == found


def filing(folder: str = OLD_FOLDER, document: str = "Document01") -> Submission:
    """A document put into a folder, and the set says so."""
    member = make_association(folder, document, id="Filed")
    return make_submission(relationships=(member, make_member("SubmissionSet01", "Filed", None)))


@pytest.mark.parametrize(
    ("submission", "registered", "found"),
    [
        (filing(), [old_folder()], []),
        (filing(), [], ["source.unknown"]),
        (filing(), [old_folder(status=v.DEPRECATED)], ["source.deprecated"]),
        (filing(), [old_folder(patient=OTHER_PATIENT)], ["target.patient"]),
        (filing(document=OLD), [old_folder(), old_entry()], []),
        (filing(document=OLD), [old_folder()], ["target.unknown"]),
        (filing(document=OLD), [old_folder(), old_entry(status=v.DEPRECATED)], ["target.deprecated"]),
        (filing(document=OLD), [old_folder(), old_entry(patient=OTHER_PATIENT)], ["target.patient"]),
        (filing(document=OTHER_FOLDER), [old_folder(), old_folder(OTHER_FOLDER)], ["target.kind"]),
        (filing(document=OLD_SET), [old_folder(), old_set()], ["target.kind"]),
        (filing(folder=OLD_SET), [old_set()], ["source.kind"]),
        (filing(folder=OLD), [old_entry()], ["source.kind"]),
    ],
)
def test_what_goes_into_which_folder(
    submission: Submission, registered: list[RegistryObject], found: list[str]
) -> None:
    assert rules(submission, registered) == found


@pytest.mark.parametrize(
    ("submission", "touched"),
    [
        (make_submission(), ()),
        (filing(), (OLD_FOLDER,)),
        (filing(document=OLD), (OLD_FOLDER,)),
        (referring(OLD_FOLDER), ()),
    ],
)
def test_a_folder_is_touched_when_it_is_filled(submission: Submission, touched: tuple[str, ...]) -> None:
    assert planned(submission, [old_folder(), old_entry()])[0].touched_folders == touched


def test_a_new_folder_is_touched_too() -> None:
    changes, _, final = planned(with_folder())
    assert changes.touched_folders == (final.folders[0].id,)


# ---- consequences of a replacement ----


def replacing(association_type: str = v.RPLC, **changes: Any) -> Submission:
    return make_submission(relationships=(relate(association_type),), **changes)


CHAIN = (old_entry(), old_entry(CHILD), old_entry(GRANDCHILD))


@pytest.mark.parametrize("association_type", REPLACING)
@pytest.mark.parametrize(
    ("registered", "deprecated"),
    [
        ((old_entry(),), (OLD,)),
        ((*CHAIN, link(CHILD, OLD, v.APND)), (OLD, CHILD)),
        ((*CHAIN, link(CHILD, OLD, v.XFRM)), (OLD, CHILD)),
        ((*CHAIN, link(CHILD, OLD, v.APND), link(GRANDCHILD, OLD, v.XFRM)), (OLD, CHILD, GRANDCHILD)),
        ((*CHAIN, link(CHILD, OLD, v.APND), link(GRANDCHILD, CHILD, v.XFRM)), (OLD, CHILD, GRANDCHILD)),
        ((*CHAIN, link(CHILD, OLD, v.APND), link(GRANDCHILD, CHILD, v.XFRM), link(OLD, GRANDCHILD, v.APND)),
         (OLD, CHILD, GRANDCHILD)),
        # these do not hang on the replaced document
        ((*CHAIN, link(CHILD, OLD, v.SIGNS)), (OLD,)),
        ((*CHAIN, link(CHILD, OLD, v.IS_SNAPSHOT_OF)), (OLD,)),
        ((*CHAIN, link(OLD, CHILD, v.APND)), (OLD,)),
        ((*CHAIN, link(CHILD, OLD, v.APND, status=v.DEPRECATED)), (OLD,)),
        ((*CHAIN, link(GRANDCHILD, CHILD, v.APND)), (OLD,)),
        ((old_entry(), old_entry(CHILD, status=v.DEPRECATED), link(CHILD, OLD, v.APND)), (OLD,)),
    ],
)  # fmt: skip
def test_what_a_replacement_deprecates(
    association_type: str, registered: tuple[RegistryObject, ...], deprecated: tuple[str, ...]
) -> None:
    changes, findings, _ = planned(replacing(association_type), registered)
    assert findings == ()
    assert changes.deprecated == deprecated


@pytest.mark.parametrize("association_type", [*ADDING, v.HAS_MEMBER])
def test_nothing_else_deprecates(association_type: str) -> None:
    relationship = relate(association_type)
    if association_type == v.HAS_MEMBER:
        relationship = make_member("SubmissionSet01", OLD, "Reference")
    changes, findings, _ = planned(
        make_submission(relationships=(relationship,)),
        (*CHAIN, link(CHILD, OLD, v.APND), old_folder(), link(OLD_FOLDER, OLD)),
    )
    assert findings == ()
    assert (changes.deprecated, changes.associations, changes.touched_folders) == ((), (), ())


def test_two_replacements_in_one_message() -> None:
    submission = make_submission(
        entries=(make_entry(1), make_entry(2)),
        relationships=(relate(v.RPLC), relate(v.XFRM_RPLC, CHILD, "Document02")),
    )
    changes, findings, _ = planned(submission, (*CHAIN, link(CHILD, OLD, v.APND)))
    assert findings == ()
    assert changes.deprecated == (OLD, CHILD)


@pytest.mark.parametrize("association_type", REPLACING)
def test_a_replacement_joins_the_folders_of_the_replaced(association_type: str) -> None:
    registered = (
        old_entry(),
        old_folder(),
        old_folder(OTHER_FOLDER),
        link(OLD_FOLDER, OLD),
        link(OTHER_FOLDER, OLD),
    )
    changes, findings, final = planned(replacing(association_type), registered)
    assert findings == ()
    entry, submission_set = final.document_entries[0].id, final.submission_sets[0].id
    in_folders = [a for a in changes.associations if a.target == entry]
    in_set = [a for a in changes.associations if a.source == submission_set]
    assert [a.source for a in in_folders] == [OLD_FOLDER, OTHER_FOLDER]
    assert [a.target for a in in_set] == [a.id for a in in_folders]
    assert len(changes.associations) == 4
    assert changes.touched_folders == (OLD_FOLDER, OTHER_FOLDER)


def test_carried_associations_are_whole() -> None:
    changes, _, _ = planned(replacing(), (old_entry(), old_folder(), link(OLD_FOLDER, OLD)))
    for association in changes.associations:
        assert association.id.startswith("urn:uuid:")
        assert (association.lid, association.version, association.status, association.association_type) == (
            association.id,
            "1",
            v.APPROVED,
            v.HAS_MEMBER,
        )
    assert len({association.id for association in changes.associations}) == 2


@pytest.mark.parametrize(
    "registered",
    [
        (old_entry(), old_folder()),
        (old_entry(), old_folder(status=v.DEPRECATED), link(OLD_FOLDER, OLD)),
        (old_entry(), old_folder(), link(OLD_FOLDER, OLD, status=v.DEPRECATED)),
        (old_entry(), old_set(), link(OLD_SET, OLD)),
        (*CHAIN, old_folder(), link(CHILD, OLD, v.APND), link(OLD_FOLDER, CHILD)),
    ],
)
def test_other_folders_stay_as_they_are(registered: tuple[RegistryObject, ...]) -> None:
    changes, findings, _ = planned(replacing(), registered)
    assert findings == ()
    assert (changes.associations, changes.touched_folders) == ((), ())


def test_a_membership_that_the_sender_wrote_is_not_made_again() -> None:
    submission = filing()
    submission = replace(submission, associations=(*submission.associations, relate(v.RPLC)))
    changes, findings, _ = planned(submission, (old_entry(), old_folder(), link(OLD_FOLDER, OLD)))
    assert findings == ()
    assert changes.associations == ()
    assert changes.touched_folders == (OLD_FOLDER,)


@pytest.mark.parametrize(("patient", "found"), [(PATIENT, []), (OTHER_PATIENT, ["target.patient"])])
def test_a_folder_of_another_patient(patient: str, found: list[str]) -> None:
    registered = (old_entry(), old_folder(patient=patient), link(OLD_FOLDER, OLD))
    assert rules(replacing(), registered) == found


# ---- findings ----


def test_nothing_is_planned_of_what_is_refused() -> None:
    changes, findings, _ = planned(replacing(folders=(make_folder(),)), ())
    assert findings
    assert changes == Changes()


def test_everything_wrong_is_told_at_once() -> None:
    submission = make_submission(
        folders=(make_folder(),),
        relationships=(relate(v.RPLC), relate(v.APND, UNKNOWN), make_association(OLD_FOLDER, "Document01")),
    )
    registered = [old_entry(status=v.DEPRECATED), taken("set").__class__(
        id=CHILD, external_identifiers=taken("set").external_identifiers
    )]  # fmt: skip
    assert sorted(rules(submission, registered, patients_open=False)) == [
        "patient",
        "source.unknown",
        "target.deprecated",
        "target.unknown",
        "uniqueId.set",
    ]


def test_findings_speak_of_objects_as_their_sender_called_them() -> None:
    _, findings, _ = planned(replacing(), [old_entry(status=v.DEPRECATED)])
    assert [(f.object_id, f.received) for f in findings] == [(relate(v.RPLC).id, OLD)]
    _, (finding,), _ = planned(make_submission(), [taken("entry", slots={"hash": "0" * 40})])
    assert (finding.object_id, finding.received, finding.expected) == ("Document01", CONTENT_SHA1, "0" * 40)


@pytest.mark.parametrize("kind", [v.APND, v.XFRM, v.SIGNS])
@pytest.mark.parametrize(
    ("target", "registered", "deprecated"),
    [
        (OLD, (old_entry(),), True),
        (CHILD, (old_entry(), old_entry(CHILD), link(CHILD, OLD, v.APND)), True),
        (CHILD, (old_entry(), old_entry(CHILD), link(CHILD, OLD, v.SIGNS)), False),
    ],
)
def test_nothing_new_hangs_on_what_the_same_message_deprecates(
    kind: str, target: str, registered: tuple[RegistryObject, ...], deprecated: bool
) -> None:
    both = (relate(v.RPLC), relate(kind, target, "Document02"))
    submission = make_submission(entries=(make_entry(1), make_entry(2)), relationships=both)
    refused = deprecated and kind != v.SIGNS
    assert rules(submission, registered) == (["target.deprecated"] if refused else [])


# ---- on-demand entries ----


def on_demand(identifier: str | None = None, **slots: str) -> DocumentEntry:
    """An entry without creationTime, hash and size, registered already when it has an id."""
    slots_left = {"creationTime": None, "hash": None, "size": None, **slots}
    entry = make_entry(slots=slots_left, object_type=v.ON_DEMAND_DOCUMENT)
    return replace(entry, id=identifier) if identifier else entry


@pytest.mark.parametrize(
    ("transaction", "sent", "registered", "code"),
    [
        ("ITI-61", on_demand(), on_demand(OLD), None),
        ("ITI-61", on_demand(), make_entry(id=OLD), ErrorCode.REGISTRY_METADATA_ERROR),
        ("ITI-42", make_entry(), on_demand(OLD), ErrorCode.NON_IDENTICAL_HASH),
        ("ITI-41", make_entry(), on_demand(OLD), ErrorCode.NON_IDENTICAL_HASH),
        ("ITI-42", make_entry(), make_entry(id=OLD), None),
    ],
)
def test_stable_and_on_demand_entries_do_not_share_a_unique_id(
    transaction: Transaction, sent: DocumentEntry, registered: DocumentEntry, code: ErrorCode | None
) -> None:
    _, findings, _ = planned(make_submission(entries=(sent,)), [registered], transaction=transaction)
    assert [f.code for f in findings] == ([code] if code else [])


@pytest.mark.parametrize("sent", [make_entry(), on_demand()], ids=["stable", "on-demand"])
@pytest.mark.parametrize("registered", [old_entry(), old_entry(object_type=v.ON_DEMAND_DOCUMENT)])
def test_stable_and_on_demand_entries_replace_each_other(sent: DocumentEntry, registered: DocumentEntry) -> None:
    changes, findings, _ = planned(make_submission(entries=(sent,), relationships=(relate(v.RPLC),)), [registered])
    assert findings == ()
    assert changes.deprecated == (OLD,)


# ---- transformations and membership by reference ----


@pytest.mark.parametrize(("by", "found"), [(v.XFRM, ["target.transformation"]), (v.XFRM_RPLC, []), (v.APND, [])])
def test_a_transformation_is_not_appended(by: str, found: list[str]) -> None:
    registered = [old_entry(), old_entry(CHILD), link(OLD, CHILD, by)]
    assert rules(make_submission(relationships=(relate(v.APND),)), registered) == found


@pytest.mark.parametrize("association_type", [v.RPLC, v.XFRM, v.XFRM_RPLC, v.SIGNS])
def test_a_transformation_may_be_replaced_transformed_and_signed(association_type: str) -> None:
    registered = [old_entry(), old_entry(CHILD), link(OLD, CHILD, v.XFRM)]
    assert rules(make_submission(relationships=(relate(association_type),)), registered) == []


def test_a_set_is_no_member_of_a_set() -> None:
    assert rules(referring(OLD_SET), [old_set()]) == ["target.kind"]


@pytest.mark.parametrize(("patient", "found"), [(PATIENT, []), (OTHER_PATIENT, ["target.patient"])])
def test_a_known_document_joins_a_known_folder_of_the_patient_of_the_set(patient: str, found: list[str]) -> None:
    registered = [old_folder(patient=patient), old_entry(patient=patient)]
    assert rules(filing(document=OLD), registered) == found
