"""ITI-64 on the wire: whose the documents are afterwards, what went with them, and what stayed (ITI TF-2 3.64)."""

import io
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from lxml import etree
from rich.console import Console

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_member
from tests.unit.feeds import SENDER_OID
from tests.unit.updates import make_status_update
from xds_gateway import contracts
from xds_gateway.cli.history import history_tree
from xds_gateway.client import Gateway
from xds_gateway.model import vocabulary as v
from xds_gateway.storage.events import parse_event

from .feeds import adt, fed_domain, feed, link_change, sending
from .messages import (
    NAMESPACES,
    Answer,
    Message,
    Provide,
    accepted,
    entry_for,
    entry_uuid,
    find_documents,
    new_patient,
    new_urn,
    provide,
    query,
    replacement,
    retrieve,
    send,
    set_for,
    slot,
)
from .updates import BOTH_STATUSES, associations, filed, folder_of, message, told, update, version_of, versions

LOCAL, OTHER_LOCAL, THIRD_LOCAL = (f"IPP-{number}^^^&1.3.6.1.4.1.21367.13.20.9&ISO" for number in (77, 78, 79))
CONTENT_TYPE = "moved^Moved to another patient^2.25.77"


@pytest.fixture(scope="module")
def fed(start_shared, pki):
    settings = fed_domain(pki)
    settings["domains"][0]["link_change_code"] = CONTENT_TYPE
    return start_shared(workers=2, **settings)


@pytest.fixture
def pair(fed) -> tuple[str, str]:
    """The previous and the new patient."""
    patients = new_patient(), new_patient()
    assert feed(fed, *(adt("A04", patient) for patient in patients)) == ["AA", "AA"]
    return patients


def moved(gateway: RunningGateway, previous: str, new: str, local: str = LOCAL, subsumed: str | None = None) -> None:
    assert feed(gateway, link_change(new, local, previous, subsumed)) == ["AA"]


def submitted(gateway: RunningGateway, patient: str, local: str = LOCAL, content: bytes = b"the letter") -> Provide:
    entry = entry_for(content, patient, slots={"sourcePatientId": local})
    return accepted(gateway, provide(content, patient=patient, entries=(entry,)))


def found(gateway: RunningGateway, patient: str, status: str = v.APPROVED, **parameters: str) -> list[etree._Element]:
    """A patient's entries at level 1; the answer is valid."""
    answer = send(gateway, find_documents(patient, Status=f"('{status}')", **parameters))
    assert answer.status == "Success"
    assert_valid(answer)
    return answer.entries


@cache
def query_schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(contracts.schema_path("query.xsd")))


def assert_valid(answer: Answer) -> None:
    (body,) = answer.all("s:Body/*")
    assert query_schema().validate(body), query_schema().error_log


def unique_id(entry: etree._Element) -> str:
    return identifier(entry, v.DE_UNIQUE_ID)


def identifier(item: etree._Element, scheme: str) -> str:
    found = item.find(f"rim:ExternalIdentifier[@identificationScheme='{scheme}']", NAMESPACES)
    return "" if found is None else found.get("value", "")


def patient_of(item: etree._Element) -> str:
    schemes = (v.DE_PATIENT_ID, v.SS_PATIENT_ID, v.FD_PATIENT_ID)
    return next(found for scheme in schemes if (found := identifier(item, scheme)))


def links(gateway: RunningGateway, *uuids: str) -> set[tuple[str, str, str, str]]:
    """Type, source, target and status of all associations around these."""
    return {
        (
            each.get("associationType").rpartition(":")[2],
            each.get("sourceObject"),
            each.get("targetObject"),
            each.get("status").rpartition(":")[2],
        )
        for each in associations(gateway, *uuids)
    }


def packages(gateway: RunningGateway, name: str, **parameters: str) -> list[etree._Element]:
    named = {f"${name}": value for name, value in parameters.items()}
    answer = send(gateway, query(name, {**named, "$MetadataLevel": "2"}))
    assert answer.status == "Success"
    assert_valid(answer)
    return answer.all(".//rim:RegistryPackage")


def sets_of(gateway: RunningGateway, patient: str) -> list[etree._Element]:
    parameters = {"XDSSubmissionSetPatientId": f"'{patient}'", "XDSSubmissionSetStatus": f"('{v.APPROVED}')"}
    return packages(gateway, "FindSubmissionSets", **parameters)


