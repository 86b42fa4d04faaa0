"""ITI-18 on the wire: the objects that each stored query returns, written by hand (ITI TF-2 3.18.4.1.2.3.7).

What is submitted by ITI-41, in this order; an association is called by its ends, "set>letter":

    set        letter, report, folder with letter
    set2       letter2, which replaces letter; the registry puts it into the folder
    set3       addendum to letter2; report by reference
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from lxml import etree

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_folder, make_member
from xds_gateway.codec.queries import QUERIES
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.metadata import Association

from .messages import (
    NAMESPACES,
    Answer,
    accepted,
    entry_for,
    new_oid,
    new_patient,
    new_urn,
    provide,
    query,
    send,
    set_for,
    slot,
)

E, S, F = "$XDSDocumentEntry", "$XDSSubmissionSet", "$XDSFolder"
APPROVED, BOTH = f"('{v.APPROVED}')", f"('{v.APPROVED}','{v.DEPRECATED}')"
ORDER = "2026001^^^&1.3.6.1.4.1.21367.13.20.8&ISO^urn:ihe:iti:xds:2013:order"
PDF = Code("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", "PDF")
RESTRICTED = Code("R", "2.16.840.1.113883.5.25", "Restricted")
IN_FOLDER = ["folder>letter", "folder>letter2"]


@dataclass(frozen=True, kw_only=True)
class History:
    """What was submitted: entryUUIDs and uniqueIds by name."""

    gateway: RunningGateway
    patient: str
    uuids: Mapping[str, str]
    unique_ids: Mapping[str, str]

    def value(self, text: str) -> str:
        """A parameter: {name} is an entryUUID, <name> a uniqueId, PATIENT the patient."""
        for name, uuid in self.uuids.items():
            text = text.replace(f"{{{name}}}", f"'{uuid}'")
        for name, unique_id in self.unique_ids.items():
            text = text.replace(f"<{name}>", f"'{unique_id}'")
        return text.replace("PATIENT", f"'{self.patient}'")

    def ask(self, name: str, parameters: Mapping[str, str | Sequence[str]], return_type: str = "LeafClass") -> Answer:
        """The answer of a query."""
        slots = {
            key: self.value(text) if isinstance(text, str) else tuple(map(self.value, text))
            for key, text in parameters.items()
        }
        return send(self.gateway, query(name, slots, return_type))

    def names(self, answer: Answer) -> list[str]:
        """The objects of a LeafClass answer by name, sorted; those in the answer name its associations."""
        objects = {item.get("id", ""): item for item in answer.all(".//rim:RegistryObjectList/*")}
        return sorted(self._name(uuid, objects) for uuid in objects)

    def _name(self, uuid: str, objects: Mapping[str, etree._Element]) -> str:
        known = {identifier: name for name, identifier in self.uuids.items()}
        item = objects.get(uuid)
        if uuid in known or item is None or item.get("sourceObject") is None:
            return known.get(uuid, "another object")
        ends = (item.get("sourceObject", ""), item.get("targetObject", ""))
        return ">".join(self._name(end, objects) for end in ends)


@pytest.fixture(scope="module")
def history(gateway: RunningGateway) -> History:
    """The submissions of this module's docstring."""
    patient = new_patient()
    things = ("set", "letter", "report", "folder", "set2", "letter2", "set3", "addendum")
    uuids = {name: new_urn() for name in (*things, "folder>letter", "letter2>letter", "addendum>letter2")}
    unique_ids = {name: new_oid() for name in things}

    def entry(name: str, **changes: Any) -> Any:
        identifiers = {v.DE_UNIQUE_ID: unique_ids[name]}
        return entry_for(name.encode(), patient, id=uuids[name], identifiers=identifiers, **changes)

    def submit(set_name: str, entries: Sequence[Any], *links: Association, **changes: Any) -> None:
        time = changes.pop("time")
        identifiers = {v.SS_UNIQUE_ID: unique_ids[set_name]}
        own_set = set_for(patient, id=uuids[set_name], identifiers=identifiers, slots={"submissionTime": time})
        made = provide(
            *(names[entry.id].encode() for entry in entries),
            patient=patient,
            entries=entries,
            submission_set=own_set,
            **changes,
        )
        associations = (*made.submission.associations, *links)
        accepted(gateway, replace(made, submission=replace(made.submission, associations=associations)))

    def link(name: str, association_type: str) -> Association:
        source, target = name.split(">")
        return make_association(uuids[source], uuids[target], association_type, id=uuids[name])

    names = {identifier: name for name, identifier in uuids.items()}
    folder = make_folder(
        id=uuids["folder"],
        home=None,
        identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: unique_ids["folder"]},
        slots={"lastUpdateTime": None},
    )
    report = {v.DE_FORMAT_CODE: (PDF,), v.DE_CONFIDENTIALITY_CODE: (RESTRICTED,)}
    submit(
        "set",
        (entry("letter"), entry("report", codes=report, slots={"urn:ihe:iti:xds:2013:referenceIdList": ORDER})),
        link("folder>letter", v.HAS_MEMBER),
        make_member(uuids["set"], uuids["folder>letter"], None),
        folders=(folder,),
        time="20260301",
    )
    submit("set2", (entry("letter2"),), link("letter2>letter", v.RPLC), time="20260302")
    referred = make_member(uuids["set3"], uuids["report"], "Reference")
    submit("set3", (entry("addendum"),), link("addendum>letter2", v.APND), referred, time="20260303")
    return History(gateway=gateway, patient=patient, uuids=uuids, unique_ids=unique_ids)


