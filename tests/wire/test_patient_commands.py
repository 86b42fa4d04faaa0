"""`xds-gateway patients` beside a gateway that serves: what an administrator does is seen by the next request."""

import json
import sqlite3
from contextlib import closing

import pytest

from .commands import called, keys_of, run
from .feeds import adt, fed_domain, feed
from .messages import accepted, find_documents, new_patient, provide, send


@pytest.fixture(scope="module")
def fed(start_shared, pki):
    return start_shared(workers=2, **fed_domain(pki))


def patients(gateway, *arguments, status=0):
    """What a command says as JSON; on failure its error."""
    done = called(gateway.log.parent, "patients", *arguments, "--config", "gateway.toml", "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if status == 0 else json.loads(done.stderr.splitlines()[-1])["error"]


def found(gateway, patient):
    return len(send(gateway, find_documents(patient)).entries)


def test_a_patient_is_added_merged_shown_and_separated_again(fed):
    old, new = new_patient(), new_patient()
    assert send(fed, provide(b"too early", patient=old).message()).errors == ["XDSUnknownPatientId"]
    for patient in (old, new):
        assert patients(fed, "add", patient) == {"patient_id": patient, "survivor": patient}
    accepted(fed, provide(b"the letter", patient=old))
    assert patients(fed, "merge", old, new) == {"patient_id": old, "survivor": new}
    assert (found(fed, old), found(fed, new)) == (0, 1)
    shown = patients(fed, "show", old)
    assert (shown["survivor"], [m["surviving"] for m in shown["merges"]]) == (new, [new])
    assert patients(fed, "unmerge", old) == {"patient_id": old, "survivor": old}
    assert (found(fed, old), found(fed, new)) == (1, 0)
    (merge,) = patients(fed, "show", new)["merges"]
    assert merge["undone_by"] == merge["by"]
    assert set(shown) | set(patients(fed, "list")) == keys_of("patients")


def test_a_merge_of_the_feed_is_undone_for_good(fed):
    """The same A40 sent again was accepted already, and has no effect."""
    old, new = new_patient(), new_patient()
    merge = adt("A40", new, old)
    assert feed(fed, adt("A04", old), adt("A04", new), merge) == ["AA", "AA", "AA"]
    patients(fed, "unmerge", old)
    assert feed(fed, merge) == ["AA"]
    assert patients(fed, "show", old)["survivor"] == old
    assert feed(fed, adt("A40", new, old)) == ["AA"]
    assert patients(fed, "show", old)["survivor"] == new


@pytest.mark.parametrize(
    ("arguments", "status", "kind", "sentence"),
    [
        (("show", "nobody@1.2.3"), 4, "not_found", "not known"),
        (("unmerge", "nobody@1.2.3"), 4, "not_found", "not known"),
        (("merge", "OLD", "OLD"), 1, "refused", "are the same"),
        (("merge", "OLD", "nobody@1.2.3"), 1, "refused", "not known"),
        (("unmerge", "OLD"), 1, "refused", "was not merged"),
        (("add", "42@1.2.3"), 1, "refused", "Send an identifier of"),
        (("add", "42"), 2, "usage", "is no patient"),
        (("list", "--domain", "elsewhere"), 2, "usage", "There is no domain elsewhere"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(fed, arguments, status, kind, sentence):
    old = new_patient()
    patients(fed, "add", old)
    error = patients(fed, *(old if each == "OLD" else each for each in arguments), status=status)
    assert error["kind"] == kind
    assert sentence in error["messages"][0]
    assert patients(fed, "show", old)["merges"] == []


def test_patients_are_listed_in_pages_and_as_a_table(fed):
    for _ in range(3):
        patients(fed, "add", new_patient())
    first = patients(fed, "list", "--limit", "2")
    assert (len(first["patients"]), first["more"]) == (2, True)
    rest = patients(fed, "list", "--after", first["patients"][1]["patient_id"])
    listed = [each["patient_id"] for each in (*first["patients"], *rest["patients"])]
    assert listed == sorted(set(listed))
    table = run(fed.log.parent, "patients", "list", "--config", "gateway.toml").stdout
    assert all(patient.split("^")[0] in table for patient in listed)


def test_every_act_is_audited(fed):
    old, new = new_patient(), new_patient()
    for arguments in (("add", old), ("add", new), ("merge", old, new), ("unmerge", old)):
        patients(fed, *arguments)
    with closing(sqlite3.connect(fed.data_folder / "registry.sqlite3")) as connection, connection:
        events = [json.loads(text) for (text,) in connection.execute("SELECT event FROM audit_event ORDER BY id")]
    connection.close()
    told = [(e["action"], e["patient_ids"]) for e in events if e["transaction"] == "administration"][-6:]
    assert told == [("C", [old]), ("C", [new]), ("D", [old]), ("U", [new]), ("C", [old]), ("U", [new])]