def folders_of(gateway: RunningGateway, patient: str) -> list[etree._Element]:
    parameters = {"XDSFolderPatientId": f"'{patient}'", "XDSFolderStatus": f"('{v.APPROVED}')"}
    return packages(gateway, "FindFolders", **parameters)


def accepted_submission(gateway: RunningGateway, made: Provide, *more: Any) -> Provide:
    """A submission with further associations."""
    links = (*made.submission.associations, *more)
    return accepted(gateway, replace(made, submission=replace(made.submission, associations=links)))


# --- the three cases


def test_the_documents_of_a_local_identifier_go_to_another_patient(fed, pair):
    previous, new = pair
    made, stays = submitted(fed, previous), submitted(fed, previous, OTHER_LOCAL)
    uuid = entry_uuid(fed, made.unique_ids[0])
    with sending(fed) as sender:
        assert sender.send(link_change(new, LOCAL, previous)) == ["AA"]
        (entry,) = found(fed, new)
        (left,) = found(fed, previous)
    assert (unique_id(entry), unique_id(left)) == (made.unique_ids[0], stays.unique_ids[0])
    assert (told(entry), patient_of(entry)) == ((uuid, "2", "Approved"), new)
    assert slot(entry, "sourcePatientId") == [LOCAL]
    (before,) = found(fed, previous, v.DEPRECATED)
    assert (before.get("id"), told(before), patient_of(before)) == (uuid, (uuid, "1", "Deprecated"), previous)
    assert found(fed, new, v.DEPRECATED) == []
    assert [told(each) for each in versions(fed, made.unique_ids[0], 1)] == [told(entry)]
    assert send(fed, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"the letter"}
    assert submitted(fed, previous).unique_ids  # the previous patient lives on, and so does its local identifier


def test_the_new_version_says_what_the_old_one_said(fed, pair):
    previous, new = pair
    submitted(fed, previous)
    moved(fed, previous, new)
    (after,), (before,) = found(fed, new), found(fed, previous, v.DEPRECATED)
    assert content(after) == content(before)
    ids = [set(each.xpath(".//@id")) for each in (after, before)]
    assert not ids[0] & ids[1]


def content(entry: etree._Element) -> list[str]:
    """All of an entry but ids, version, status and patient."""
    told = []
    for part in entry:
        if part.tag.endswith("VersionInfo") or part.get("identificationScheme") == v.DE_PATIENT_ID:
            continue
        for each in part.iter():
            kept = {
                k: x for k, x in each.attrib.items() if k not in ("id", "classifiedObject", "registryObject", "lid")
            }
            told.append(f"{each.tag} {sorted(kept.items())} {each.text}")
    return told


def test_the_set_of_a_change_holds_what_it_brought(fed, pair):
    previous, new = pair
    made = submitted(fed, previous)
    moved(fed, previous, new)
    (the_set,), (entry,) = sets_of(fed, new), found(fed, new)
    assert (patient_of(the_set), identifier(the_set, v.SS_SOURCE_ID)) == (new, SENDER_OID)
    assert the_set.get("home") is None
    codes = the_set.findall(f"rim:Classification[@classificationScheme='{v.SS_CONTENT_TYPE_CODE}']", NAMESPACES)
    assert [(c.get("nodeRepresentation"), slot(c, "codingScheme")) for c in codes] == [("moved", ["2.25.77"])]
    assert the_set.findall(f"rim:Classification[@classificationScheme='{v.SS_AUTHOR}']", NAMESPACES) == []
    assert len(slot(the_set, "submissionTime")[0]) == 14
    parameters = {"$XDSSubmissionSetEntryUUID": f"'{the_set.get('id')}'"}
    answer = send(fed, query("GetSubmissionSetAndContents", parameters))
    assert_valid(answer)
    (member,) = answer.all(".//rim:Association")
    assert [each.get("id") for each in answer.entries] == [entry.get("id")]
    assert (slot(member, "PreviousVersion"), slot(member, "SubmissionSetStatus")) == (["1"], ["Original"])
    assert made.unique_ids