SET = [
    *("set", "letter", "report", "folder"),
    *("set>letter", "set>report", "set>folder", "folder>letter", "set>folder>letter"),
]
OF_SETS = [
    *("set>letter", "set>report", "set>folder", "set>folder>letter"),
    *("set2>letter2", "set2>folder>letter2", "set3>addendum", "set3>report"),
]
ALL_SETS = ["set", "set2", "set3"]
ANNOTATED = ["letter2", "addendum"]  # the reference id of the builders, of the same order number
GET_ALL = {"$patientId": "PATIENT", f"{E}Status": APPROVED, f"{S}Status": APPROVED, f"{F}Status": APPROVED}
OF_PATIENT = {
    "FindSubmissionSets": {f"{S}PatientId": "PATIENT", f"{S}Status": APPROVED},
    "FindFolders": {f"{F}PatientId": "PATIENT", f"{F}Status": APPROVED},
    "FindDocumentsByReferenceId": {f"{E}PatientId": "PATIENT", f"{E}Status": APPROVED},
}


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("FindDocuments", {f"{E}PatientId": "PATIENT", f"{E}Status": APPROVED}, ["report", "letter2", "addendum"]),
        ("FindSubmissionSets", {}, ALL_SETS),
        ("FindSubmissionSets", {f"{S}SourceId": "('1.2.3')"}, []),
        ("FindSubmissionSets", {f"{S}SubmissionTimeFrom": "20260302"}, ["set2", "set3"]),
        ("FindSubmissionSets", {f"{S}SubmissionTimeTo": "'20260302'"}, ["set"]),
        ("FindSubmissionSets", {f"{S}AuthorPerson": "'%Martin%'"}, ALL_SETS),
        ("FindSubmissionSets", {f"{S}AuthorPerson": "'Martin'"}, []),
        ("FindSubmissionSets", {f"{S}ContentType": "('03^^1.2.250.1.213.2.2')"}, ALL_SETS),
        ("FindSubmissionSets", {f"{S}ContentType": "('03^^1.2.3')"}, []),
        ("FindFolders", {}, ["folder"]),
        ("FindFolders", {f"{F}CodeList": "('FOL^^1.3.6.1.4.1.21367.100.1')"}, ["folder"]),
        ("FindFolders", {f"{F}CodeList": "('NONE^^1.3.6.1.4.1.21367.100.1')"}, []),
        ("FindFolders", {f"{F}LastUpdateTimeFrom": "2026"}, ["folder"]),
        ("FindFolders", {f"{F}LastUpdateTimeTo": "2020"}, []),
        ("FindFolders", {f"{F}Status": f"('{v.DEPRECATED}')"}, []),
        (
            "GetAll",
            GET_ALL,
            [
                *(*ALL_SETS, "report", "letter2", "addendum", "folder"),
                *(*OF_SETS, *IN_FOLDER, "letter2>letter", "addendum>letter2"),
            ],
        ),
        (
            "GetAll",
            GET_ALL | {f"{S}Status": f"('{v.DEPRECATED}')", f"{E}FormatCode": f"('{PDF.code}^^{PDF.scheme}')"},
            ["report", "folder", "set>report", "set>folder", "set3>report", *IN_FOLDER],
        ),
        ("GetDocuments", {f"{E}EntryUUID": "({letter},{addendum})"}, ["letter", "addendum"]),
        ("GetFolders", {f"{F}EntryUUID": "({folder})"}, ["folder"]),
        ("GetFolders", {f"{F}UniqueId": "(<folder>)"}, ["folder"]),
        ("GetFolders", {f"{F}UniqueId": "(<letter>)"}, []),
        ("GetAssociations", {"$uuid": "({letter})"}, ["set>letter", "folder>letter", "letter2>letter"]),
        (
            "GetAssociations",
            {"$uuid": ("({letter2})", "({folder})")},
            ["set>folder", *IN_FOLDER, "set2>letter2", "letter2>letter", "addendum>letter2"],
        ),
        (
            "GetDocumentsAndAssociations",
            {f"{E}UniqueId": "(<report>,<addendum>)"},
            ["report", "addendum", "set>report", "set3>report", "set3>addendum", "addendum>letter2"],
        ),
        (
            "GetDocumentsAndAssociations",
            {f"{E}EntryUUID": "({letter})"},
            ["letter", "set>letter", "folder>letter", "letter2>letter"],
        ),
        ("GetSubmissionSets", {"$uuid": "({report})"}, ["set", "set3", "set>report", "set3>report"]),
        (
            "GetSubmissionSets",
            {"$uuid": "({letter2},{folder})"},
            ["set", "set2", "set>folder", "set2>letter2"],
        ),
        ("GetSubmissionSetAndContents", {f"{S}EntryUUID": "{set}"}, SET),
        ("GetSubmissionSetAndContents", {f"{S}UniqueId": "<set>"}, SET),
        ("GetSubmissionSetAndContents", {f"{S}UniqueId": "<set2>"}, ["set2", "letter2", "set2>letter2"]),
        (
            "GetSubmissionSetAndContents",
            {f"{S}UniqueId": "<set3>"},
            ["set3", "addendum", "report", "set3>addendum", "set3>report"],
        ),
        (
            "GetSubmissionSetAndContents",
            {f"{S}EntryUUID": "{set}", f"{E}FormatCode": f"('{PDF.code}^^{PDF.scheme}')"},
            ["set", "report", "folder", "set>report", "set>folder"],
        ),
        (
            "GetSubmissionSetAndContents",
            {f"{S}EntryUUID": "{set}", f"{E}ConfidentialityCode": "('N^^2.16.840.1.113883.5.25')"},
            [name for name in SET if "report" not in name],
        ),
        (
            "GetSubmissionSetAndContents",
            {f"{S}EntryUUID": "{set}", f"{E}Type": f"('{v.ON_DEMAND_DOCUMENT}')"},
            ["set", "folder", "set>folder"],
        ),
        ("GetFolderAndContents", {f"{F}EntryUUID": "{folder}"}, ["folder", "letter", "letter2", *IN_FOLDER]),
        ("GetFolderAndContents", {f"{F}UniqueId": "<folder>"}, ["folder", "letter", "letter2", *IN_FOLDER]),
        (
            "GetFolderAndContents",
            {f"{F}UniqueId": "<folder>", f"{E}FormatCode": f"('{PDF.code}^^{PDF.scheme}')"},
            ["folder"],
        ),
        ("GetFoldersForDocument", {f"{E}EntryUUID": "{letter2}"}, ["folder"]),
        ("GetFoldersForDocument", {f"{E}UniqueId": "<letter>"}, ["folder"]),
        ("GetFoldersForDocument", {f"{E}EntryUUID": "{report}"}, []),
        (
            "GetRelatedDocuments",
            {f"{E}EntryUUID": "{letter2}", "$AssociationTypes": "('RPLC','APND')"},
            ["letter", "letter2", "addendum", "letter2>letter", "addendum>letter2"],
        ),
        ("FindDocumentsByReferenceId", {f"{E}ReferenceIdList": f"('{ORDER}')"}, ["report"]),
        ("FindDocumentsByReferenceId", {f"{E}ReferenceIdList": "('2026001^^^%:order')"}, ["report"]),
        (
            "FindDocumentsByReferenceId",
            {f"{E}ReferenceIdList": ("('2026001^%')", "('nothing')")},
            ["report", *ANNOTATED],
        ),
        ("FindDocumentsByReferenceId", {f"{E}ReferenceIdList": "('2026001')"}, []),
        ("FindDocumentsByReferenceId", {f"{E}ReferenceIdList": "('%:order')", f"{E}AuthorPerson": "('x')"}, []),
    ],
)
def test_what_each_query_returns(
    history: History, name: str, parameters: Mapping[str, Any], expected: Sequence[str]
) -> None:
    asked = OF_PATIENT.get(name, {}) | parameters
    answer = history.ask(name, asked)
    assert (answer.status, answer.contexts) == ("Success", [])
    assert history.names(answer) == sorted(expected)
    references = history.ask(name, asked, "ObjectRef")
    assert references.ids == answer.ids


