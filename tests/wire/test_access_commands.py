"""`xds-gateway consent` and `access explain` beside a gateway that serves: what is decided counts at once."""

import json
import os
import subprocess
import sys

import pytest

from tests.documents import CHECKOUT, blocks
from tests.unit.builders import Code
from xds_gateway.model import vocabulary as v

from .commands import called, keys_of, run
from .feeds import fed_domain
from .messages import accepted, entry_for, find_documents, new_patient, provide, send

PAGE = CHECKOUT / "docs" / "decide-access.md"


@pytest.fixture(scope="module")
def served(start_shared, pki):
    return start_shared(workers=2, **fed_domain(pki))


def command(gateway, *arguments, status=0):
    """What a command says as JSON; on failure its error."""
    done = called(gateway.log.parent, *arguments, "--config", "gateway.toml", "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if status == 0 else json.loads(done.stderr.splitlines()[-1])["error"]


@pytest.fixture(scope="module")
def patient(served):
    """A patient with one document."""
    cx = new_patient()
    command(served, "patients", "add", cx)
    normal = {v.DE_CONFIDENTIALITY_CODE: (Code("N", "2.16.840.1.113883.5.25", "Normal"),)}
    accepted(served, provide(b"the letter", patient=cx, entries=[entry_for(b"the letter", cx, codes=normal)]))
    return cx


def found(gateway, patient):
    return [entry.get("id") for entry in send(gateway, find_documents(patient)).entries]


def test_an_opposition_counts_from_the_next_request_until_it_is_withdrawn(served, patient):
    (uuid,) = found(served, patient)
    opposed = command(served, "consent", "add", "oppose", patient, "everybody", "--break-glass")
    assert (opposed["effect"], opposed["scope"], opposed["break_glass"]) == ("oppose", "all", True)
    assert found(served, patient) == []
    (version,) = command(served, "access", "explain", uuid)["versions"]
    assert (version["permitted"], version["patient_id"]) == (False, patient)
    (row,) = version["rows"]
    assert (row["row"], row["permits"], row["consent"]) == ("node.all", False, opposed["number"])

    permitted = command(served, "consent", "add", "permit", patient, "role:node", "--until", "2999-01-01")
    assert found(served, patient) == [uuid]
    withdrawn = command(served, "consent", "withdraw", str(permitted["number"]))
    assert withdrawn["withdrawn_by"] == withdrawn["by"]
    assert found(served, patient) == []
    command(served, "consent", "withdraw", str(opposed["number"]))
    assert found(served, patient) == [uuid]
    listed = command(served, "consent", "list", patient)["consents"]
    assert [kept["number"] for kept in listed] == [opposed["number"], permitted["number"]]
    assert set(listed[0]) | {"consents"} == keys_of("consent")


@pytest.mark.parametrize(
    ("who", "permitted", "rows"),
    [
        (("--role", "nurse"), True, ["nurse.read"]),
        (("--role", "nurse", "--purpose", "break-glass"), True, ["nurse.read", "nurse.emergency"]),
        (("--role", "pharmacist"), False, []),
        (("--role", "patient"), False, []),
        (("--role", "patient", "--patient", "PATIENT"), True, ["patient.read"]),
        (("--role", "patient", "--patient", "7@1.2.3"), False, []),
        (("--role", "1^^2.3"), False, []),
        (("--action", "update", "--role", "physician", "--organization", "9.9"), False, []),
    ],
)
def test_the_rows_that_decide_are_told(served, patient, who, permitted, rows):
    (uuid,) = found(served, patient)
    who = [patient if each == "PATIENT" else each for each in who]
    told = command(served, "access", "explain", uuid.removeprefix("urn:uuid:"), *who)
    (version,) = told["versions"]
    assert version["permitted"] is permitted
    assert [row["row"] for row in version["rows"] if row["permits"]] == rows
    assert set(told) == keys_of("access")


def test_an_explanation_is_for_people_too(served, patient):
    (uuid,) = found(served, patient)
    told = run(served.log.parent, "access", "explain", uuid, "--role", "pharmacist", "--config", "gateway.toml")
    assert told.returncode == 0
    assert "not permitted" in told.stdout
    assert "pharmacist.read" in told.stdout
    assert "neither classCode nor typeCode" in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "status", "kind", "sentence"),
    [
        (("consent", "add", "forbid", "PATIENT", "everybody"), 2, "usage", "permit or oppose"),
        (("consent", "add", "permit", "PATIENT", "nobody"), 2, "usage", "person:NAME"),
        (("consent", "add", "permit", "PATIENT", "everybody", "--break-glass"), 2, "usage", "Only an opposition"),
        (("consent", "add", "permit", "PATIENT", "everybody", "--until", "2020-01-01"), 2, "usage", "a later end"),
        (("consent", "add", "permit", "PATIENT", "everybody", "--until", "soon"), 2, "usage", "is no time"),
        (("consent", "add", "oppose", "PATIENT", "everybody", "--documents", "R"), 2, "usage", "confidentiality="),
        (("consent", "add", "oppose", "0@1.9", "everybody"), 4, "not_found", "patients add"),
        (("consent", "withdraw", "999"), 4, "not_found", "No consent 999"),
        (("access", "explain", "1.2.3.4"), 4, "not_found", "no document 1.2.3.4"),
        (("access", "explain", "1.2.3.4", "--action", "eat"), 2, "usage", "submit"),
        (("access", "explain", "1.2.3.4", "--role", "wizard"), 2, "usage", "physician"),
        (("access", "explain", "1.2.3.4", "--domain", "other"), 2, "usage", "no domain other"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(served, patient, arguments, status, kind, sentence):
    arguments = [patient if each == "PATIENT" else each for each in arguments]
    error = command(served, *arguments, status=status)
    assert error["kind"] == kind
    assert sentence in error["messages"][0]


def shell(gateway, lines):
    """What lines of the page print, in the folder of a gateway's settings."""
    lines = lines.replace(".venv/bin/xds-gateway", f"{sys.executable} -m xds_gateway.cli")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "XDS_GATEWAY_CONFIG": "gateway.toml"}
    folder = gateway.log.parent
    done = subprocess.run(
        ["bash", "-euc", lines], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_runs_as_it_stands(start_gateway, pki):
    gateway = start_gateway(workers=1)
    cx = new_patient()
    accepted(gateway, provide(b"the letter", patient=cx))
    (uuid,) = found(gateway, cx)
    asked, told = "", []
    for block in blocks(PAGE, "sh"):
        asked += block.replace("DOCUMENT", uuid)
        told.append(shell(gateway, block.replace("DOCUMENT", uuid)))
    assert asked.count("consent add") == 3
    assert "consent 1 is withdrawn" in told[0]
    assert "node.all" in told[1]
    (program,) = blocks(PAGE, "python")
    (gateway.log.parent / "desk.py").write_text(program)
    assert "(4, 'the consent desk', None)]" in shell(gateway, f"{sys.executable} desk.py")