def test_a_merge_across_patients_takes_both_local_identifiers(fed, pair):
    previous, new = pair
    made = [submitted(fed, previous, local) for local in (LOCAL, OTHER_LOCAL, THIRD_LOCAL)]
    own = submitted(fed, new)
    moved(fed, previous, new, LOCAL, OTHER_LOCAL)
    entries = {unique_id(each): each for each in found(fed, new)}
    assert entries.keys() == {each.unique_ids[0] for each in (*made[:2], own)}
    assert {tuple(slot(each, "sourcePatientId")) for each in entries.values()} == {(LOCAL,)}
    assert told(entries[own.unique_ids[0]])[1] == "1"
    assert [unique_id(each) for each in found(fed, previous)] == list(made[2].unique_ids)


def test_a_local_merge_changes_the_local_identifier_only(fed, pair):
    patient, _ = pair
    made, uuid, folder = filed(fed, patient)
    other = submitted(fed, patient, OTHER_LOCAL)
    accepted_submission(fed, provide(b"x", patient=patient, entries=(entry_for(b"x", patient),)))
    with sending(fed) as sender:
        assert sender.send(link_change(patient, OTHER_LOCAL, patient, LOCAL)) == ["AA"]
    entries = found(fed, patient)
    assert {tuple(slot(each, "sourcePatientId")) for each in entries} == {(OTHER_LOCAL,)}
    assert {told(each)[1] for each in entries if unique_id(each) != other.unique_ids[0]} == {"2"}
    (same,) = folders_of(fed, patient)
    assert (same.get("id"), told(same)) == (folder.id, (folder.id, "1", "Approved"))
    (after,) = [each for each in entries if unique_id(each) == made.unique_ids[0]]
    around = links(fed, folder.id)
    assert ("HasMember", folder.id, after.get("id"), "Approved") in around
    assert ("HasMember", folder.id, uuid, "Approved") in around


# --- what goes with the documents


def test_a_folder_moves_when_all_its_documents_do(fed, pair):
    previous, new = pair
    made, uuid, folder = filed(fed, previous)
    addendum = replacement(uuid, b"more", previous, v.APND)
    into = make_association(folder.id, addendum.entry.id)
    telling = make_member(addendum.submission.submission_sets[0].id, into.id, None)
    accepted_submission(fed, addendum, into, telling)
    (before,) = folders_of(fed, previous)
    moved(fed, previous, new)
    assert folders_of(fed, previous) == []
    (after,) = folders_of(fed, new)
    assert (told(after), patient_of(after)) == ((folder.id, "2", "Approved"), new)
    assert identifier(after, v.FD_UNIQUE_ID) == identifier(before, v.FD_UNIQUE_ID)
    entries = {unique_id(each): each.get("id") for each in found(fed, new)}
    letter, more = entries[made.unique_ids[0]], entries[addendum.unique_ids[0]]
    around = links(fed, after.get("id"), letter, more)
    (the_set,) = [each.get("id") for each in sets_of(fed, new)]
    assert {(a, b, c) for a, b, c, _ in around} == {
        ("HasMember", after.get("id"), letter),
        ("HasMember", after.get("id"), more),
        ("HasMember", the_set, after.get("id")),
        ("HasMember", the_set, letter),
        ("HasMember", the_set, more),
        ("APND", more, letter),
    }
    memberships = [a.get("id") for a in associations(fed, after.get("id")) if a.get("sourceObject") == after.get("id")]
    assert {b for _, b, _, _ in links(fed, *memberships) if b == the_set} == {the_set}
    for level, expected in (("1", {"2"}), ("2", {"1", "2"})):
        parameters = {"$XDSFolderUniqueId": f"'{identifier(after, v.FD_UNIQUE_ID)}'", "$MetadataLevel": level}
        answer = send(fed, query("GetFolderAndContents", parameters, "ObjectRef" if level == "2" else "LeafClass"))
        assert answer.status == "Success"
        if level == "1":
            assert_valid(answer)
            assert {told(each)[1] for each in answer.entries} == expected
        else:
            assert {folder.id, after.get("id"), uuid, letter} <= set(answer.ids)