# --- what is asked wrongly ----------------------------------------------------------------------------------------

WRONG = [
    ("FindSubmissionSets", {f"{S}Status": "('urn:unknown')"}, ["XDSStoredQueryMissingParam"]),
    ("FindSubmissionSets", {f"{S}AuthorPerson": "('a','b')"}, ["XDSStoredQueryParamNumber"]),
    ("FindSubmissionSets", {f"{S}ContentType": "('03')"}, ["XDSRegistryError"]),
    ("FindFolders", {f"{F}Status": "()"}, ["XDSStoredQueryMissingParam"]),
    ("FindFolders", {f"{F}CodeList": "('FOL')"}, ["XDSRegistryError"]),
    ("FindFolders", {f"{F}LastUpdateTimeFrom": "yesterday"}, ["XDSRegistryError"]),
    ("FindDocumentsByReferenceId", {}, ["XDSStoredQueryMissingParam"]),
    ("GetAll", {}, ["XDSStoredQueryMissingParam"] * 4),
    ("GetAll", {key: GET_ALL[key] for key in list(GET_ALL)[:-1]}, ["XDSStoredQueryMissingParam"]),
    ("GetFolders", {}, ["XDSStoredQueryMissingParam"]),
    ("GetFolders", {f"{F}EntryUUID": "({folder})", f"{F}UniqueId": "(<folder>)"}, ["XDSStoredQueryParamNumber"]),
    ("GetAssociations", {}, ["XDSStoredQueryMissingParam"]),
    ("GetDocumentsAndAssociations", {}, ["XDSStoredQueryMissingParam"]),
    ("GetSubmissionSets", {}, ["XDSStoredQueryMissingParam"]),
    ("GetSubmissionSetAndContents", {}, ["XDSStoredQueryMissingParam"]),
    ("GetSubmissionSetAndContents", {f"{S}EntryUUID": "({set},{set2})"}, ["XDSStoredQueryParamNumber"]),
    (
        "GetSubmissionSetAndContents",
        {f"{S}EntryUUID": "{set}", f"{S}UniqueId": "<set>"},
        ["XDSStoredQueryParamNumber"],
    ),
    ("GetFolderAndContents", {f"{F}UniqueId": "(<folder>,<set>)"}, ["XDSStoredQueryParamNumber"]),
    ("GetFolderAndContents", {f"{F}UniqueId": "<folder>", f"{E}FormatCode": "('x')"}, ["XDSRegistryError"]),
    ("GetFoldersForDocument", {f"{E}EntryUUID": "({letter},{report})"}, ["XDSStoredQueryParamNumber"]),
    ("GetFoldersForDocument", {f"{E}EntryUUID": "{letter}", "$MetadataLevel": "3"}, ["XDSRegistryError"]),
]


