"""A dry run on the wire: judged in full, told what would happen, and nothing is there afterwards (docs/explain.md)."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.unit.builders import make_entry, make_folder, make_member
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.codec.soap import DRY_RUN_HEADER
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.model import vocabulary as v

from .messages import (
    NAMESPACES,
    accepted,
    availability,
    entry_for,
    entry_uuid,
    find_documents,
    multi_patient_query,
    new_oid,
    new_patient,
    new_urn,
    plain,
    provide,
    register,
    registrable,
    remove,
    remove_documents,
    replacement,
    retrieve,
    send,
)
from .test_on_demand import on_demand, register_on_demand
from .test_removal import all_of
from .test_updates import titled, update

DRY = {"DryRun": DRY_RUN_HEADER}
PREFIX = "urn:xds-gateway:2026:"


def planned(answer):
    """What a dry run told, by effect."""
    return {
        item.get("name").removeprefix(PREFIX): [value.text for value in item.iterfind(".//rim:Value", NAMESPACES)]
        for item in answer.all(".//rs:ResponseSlotList/rim:Slot")
    }


def rows(gateway):
    """Every row of the database but those of the audit, which tells of dry runs, and all documents and spool files."""
    with closing(sqlite3.connect(f"file:{gateway.data_folder}/registry.sqlite3?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names = [name for name in names if not name.startswith("audit_")]
        found = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    folders = ("documents", "spool")
    files = {path.name for folder in folders for path in (gateway.data_folder / folder).rglob("*") if path.is_file()}
    return found, files


def audited(gateway):
    """The events of the journal."""
    text = "".join(path.read_text().rstrip("\0") for path in sorted(gateway.data_folder.glob("journal/*.jsonl")))
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


#   transaction and a message that would succeed
GOOD = {
    "ITI-41": lambda: provide(b"never kept").message,
    "ITI-41 inline": lambda: provide(b"never kept").inline,
    "ITI-41 large": lambda: provide(b"x" * 3_000_000).message,
    "ITI-42": lambda: lambda **blocks: register(registrable(), **blocks),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_submission_is_told_and_not_kept(gateway, name):
    message_id = new_urn()
    message = GOOD[name]()(message_id=message_id, **DRY)
    before = rows(gateway)
    answer = send(gateway, message)
    assert (answer.status, answer.errors, answer.relates_to) == ("Success", [], message_id)
    told = planned(answer)
    assert told["dry-run"] == ["nothing was changed"]
    assert sorted(text.split()[1] for text in told["register"]) == ["Association", "DocumentEntry", "SubmissionSet"]
    assert rows(gateway) == before
    (event,) = [event for event in audited(gateway) if event["message_id"] == message_id]
    assert (event["transaction"], event["outcome"], event["note"]) == (name[:6], "success", "dry run")


def test_the_same_message_without_the_header_is_kept(gateway):
    made = provide(b"first dry, then in earnest")
    for blocks in (DRY, DRY, {}):
        answer = send(gateway, made.message(**blocks))
        assert (answer.status, bool(planned(answer))) == ("Success", bool(blocks))
    assert send(gateway, retrieve(*made.unique_ids)).documents == dict(
        zip(made.unique_ids, made.contents.values(), strict=True)
    )


def test_objects_are_told_by_the_ids_of_the_sender(gateway):
    made = provide(b"named")
    told = planned(send(gateway, made.message(**DRY)))
    assert f"{made.entry.id} DocumentEntry {made.unique_ids[0]}, version 1" in told["register"]


def test_a_replacement_is_told_with_its_consequences(gateway):
    patient = new_patient()
    entry = entry_for(b"original", patient)
    folder = make_folder(identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()}, home=None)
    within = make_member(folder.id, entry.id, None)
    owner = make_member("SubmissionSet01", within.id, None)
    made = provide(b"original", patient=patient, entries=(entry,), folders=(folder,), relationships=(within, owner))
    accepted(gateway, made)
    uuid = entry_uuid(gateway, made.unique_ids[0])
    before = rows(gateway)
    told = planned(send(gateway, replacement(uuid, b"new", patient).message(**DRY)))
    assert told["deprecate"] == [f"{uuid} {v.DEPRECATED}"]
    assert len(told["associate"]) == 2
    assert len(told["touch"]) == 1
    assert rows(gateway) == before
    assert availability(gateway, *made.unique_ids) == ["Approved"]


def test_a_refusal_is_the_one_that_the_submission_would_get(gateway):
    wrong = provide(b"wrong", entries=(make_entry(slots={"hash": "a" * 64, "languageCode": "fr_FR"}),))
    message_id = new_urn()
    before = rows(gateway)
    dry, earnest = send(gateway, wrong.message(message_id=message_id, **DRY)), send(gateway, wrong.message())
    assert dry.status == "Failure"
    assert (dry.errors, dry.contexts) == (earnest.errors, earnest.contexts)
    assert planned(dry) == {}
    assert rows(gateway) == before
    (event,) = [event for event in audited(gateway) if event["message_id"] == message_id]
    assert (event["outcome"], event["note"]) == ("failure", "dry run")


def test_documents_are_compared_in_a_dry_run_too(gateway):
    entry = entry_for(b"sent", new_patient(), slots={"size": "5"})
    answer = send(gateway, provide(b"sent", patient=entry_patient(entry), entries=(entry,)).message(**DRY))
    assert answer.errors == ["XDSRepositoryMetadataError"]


def entry_patient(entry):
    """The patient of an entry."""
    return next(i.value for i in entry.external_identifiers if i.scheme == v.DE_PATIENT_ID)


def test_state_counts_in_a_dry_run(gateway):
    patient = new_patient()
    original = accepted(gateway, provide(b"original", patient=patient))
    uuid = entry_uuid(gateway, original.unique_ids[0])
    accepted(gateway, replacement(uuid, b"new", patient))
    late = send(gateway, replacement(uuid, b"late", patient).message(**DRY))
    assert late.errors == ["XDSRegistryDeprecatedDocumentError"]


def dry(message):
    """The same message as a dry run."""
    return message.replaced(b"</s:Header>", DRY_RUN_HEADER.encode() + b"</s:Header>")


def new_version(made, uuid, transaction):
    patient = entry_patient(made.entry)
    version = titled(made, uuid, "Another title")
    return plain(transaction, render_submission(update(patient, version)))


#   transaction         a message about a registered document, its entryUUID                          effects
EVERY = {
    "ITI-18": (lambda gateway, made, uuid: find_documents(entry_patient(made.entry)), None),
    "ITI-41": (
        lambda gateway, made, uuid: replacement(uuid, b"new", entry_patient(made.entry)).message(),
        {"deprecate"},
    ),
    "ITI-42": (lambda gateway, made, uuid: register(registrable()), {"register"}),
    "ITI-43": (lambda gateway, made, uuid: retrieve(*made.unique_ids), None),
    "ITI-51": (
        lambda gateway, made, uuid: multi_patient_query(
            "FindDocumentsForMultiplePatients",
            {"$XDSDocumentEntryPatientId": f"('{entry_patient(made.entry)}')", **APPROVED},
        ),
        None,
    ),
    "ITI-57": (lambda gateway, made, uuid: new_version(made, uuid, "ITI-57"), {"register", "supersede"}),
    "ITI-61": (lambda gateway, made, uuid: register_on_demand(on_demand(entry_patient(made.entry))), {"register"}),
    "ITI-62": (lambda gateway, made, uuid: remove(*all_of(gateway, entry_patient(made.entry))), {"remove"}),
    "ITI-86": (lambda gateway, made, uuid: remove_documents(*made.unique_ids), {"erase"}),
    "ITI-92": (lambda gateway, made, uuid: new_version(made, uuid, "ITI-92"), {"register", "supersede"}),
}
APPROVED = {"$XDSDocumentEntryStatus": f"('{v.APPROVED}')"}


def test_every_transaction_is_tried():
    assert {*EVERY, "ITI-44"} == {row.name for row in TRANSACTIONS}  # ITI-44: test_feeds_v3.py


@pytest.mark.parametrize("name", EVERY)
def test_a_dry_run_of_each_transaction_changes_nothing_and_tells_its_effects(gateway, name):
    build, effects = EVERY[name]
    made = accepted(gateway, provide(b"registered"))
    uuid = entry_uuid(gateway, made.unique_ids[0])
    message = build(gateway, made, uuid)
    before = rows(gateway)
    answer = send(gateway, dry(message))
    assert (answer.status, answer.contexts) == ("Success", [])
    assert rows(gateway) == before
    told = planned(answer)
    assert (effects or set()) <= set(told)
    assert ("dry-run" in told) is (effects is not None)
    assert send(gateway, message).status == "Success"  # it would indeed
    assert (rows(gateway) == before) is (effects is None)


def test_reading_is_answered_as_always(gateway):
    patient = new_patient()
    made = accepted(gateway, provide(b"read me", patient=patient))
    assert len(send(gateway, dry(find_documents(patient))).entries) == 1
    assert send(gateway, retrieve(*made.unique_ids, **DRY)).documents == {made.unique_ids[0]: b"read me"}


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ('<x:DryRun xmlns:x="urn:somebody-else" s:mustUnderstand="true"/>', "MustUnderstand"),
        ('<x:WetRun xmlns:x="urn:xds-gateway:2026" s:mustUnderstand="true"/>', "MustUnderstand"),
        ('<x:DryRun xmlns:x="urn:xds-gateway:2026" s:mustUnderstand="true">false</x:DryRun>', "Sender"),
    ],
)
def test_a_header_that_only_looks_like_it_is_refused(gateway, header, fault):
    made = provide()
    assert send(gateway, made.message(DryRun=header)).fault == fault
    assert send(gateway, find_documents(entry_patient(made.entry))).entries == []


@pytest.mark.parametrize("must_understand", ["", ' s:mustUnderstand="true"'])
def test_a_mount_without_dry_runs_refuses_and_registers_nothing(start_gateway, must_understand):
    gateway = start_gateway(mounts=[{"path": "/services", "dry_run": False}])
    made = provide()
    answer = send(gateway, made.message(DryRun=f'<x:DryRun xmlns:x="urn:xds-gateway:2026"{must_understand}/>'))
    assert answer.fault == "MustUnderstand"
    assert send(gateway, find_documents(entry_patient(made.entry))).entries == []