def test_a_folder_with_documents_of_others_stays_and_the_log_and_the_audit_say_so(fed, pair):
    previous, new = pair
    made, uuid, folder = filed(fed, previous)
    other = entry_for(b"another", previous, slots={"sourcePatientId": OTHER_LOCAL})
    filing = provide(b"another", patient=previous, entries=(other,))
    into = make_association(folder.id, other.id)
    telling = make_member(filing.submission.submission_sets[0].id, into.id, None)
    related = replacement(uuid, b"more", previous, v.APND)
    entry = entry_for(b"more", previous, slots={"sourcePatientId": OTHER_LOCAL})
    related = replace(related, submission=replace(related.submission, document_entries=(entry,)))
    accepted_submission(fed, filing, into, telling)
    accepted(fed, related)
    moved(fed, previous, new)
    assert folders_of(fed, new) == []
    (same,) = folders_of(fed, previous)
    assert told(same) == (folder.id, "1", "Approved")
    (after,) = found(fed, new)
    assert [a for a, *_ in links(fed, after.get("id"))] == ["HasMember"]
    event = last_event(fed)
    assert event.codes == ("feed.link.dropped",)
    assert folder.id in (event.note or "")
    assert len((event.note or "").split()) == 3
    assert folder.id in fed.log_text()
    assert previous.split("^")[0] not in fed.log_text()
    assert made.unique_ids


def test_sets_that_refer_to_a_document_refer_to_its_new_version(fed, pair):
    previous, new = pair
    made = submitted(fed, previous)
    uuid = entry_uuid(fed, made.unique_ids[0])
    set_id = new_urn()
    own = entry_for(b"x", previous, slots={"sourcePatientId": OTHER_LOCAL})
    referring = provide(b"x", patient=previous, submission_set=set_for(previous, id=set_id), entries=(own,))
    accepted_submission(fed, referring, make_member(set_id, uuid, "Reference"))
    moved(fed, previous, new)
    (after,) = found(fed, new)
    around = {(source, target, status) for _, source, target, status in links(fed, set_id) if source == set_id}
    assert {(set_id, uuid, "Deprecated"), (set_id, after.get("id"), "Approved")} <= around
    assert len(around) == 3


def test_what_replaced_a_document_goes_alone(fed, pair):
    previous, new = pair
    made = submitted(fed, previous)
    newer = accepted(fed, replacement(entry_uuid(fed, made.unique_ids[0]), b"newer", previous))
    moved(fed, previous, new)
    (after,) = found(fed, new)
    assert unique_id(after) == newer.unique_ids[0]
    assert {a for a, *_ in links(fed, after.get("id"))} == {"HasMember"}
    assert [told(each)[1] for each in versions(fed, made.unique_ids[0])] == ["1"]
    assert last_event(fed).codes == ()


def test_only_the_latest_version_moves_and_its_number_goes_on(fed, pair):
    previous, new = pair
    made = submitted(fed, previous)
    uuid = entry_uuid(fed, made.unique_ids[0])
    assert send(fed, message(update(previous, version_of(made, uuid)))).status == "Success"
    moved(fed, previous, new)
    entries = [send(fed, find_documents(p, Status=BOTH_STATUSES)).entries for p in pair]
    assert [sorted(told(each)[1:] for each in each_entries) for each_entries in entries] == [
        [("1", "Deprecated"), ("2", "Deprecated")],
        [("3", "Approved")],
    ]
    moved(fed, new, previous)
    (back,) = found(fed, previous)
    assert told(back) == (uuid, "4", "Approved")


def test_a_withdrawn_document_stays(fed, pair):
    previous, new = pair
    made = submitted(fed, previous)
    command = make_status_update(entry_uuid(fed, made.unique_ids[0]))
    assert send(fed, message(update(previous, associations=[command]))).status == "Success"
    moved(fed, previous, new)
    assert (found(fed, new), sets_of(fed, new)) == ([], [])
    assert len(found(fed, previous, v.DEPRECATED)) == 1


# --- senders


def test_the_same_message_again_is_accepted_and_changes_nothing_more(fed, pair):
    previous, new = pair
    submitted(fed, previous)
    first = link_change(new, LOCAL, previous)
    assert feed(fed, first) == ["AA"]
    submitted(fed, previous)
    assert feed(fed, first, first) == ["AA", "AA"]
    assert [len(found(fed, p)) for p in pair] == [1, 1]
    assert feed(fed, link_change(new, LOCAL, previous)) == ["AA"]
    assert [len(found(fed, p)) for p in pair] == [0, 2]


def test_what_comes_after_the_registration_on_one_connection_moves(fed):
    previous, new = new_patient(), new_patient()
    known = adt("A04", previous)
    assert feed(fed, known) == ["AA"]
    submitted(fed, previous)
    assert feed(fed, adt("A04", new), link_change(new, LOCAL, previous), adt("A40", previous, new)) == ["AA"] * 3
    (entry,) = found(fed, previous)
    assert (told(entry)[1], patient_of(entry)) == ("2", previous)