@pytest.mark.parametrize(("name", "parameters", "codes"), WRONG)
def test_a_query_that_cannot_be_asked_says_why(
    history: History, name: str, parameters: Mapping[str, str], codes: list[str]
) -> None:
    answer = history.ask(name, OF_PATIENT.get(name, {}) | parameters)
    assert (answer.status, answer.errors, answer.ids) == ("Failure", codes, [])
    assert all("clause=" in context for context in answer.contexts)


NOBODY = f"'{new_urn()}'"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("FindSubmissionSets", {f"{S}PatientId": "'nobody^^^&1.2.3&ISO'", f"{S}Status": APPROVED}),
        ("FindFolders", {f"{F}PatientId": "'nobody^^^&1.2.3&ISO'", f"{F}Status": APPROVED}),
        ("GetAll", GET_ALL | {"$patientId": "'nobody^^^&1.2.3&ISO'"}),
        ("GetFolders", {f"{F}EntryUUID": f"({NOBODY})"}),
        ("GetAssociations", {"$uuid": f"({NOBODY})"}),
        ("GetDocumentsAndAssociations", {f"{E}UniqueId": "('1.2.3')"}),
        ("GetSubmissionSets", {"$uuid": f"({NOBODY})"}),
        ("GetSubmissionSetAndContents", {f"{S}EntryUUID": NOBODY}),
        ("GetFolderAndContents", {f"{F}UniqueId": "'1.2.3'"}),
        ("GetFoldersForDocument", {f"{E}EntryUUID": NOBODY}),
    ],
)
def test_what_is_unknown_is_a_success_with_nothing(history: History, name: str, parameters: Mapping[str, str]) -> None:
    answer = history.ask(name, parameters)
    assert (answer.status, answer.contexts, answer.ids) == ("Success", [], [])


