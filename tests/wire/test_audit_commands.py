"""`xds-gateway audit` beside a gateway that serves: what was done a moment ago is told, and nothing else."""

import contextlib
import io
import json
import sqlite3
import time
from contextlib import closing

import pytest
from lxml import etree

from xds_gateway.cli import program
from xds_gateway.codec.atna import parse_audit_message

from .commands import keys_of
from .feeds import adt, fed_domain, feed
from .messages import accepted, find_documents, new_patient, provide, retrieve, send


@pytest.fixture(scope="module")
def served(start_shared, pki):
    return start_shared(workers=2, **fed_domain(pki), audit={"anchor_seconds": 0.5, "anchor_key": pki.files.audit_key})


def audit(gateway, *arguments, status=0):
    """What a command says as JSON; on failure its error."""
    ended, out, err = run_here(gateway, *arguments, "--json")
    assert ended == status, err + out
    return json.loads(out or err.splitlines()[-1])


def text(gateway, *arguments):
    status, out, err = run_here(gateway, *arguments)
    assert status == 0, err
    return out


def run_here(gateway, *arguments):
    """A command in this process, which is quicker: its status and what it says."""
    out, err = io.StringIO(), io.StringIO()
    folder = gateway.log.parent
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = program.run(["audit", *arguments, "--config", "gateway.toml"])
    return status, out.getvalue(), err.getvalue()


def known_patient(gateway):
    patient = new_patient()
    assert feed(gateway, adt("A04", patient)) == ["AA"]
    return patient


def looks(gateway, patient, *arguments):
    told = audit(gateway, "who-looked", "--patient", patient, *arguments)
    return told["patients"], [look for look in told["looks"] if look["what"] != "looked at this audit"]


def test_a_patient_is_told_who_looked(served):
    patient, other = known_patient(served), known_patient(served)
    made = accepted(served, provide(b"the letter", patient=patient))
    accepted(served, provide(b"of another", patient=other))
    send(served, find_documents(patient))
    send(served, retrieve(*made.unique_ids))
    assert send(served, retrieve("1.2.3.4.5")).errors == ["XDSDocumentUniqueIdError"]
    unknown = new_patient()
    assert send(served, provide(b"refused", patient=unknown).message()).errors == ["XDSUnknownPatientId"]
    patients, told = looks(served, patient)
    assert patients == [patient]
    by_what = {look["what"]: look for look in told}
    assert len(told) == 4
    assert sorted(by_what) == ["added", "read", "searched", "told of the identity"]
    assert {look["outcome"] for look in told} == {"granted"}
    assert by_what["searched"]["query"] == "FindDocuments"
    assert by_what["read"]["objects"] == list(made.unique_ids)
    assert by_what["read"]["titles"] == {made.unique_ids[0]: "Lettre de sortie"}
    assert all("Practice software" in by_what[what]["node"] for what in ("added", "read", "searched"))
    _, refused = looks(served, unknown)
    assert [(look["what"], look["outcome"], look["reasons"]) for look in refused] == [
        ("added", "refused", ["XDSUnknownPatientId"])
    ]


def test_a_merged_patient_is_told_under_all_identifiers(served):
    old, new = known_patient(served), known_patient(served)
    accepted(served, provide(b"the letter", patient=old))
    assert feed(served, adt("A40", new, old)) == ["AA"]
    send(served, find_documents(new))
    for asked in (old, new):
        patients, told = looks(served, asked)
        assert sorted(patients) == sorted((old, new))
        assert [look["what"] for look in told].count("searched") == 1
        assert [look["what"] for look in told].count("added") == 1


def test_whoever_reads_the_audit_is_in_it(served):
    patient = known_patient(served)
    assert "told of the identity" in text(served, "who-looked", "--patient", patient)
    told = audit(served, "who-looked", "--patient", patient)["looks"]
    assert [look["what"] for look in told].count("looked at this audit") >= 1


def test_events_are_listed_by_what_is_asked(served):
    patient = known_patient(served)
    accepted(served, provide(b"x", patient=patient))
    send(served, find_documents(patient))
    events = audit(served, "list", "--patient", patient)["events"]
    assert sorted(event["transaction"] for event in events) == ["ITI-18", "ITI-41", "ITI-8", "audit"]
    assert (
        audit(served, "list", "--patient", patient, "-t", "iti-18")["events"][0]["query"]["return_type"] == "LeafClass"
    )
    assert audit(served, "list", "--limit", "1", "--user", "practice")["events"][0]["node"].startswith("CN=Practice")
    assert audit(served, "list", "--until", "2001")["events"] == []


def test_an_export_is_one_event_a_line(served):
    patient = known_patient(served)
    accepted(served, provide(b"x", patient=patient))
    options = ("--patient", patient, "-t", "ITI-41")
    (line,) = text(served, "export", *options).splitlines()
    assert json.loads(line)["patient_ids"] == [patient]
    (line,) = text(served, "export", "--format", "fhir", *options).splitlines()
    assert json.loads(line)["resourceType"] == "AuditEvent"
    (line,) = text(served, "export", "--format", "dicom", *options).splitlines()
    assert parse_audit_message(line.encode()).objects[0].id == patient
    assert etree.fromstring(line.encode()).tag == "AuditMessage"


def test_the_chain_of_a_gateway_that_serves_verifies_until_somebody_changes_it(served):
    accepted(served, provide(b"x", patient=known_patient(served)))
    until = time.monotonic() + 20
    while (told := audit(served, "verify"))["anchored"] < told["events"] - 20 or not told["anchors"]:
        assert time.monotonic() < until
    assert (told["problems"], told["signed"]) == ([], True)
    with closing(sqlite3.connect(served.data_folder / "registry.sqlite3")) as database, database:
        (before,) = database.execute("SELECT event FROM audit_event WHERE id = 1").fetchone()
        database.execute("UPDATE audit_event SET event = replace(event, 'success', 'failure') WHERE id = 1")
    try:
        assert "audit_event row 1" in [found["place"] for found in audit(served, "verify", status=1)["problems"]]
    finally:
        with closing(sqlite3.connect(served.data_folder / "registry.sqlite3")) as database, database:
            database.execute("UPDATE audit_event SET event = ? WHERE id = 1", (before,))
    assert audit(served, "verify")["problems"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("who-looked", "--patient", "42"), "is no patient"),
        (("list", "--since", "yesterday"), "is no time"),
        (("list", "--outcome", "maybe"), "write success, partial or failure"),
    ],
)
def test_a_mistake_is_one_sentence(served, arguments, sentence):
    assert sentence in audit(served, *arguments, status=2)["error"]["messages"][0]


def test_the_keys_of_the_answers_are_documented(served):
    told = set(audit(served, "verify")) | set(audit(served, "list")) | set(audit(served, "outbox"))
    told |= set(audit(served, "who-looked", "--patient", new_patient()))
    assert told == keys_of("audit")


def test_start_and_stop_of_the_gateway_are_events(start_gateway):
    gateway = start_gateway()
    gateway.stop()
    events = audit(gateway, "list")["events"]
    assert [event["transaction"] for event in events][:2] == ["application-start", "application-stop"]
    assert audit(gateway, "verify")["problems"] == []