def test_merged_patients_are_one_and_only_their_survivor_is_named(fed, pair):
    previous, new = pair
    merged = new_patient()
    assert feed(fed, adt("A04", merged)) == ["AA"]
    made, _, _ = filed(fed, merged)
    assert feed(fed, adt("A40", previous, merged)) == ["AA"]
    assert feed(fed, link_change(new, LOCAL, merged), link_change(merged, LOCAL, new)) == ["AE", "AE"]
    moved(fed, previous, new)
    (entry,), (folder,) = found(fed, new), folders_of(fed, new)
    assert (unique_id(entry), told(folder)[1]) == (made.unique_ids[0], "2")
    assert found(fed, previous) == []


def test_a_refused_message_changes_nothing(fed, pair):
    previous, new = pair
    submitted(fed, previous)
    bad = [
        link_change(new_patient(), LOCAL, previous),
        link_change(new, LOCAL, previous, sending_application="PIX"),
        link_change(LOCAL, new, previous),
        link_change(new, LOCAL, new),
        link_change(new, LOCAL, previous).replace(b"~IPP", b"!IPP"),
        link_change(new, LOCAL, previous).replace(b"MRG|", b"ZZZ|"),
    ]
    assert feed(fed, *bad) == ["AE"] * len(bad)
    assert [len(found(fed, p)) for p in pair] == [1, 0]
    assert feed(fed, link_change(new, LOCAL, new_patient())) == ["AA"]  # nobody's documents
    assert sets_of(fed, new) == []


def test_an_open_domain_knows_the_new_patient_by_what_it_gets(start_gateway, pki):
    settings = fed_domain(pki)
    source = "2.25.99"
    settings["domains"][0] |= {"patients": "open", "link_change_source": source}
    gateway = start_gateway(workers=1, **settings)
    previous, new = new_patient(), new_patient()
    submitted(gateway, previous)
    assert feed(gateway, link_change(new, LOCAL, previous, sending_application="PIX")) == ["AA"]
    (the_set,) = sets_of(gateway, new)
    assert identifier(the_set, v.SS_SOURCE_ID) == source
    codes = the_set.findall(f"rim:Classification[@classificationScheme='{v.SS_CONTENT_TYPE_CODE}']", NAMESPACES)
    assert [c.get("nodeRepresentation") for c in codes] == ["xad-pid-link-change"]
    assert len(found(gateway, new)) == 1


def test_a_late_retry_of_a_submission_does_not_undo_the_move(fed, pair):
    previous, new = pair
    made, uuid, _ = filed(fed, previous)
    later = provide(b"x", patient=previous, entries=(entry_for(b"x", previous),))
    accepted(fed, later)
    addendum = accepted(fed, replacement(uuid, b"more", previous, v.APND))
    change = message(update(previous, version_of(made, uuid)))
    assert send(fed, change).status == "Success"
    moved(fed, previous, new)
    before = [sorted(map(told, found(fed, p, s))) for p in pair for s in (v.APPROVED, v.DEPRECATED)]
    for again in (later.message(), addendum.message(), change):
        assert send(fed, again).status == "Success"
    assert [sorted(map(told, found(fed, p, s))) for p in pair for s in (v.APPROVED, v.DEPRECATED)] == before


# --- audit


def last_event(gateway: RunningGateway) -> Any:
    with closing(sqlite3.connect(gateway.data_folder / "registry.sqlite3")) as connection:
        (text,) = connection.execute(
            "SELECT event FROM audit_event WHERE event LIKE '%ITI-64%' ORDER BY id DESC LIMIT 1"
        ).fetchone()
    return parse_event(text)


@pytest.mark.parametrize("subsumed", [None, OTHER_LOCAL])
def test_the_audit_tells_all_identifiers_and_what_each_is(fed, pair, subsumed):
    previous, new = pair
    submitted(fed, previous)
    assert feed(fed, link_change(new, LOCAL, previous, subsumed, control_id=f"c{previous[:9]}")) == ["AA"]
    event = last_event(fed)
    between = {"subsumedPatientId": subsumed} if subsumed else {}
    assert dict(zip(event.patient_types, event.patient_ids, strict=True)) == {
        "localPatientId": LOCAL,
        **between,
        "newPatientId": new,
        "previousPatientId": previous,
    }
    (the_set,), (entry,) = sets_of(fed, new), found(fed, new)
    assert event.objects == (the_set.get("id"), entry.get("id"))
    assert (event.transaction, event.action, event.outcome) == ("ITI-64", "U", "success")
    assert (event.message_id, event.sender) == (f"c{previous[:9]}", f"HOSPITAL|{SENDER_OID}")