# --- answers ------------------------------------------------------------------------------------------------------


def test_sets_and_folders_are_told_apart_by_their_node(history: History) -> None:
    answer = history.ask("GetSubmissionSetAndContents", {f"{S}EntryUUID": "{set}"})
    nodes = {
        item.get("id"): [c.get("classificationNode") for c in item.findall("rim:Classification", NAMESPACES)]
        for item in answer.all(".//rim:RegistryObjectList/rim:RegistryPackage")
    }
    assert v.SUBMISSION_SET_NODE in nodes[history.uuids["set"]]
    assert v.FOLDER_NODE in nodes[history.uuids["folder"]]
    assert len(nodes) == 2


def test_every_object_has_what_the_registry_manages(history: History) -> None:
    answer = history.ask("GetAll", GET_ALL | {f"{E}Status": BOTH})
    objects = answer.all(".//rim:RegistryObjectList/*")
    assert len(objects) == 20
    for item in objects:
        deprecated = item.get("id") == history.uuids["letter"]
        assert item.get("status") == (v.DEPRECATED if deprecated else v.APPROVED)
        assert item.get("lid") == item.get("id")
        assert [e.get("versionName") for e in item.findall("rim:VersionInfo", NAMESPACES)] == ["1"]
    inner = [e.get("id") for tag in ("Classification", "ExternalIdentifier") for e in answer.all(f".//rim:{tag}")]
    assert len({*inner, *answer.ids}) == len(inner) + len(objects)


def test_a_folder_tells_when_it_was_last_changed(gateway: RunningGateway) -> None:
    patient = new_patient()
    folder = make_folder(id=new_urn(), home=None, identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()})
    sent = slot_of(folder)
    accepted(gateway, provide(b"x", patient=patient, folders=(folder,)))
    answer = send(gateway, query("GetFolders", {f"{F}EntryUUID": f"('{folder.id}')"}))
    (item,) = answer.all(".//rim:RegistryObjectList/rim:RegistryPackage")
    (time,) = slot(item, "lastUpdateTime")
    assert len(time) == 14
    assert time != sent


def slot_of(folder: Any) -> str:
    return next(s.values[0] for s in folder.slots if s.name == "lastUpdateTime")


def test_objects_of_two_patients_only_as_references(gateway: RunningGateway) -> None:
    mother = accepted(gateway, provide(b"mother"))
    uuid = mother.submission.submission_sets[0].unique_id
    whole = send(gateway, query("GetSubmissionSetAndContents", {f"{S}UniqueId": f"'{uuid}'"}))
    (entry,) = (item.get("id", "") for item in whole.entries)
    made = provide(b"child")
    referred = make_member(made.submission.submission_sets[0].id, entry, "Reference")
    made = replace(made, submission=replace(made.submission, associations=(*made.submission.associations, referred)))
    accepted(gateway, made)
    asked = {f"{S}UniqueId": f"'{made.submission.submission_sets[0].unique_id}'"}
    assert send(gateway, query("GetSubmissionSetAndContents", asked)).errors == ["XDSResultNotSinglePatient"]
    assert len(send(gateway, query("GetSubmissionSetAndContents", asked, "ObjectRef")).ids) == 5
    both = {"$uuid": f"('{entry}')"}
    assert send(gateway, query("GetSubmissionSets", both)).errors == ["XDSResultNotSinglePatient"]
    assert len(send(gateway, query("GetSubmissionSets", both, "ObjectRef")).ids) == 4
    assert len(send(gateway, query("GetAssociations", both)).ids) == 2


def test_all_objects_count_towards_the_limit(start_gateway: Any) -> None:
    gateway = start_gateway(domains=[{"max_results": 5}])
    patient = new_patient()
    made = accepted(gateway, provide(b"1", b"2", patient=patient))
    asked = {f"{S}UniqueId": f"'{made.submission.submission_sets[0].unique_id}'"}
    everything = {key: text.replace("PATIENT", f"'{patient}'") for key, text in GET_ALL.items()}
    assert len(send(gateway, query("GetSubmissionSetAndContents", asked)).ids) == 5
    assert len(send(gateway, query("GetAll", everything)).ids) == 5
    accepted(gateway, provide(b"3", patient=patient))
    answer = send(gateway, query("GetAll", everything))
    assert (answer.errors, answer.ids) == (["XDSTooManyResults"], [])


def test_every_query_is_asked_here() -> None:
    marks = [mark for mark in test_what_each_query_returns.pytestmark if mark.name == "parametrize"]
    assert {row[0] for row in marks[0].args[1]} == {asked.name for asked in QUERIES.values()}