def test_the_audit_tells_of_a_refusal(fed, pair):
    assert feed(fed, link_change(pair[0], LOCAL, pair[0])) == ["AE"]
    event = last_event(fed)
    assert (event.outcome, event.codes) == ("failure", ("ihe.feed.link.same",))


def test_the_history_of_a_document_says_whose_each_version_is(fed, pair, pki, tmp_path):
    previous, new = pair
    made = submitted(fed, previous)
    moved(fed, previous, new)
    files = pki.files
    endpoints = f"{fed.url}/services/registry", f"{fed.url}/services/repository"
    keys = {"certificate": files.client_certificate, "key": files.client_key, "ca": files.ca}
    with Gateway(*endpoints, **keys, journal=tmp_path / "journal") as sdk:
        told_of = sdk.history(made.unique_ids[0])
    console = Console(file=io.StringIO(), width=200)
    console.print(history_tree(told_of))
    drawn = console.file.getvalue().splitlines()
    assert [line.split("of ")[1] for line in drawn if "version" in line] == [new, previous]
    assert sum("Moved to another patient" in line for line in drawn) == 1


# --- at the same moment


@pytest.mark.parametrize("_", range(3))
def test_a_move_against_changes_of_the_same_document_has_an_order(fed, pair, _):
    """An update, a replacement, a further document: whatever came first, all of it is the new patient's or nothing."""
    previous, new = pair
    made = submitted(fed, previous)
    uuid = entry_uuid(fed, made.unique_ids[0])
    rivals: dict[str, Message] = {
        "update": message(update(previous, version_of(made, uuid))),
        "replacement": replacement(uuid, b"newer", previous).message(),
        "withdrawal": message(update(previous, associations=[make_status_update(uuid)])),
    }
    ready = threading.Barrier(len(rivals) + 1)

    def rival(each: Message) -> Answer:
        ready.wait()
        return send(fed, each)

    def move() -> None:
        with sending(fed) as sender:
            ready.wait()
            assert sender.send(link_change(new, LOCAL, previous)) == ["AA"]

    with ThreadPoolExecutor(len(rivals) + 1) as pool:
        moving = pool.submit(move)
        answers = dict(zip(rivals, pool.map(rival, rivals.values()), strict=True))
        moving.result()
    won = {name for name, answer in answers.items() if answer.status == "Success"}
    assert len(won) <= 1
    mine, theirs = found(fed, previous), found(fed, new)
    assert mine == []
    assert len(theirs) == (0 if won == {"withdrawal"} else 1)
    expected = {frozenset(): "2", frozenset({"update"}): "3", frozenset({"replacement"}): "2"}
    if theirs:
        assert told(theirs[0])[1] == expected[frozenset(won)]
    errors = {name: answer.errors for name, answer in answers.items() if name not in won}
    assert all(errors.values())


def test_no_query_sees_half_of_a_move(fed, pair):
    previous, new = pair
    folder = folder_of(previous)
    contents = [b"document %d" % number for number in range(12)]
    entries = tuple(entry_for(each, previous, n) for n, each in enumerate(contents, 1))
    made = provide(*contents, patient=previous, entries=entries, folders=(folder,))
    filings = [make_association(folder.id, entry.id) for entry in entries]
    set_id = made.submission.submission_sets[0].id
    accepted_submission(fed, made, *filings, *(make_member(set_id, each.id, None) for each in filings))
    done = threading.Event()
    seen: set[tuple[int, int]] = set()

    def look() -> None:
        while not done.is_set():
            after, before = len(found(fed, new)), len(found(fed, previous))
            seen.add((before, after))

    with ThreadPoolExecutor(2) as pool:
        lookers = [pool.submit(look) for _ in range(2)]
        for there, back in [pair, pair[::-1]] * 2:
            moved(fed, there, back)
        done.set()
        for looker in lookers:
            looker.result()
    assert {number for pair_seen in seen for number in pair_seen} <= {0, 12}
    assert len(found(fed, previous)) == 12
