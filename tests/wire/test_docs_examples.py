"""The documented commands and messages, run as they stand against a gateway that wants assertions, as by default."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.documents import CHECKOUT, blocks, prose
from tests.gateways import with_users
from xds_gateway.config.domains import DEMO_REPOSITORY_OID

EXAMPLES = CHECKOUT / "docs" / "examples"
NOTE = (EXAMPLES / "note.txt").read_bytes()
DOCUMENTED = "https://localhost:8443"
SENDERS = ("python", "curl") if shutil.which("curl") else ("python",)


class Place(NamedTuple):
    """A folder that looks like the checkout after `make serve`, and its gateway."""

    folder: Path
    gateway: object

    def run(self, command, **variables):
        """Run a shell line or a program of the documentation; returns what it wrote, and fails when it failed."""
        done = subprocess.run(
            command if isinstance(command, list) else ["bash", "-euo", "pipefail", "-c", self.here(command)],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(CHECKOUT),
                "XDG_STATE_HOME": str(self.folder / "state"),
                "XDS_CLIENT_URL": f"{self.gateway.url}/services",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def here(self, text):
        """Documented text with the address and the programs of this place."""
        program = f"{sys.executable} -m xds_gateway.cli"
        text = text.replace(DOCUMENTED, self.gateway.url)
        programs = {".venv/bin/xds-gateway": program, ".venv/bin/python": sys.executable}
        return re.sub("|".join(map(re.escape, programs)), lambda found: programs[found[0]], text)


def make_place(folder, gateway, pki, *, sender="python"):
    for name in ("var", "bin"):
        (folder / name).mkdir()
    (folder / "docs").symlink_to(CHECKOUT / "docs")
    (folder / "var" / "pki").symlink_to(pki.files.ca.parent)
    (folder / "var" / "data").symlink_to(gateway.data_folder)
    if sender == "python":
        curl = folder / "bin" / "curl"
        curl.write_text(f'#!/bin/sh\nexec {sys.executable} {CHECKOUT}/tests/wire/curl.py "$@"\n')
        curl.chmod(0o755)
    return Place(folder, gateway)


# Raw requests

LINES = blocks(EXAMPLES / "README.md", "sh")
ANSWERS = {
    #                    what the answer of each block holds, in the order of the page
    "submit": (b"ProvideAndRegisterDocumentSet-bResponse", b"ResponseStatusType:Success"),
    "submit another": (b"XDSDuplicateUniqueIdInRegistry", b"Hint: you have registered this set"),
    "submit, new ids": (b"ProvideAndRegisterDocumentSet-bResponse", b"ResponseStatusType:Success"),
    "find": (b"RegistryStoredQueryResponse", b"ResponseStatusType:Success", b"2.25.41000000000001.1"),
    "retrieve": (b"ResponseStatusType:Success", b"\r\n\r\n" + NOTE + b"\r\n--"),
    "retrieve, plain": (b"ResponseStatusType:Success", base64.b64encode(NOTE)),
    "register": (b"RegisterDocumentSet-bResponse", b"ResponseStatusType:Success"),
    "be refused": (b"ResponseStatusType:Failure", b"this looks like a SHA-256", b"ihe.de.languageCode.format"),
    "contracts": (b"<wsdl:definitions", b"DocumentRepository_RetrieveDocumentSet"),
}


@pytest.fixture(scope="module", params=SENDERS)
def answers(request, start_shared, pki, tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("place"), start_shared(**with_users(pki)), pki, sender=request.param)
    return {name: place.run(line) for name, line in zip(ANSWERS, LINES, strict=True)} | {"again": place.run(LINES[0])}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_documented_line_is_answered_as_the_page_says(answers, name):
    assert [expected for expected in ANSWERS[name] if expected not in answers[name]] == []


@pytest.mark.parametrize(
    ("page", "name"), [("docs/examples/README.md", "submit another"), ("docs/errors-and-rules.md", "be refused")]
)
def test_a_refusal_reads_as_the_page_shows_it(answers, page, name):
    shown = [line.strip() for line in prose(CHECKOUT / page).splitlines() if line.startswith("    ")]
    assert len(shown) >= 2
    assert [line for line in shown if line.removesuffix("...").encode() not in answers[name]] == []


def test_a_documented_submission_that_is_sent_again_has_its_first_answer(answers):
    assert b"ResponseStatusType:Success" in answers["again"]


def test_the_refusal_has_the_four_errors_of_the_page(answers):
    assert answers["be refused"].count(b"<rs:RegistryError ") == 4


@pytest.mark.parametrize("expected", [DEMO_REPOSITORY_OID, hashlib.sha1(NOTE).hexdigest(), str(len(NOTE))])
def test_an_entry_tells_repository_hash_and_size(answers, expected):
    assert f"<rim:Value>{expected}</rim:Value>".encode() in answers["find"]


def test_the_line_of_the_readme_is_one_of_these():
    (line,) = [block for block in blocks(CHECKOUT / "README.md", "sh") if "curl" in block]
    assert line == LINES[0]


# SDK and command line


@pytest.fixture
def place(start_gateway, pki, tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return make_place(folder, start_gateway(**with_users(pki)), pki)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("README.md", ["Compte rendu de consultation Approved 228"]),
        ("docs/quickstart.md", [" Approved 228", "['RPLC']", "ihe.de.languageCode.format"]),
    ],
)
def test_the_program_of_a_page_runs_and_runs_again(place, page, expected):
    (program,) = blocks(CHECKOUT / page, "python")
    for _ in range(2):
        lines = place.run([sys.executable, "-c", place.here(program)]).decode().splitlines()
        assert [text for text in expected if not any(text in line for line in lines)] == []
    assert (place.folder / "var" / "copy.txt").read_bytes() == NOTE


def test_the_command_lines_of_the_readme_and_the_quickstart_run(place):
    submit, *_ = blocks(CHECKOUT / "README.md", "sh")
    found = place.run(submit).decode()
    assert "Compte rendu de consultation" in found
    (uuid,) = set(re.findall(r"urn:uuid:[0-9a-f-]{36}", found.partition("created")[2]))
    (get,) = [block for block in blocks(CHECKOUT / "docs" / "quickstart.md", "sh") if "ENTRYUUID" in block]
    place.run(get.replace("ENTRYUUID", uuid))
    assert (place.folder / "var" / "copy.txt").read_bytes() == NOTE


# Call with an assertion

ASSERTION = CHECKOUT / "docs" / "call-with-an-assertion.md"
SIGNED = [
    #   what each block of the page writes, in its order
    ["issuer = ", "audiences = ", "[key]"],
    ["Compte rendu de consultation", "1 document of 4717"],
    ["claire.martin", "only for patient", "4717^^^&2.25.98765432109876543210&ISO"],
    ["ResponseStatusType:Success"],
]


def test_calls_with_an_assertion_do_what_the_page_says(place):
    told = [place.run(block).decode() for block in blocks(ASSERTION, "sh")]
    for written, expected in zip(told, SIGNED, strict=True):
        assert [text for text in expected if text not in written] == []
    (program,) = blocks(ASSERTION, "python")
    assert place.run([sys.executable, "-c", place.here(program)]).decode() == "1 found\n"


def without_assertion(message, file):
    """The documented line that sends a message, with a file as it is in its place."""
    (line,) = [line for line in LINES if f"--into docs/examples/{message} |" in line]
    return "curl" + line.partition("curl")[2].replace("@-", f"@{file}")


def test_a_documented_line_without_its_assertion_is_refused_as_the_page_says(place):
    fault = place.run(without_assertion("iti-18.xml", "docs/examples/iti-18.xml")).decode()
    (code, sentence) = re.search(r"\| `(InvalidSecurity)`, \"([^\"]+)\"", ASSERTION.read_text()).groups()
    assert f":{code}<" in fault
    assert sentence in fault


# Keep a record correct

CORRECT = CHECKOUT / "docs" / "keep-a-record-correct.md"
STEPS = blocks(CORRECT, "sh")


@pytest.fixture(scope="module")
def corrected(start_shared, pki, tmp_path_factory):
    """What each shell block of the page wrote, in its order, on one gateway."""
    place = make_place(tmp_path_factory.mktemp("corrected"), start_shared(**with_users(pki)), pki)
    return [place.run(step).decode() for step in STEPS]


#   the block that has it                   what it writes
CORRECTIONS = [
    ("history 2.25.4713001", ["version 1  Approved"]),
    ("--replaces 2.25.4713001", ["is now Deprecated", "has this addendum"]),
    ("update 2.25.4713002", ["Updated title: version 2 is urn:uuid:"]),
    ("deprecate 2.25.4713003", ["is now Deprecated", "is now Approved"]),
    ("folder new", ["1 document in the folder", "1 folder of"]),
    ("history 2.25.4713002", ["version 2  Approved", "in folder Suivi", "version 1  Deprecated", "has the addendum"]),
    ("remove 2.25.4713001", ["lose 2 relations (RPLC)", "Nothing was removed", "Removed."]),
    ("iti-57.xml", ["RegisterDocumentSet-bResponse", "UpdateDocumentSetResponse"]),
    ("iti-57-status.xml", ["UpdateDocumentSetResponse", "ResponseStatusType:Success"]),
    ("iti-62.xml", ["DeleteDocumentSetResponse", "ResponseStatusType:Success"]),
    ("iti-86.xml", ["RemoveDocumentsResponse", "XDSDocumentUniqueIdError"]),  # it was not submitted here
]


@pytest.mark.parametrize(("block", "expected"), CORRECTIONS, ids=[block for block, _ in CORRECTIONS])
def test_a_correction_does_what_the_page_says(corrected, block, expected):
    (told,) = [told for step, told in zip(STEPS, corrected, strict=True) if block in step]
    assert [text for text in expected if text not in told] == []
    assert told.count("ResponseStatusType:Failure") == ("iti-86" in block)


def test_every_correction_is_tried():
    assert [[block for block, _ in CORRECTIONS if block in step] != [] for step in STEPS].count(False) == 0


def test_documented_bytes_are_removed(place):
    place.run(LINES[0])
    answers = [place.run(STEPS[-1]) for _ in range(2)]
    assert [b"ResponseStatusType:Success" in answer for answer in answers] == [True, False]


def test_the_program_that_corrects_runs(place):
    (program,) = blocks(CORRECT, "python")
    assert place.run([sys.executable, "-c", place.here(program)]).decode().splitlines() == [
        "version 2",
        "XDSMetadataVersionError",
        "['Deprecated', 'Approved'] ['RPLC', 'APND', 'RPLC', 'APND']",
        "1 entry goes, relations lost: ['RPLC', 'RPLC']",
    ]


# Load value sets

VALUE_SETS = blocks(CHECKOUT / "docs" / "load-value-sets.md", "sh")
LOADED = [
    #   what each block of the page writes, in its order
    ["typeCode: 2 codes, 2 added", "Version 1", "assigningAuthority", "Summary of episode note", "retired"],
    ["urn:uuid:", "XDSRepositoryMetadataError", "ihe.valueSet.typeCode", "11488-4"],
    ["typeCode: 2 codes, 1 added, 1 retired", "Version 2"],
    ["11488-4^^2.16.840.1.113883.6.1 (retired)", "1 stored object would be refused today."],
    ["since version 1", "typeCode: no list any more", "Version 3"],
]


@pytest.fixture(scope="module")
def loaded(start_shared, pki, tmp_path_factory):
    """What each shell block of the page wrote, in its order, on one gateway."""
    place = make_place(tmp_path_factory.mktemp("loaded"), start_shared(workers=2, **with_users(pki)), pki)
    return [" ".join(place.run(step).decode().split()) for step in VALUE_SETS]


@pytest.mark.parametrize(("number", "expected"), list(enumerate(LOADED)))
def test_value_sets_are_loaded_as_the_page_says(loaded, number, expected):
    assert len(loaded) == len(LOADED)
    assert [text for text in expected if text not in loaded[number]] == []


# Operations


def test_the_documented_backup_can_be_served(place, start_gateway, pki, tmp_path):
    place.run(LINES[0])
    (backup,) = blocks(CHECKOUT / "docs" / "operations.md", "sh")
    place.run(backup)
    restored = tmp_path / "restored"
    shutil.copytree(place.folder / "var" / "backup", restored)
    (tmp_path / "other").mkdir()
    other = make_place(tmp_path / "other", start_gateway(data_folder=restored, **with_users(pki)), pki)
    assert NOTE in other.run(LINES[4])


# Where we depart from the text: documented messages, changed in one place

SUCCESS, PARTIAL = (f"ResponseStatusType:{word}" for word in ("Success", "PartialSuccess"))
MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIZE = '<rim:Slot name="size">'
ACTION = "<wsa:Action>urn:ihe:iti:2007:RegisterDocumentSet-b</wsa:Action>"
SECURITY = (
    '<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" '
    's:mustUnderstand="1"/>'
)
OWN_XON = "Cabinet Martin^^^^^^^^^2.25.55555555555555555"
PARAMETER = '<rim:Slot name="$Unknown"><rim:ValueList><rim:Value>1</rim:Value></rim:ValueList></rim:Slot>'
OTHER = "<xdsb:RepositoryUniqueId>2.25.1</xdsb:RepositoryUniqueId><xdsb:DocumentUniqueId>1.2</xdsb:DocumentUniqueId>"
DIVERGENCES = [
    # row of the page                        message   from, to                                            answer
    ("sent twice with one value", "iti-42.xml", "<wsa:MessageID>", f"{ACTION}<wsa:MessageID>", SUCCESS),
    ("`mustUnderstand` without", "iti-42.xml", "</s:Header>", '<x mustUnderstand="1"/></s:Header>', "s:MustUnderstand"),
    ("`wsa:To`", "iti-42.xml", "https://localhost:8443/services/registry", "urn:elsewhere", SUCCESS),
    ("`wsa:ReplyTo` absent", "iti-42.xml", "wsa:ReplyTo", "wsa:From", SUCCESS),
    ("OnlyAnonymousAddressSupported", "iti-42.xml", "addressing/anonymous", "addressing/none", "OnlyAnonymousAddress"),
    ("`wsse:Security`", "iti-42.xml", "</s:Header>", f"{SECURITY}</s:Header>", SUCCESS),
    ("DOCTYPE", "iti-42.xml", "<s:Envelope", "<!DOCTYPE a><s:Envelope", "document type declaration"),
    ("our own too", "iti-42.xml", "2.25.77777777777777777", "2.25.301874956204417238860571940135726918043", SUCCESS),
    ("lower-case only", "iti-42.xml", '"Document01"', '"urn:uuid:10B545EA-725C-446D-9B95-8AEB444EDDF3"', "ihe.id.uuid"),
    ("`lid`", "iti-42.xml", 'id="Document01"', 'id="Document01" lid="Document01"', SUCCESS),
    ("`VersionInfo`", "iti-42.xml", 'id="Document01"', 'id="Document01" status="x" home="urn:oid:1.2"', SUCCESS),
    ("such as `HasMember`", "iti-42.xml", MEMBER, "HasMember", SUCCESS),
    ("types of ITI-57", "iti-42.xml", MEMBER, "urn:ihe:iti:2010:AssociationType:SubmitAssociation", "ihe.as.type"),
    ("names of identifiers", "iti-42.xml", '<rim:LocalizedString value="XDSDocumentEntry.patientId"/>', "", SUCCESS),
    ("component 7", "iti-42.xml", OWN_XON, "Moreau^^^^^&amp;1.2.3&amp;ISO^IDNST^^^1", "authorInstitution"),
    ("institutions (XON)", "iti-42.xml", OWN_XON, "Moreau^^^^^&amp;1.2.3&amp;ISO^^^^1", SUCCESS),
    ("patient ids (CX)", "iti-42.xml", "&amp;ISO</rim:Value>", "&amp;ISO^NH</rim:Value>", "sourcePatientId.format"),
    ("extra slots", "iti-42.xml", SIZE, PARAMETER.replace("$Unknown", "urn:x:y") + SIZE, SUCCESS),
    ("others are refused", "iti-42.xml", SIZE, PARAMETER.replace("$Unknown", "xy") + SIZE, "ihe.slot.extra"),
    ("does not have | ignored", "iti-18.xml", "</rim:AdhocQuery>", f"{PARAMETER}</rim:AdhocQuery>", SUCCESS),
    ("strings without quotes", "iti-18.xml", "'", "", SUCCESS),
    ("ITI-18 and ITI-42 always plain", "iti-18.xml", "LeafClass", "ObjectRef", "<rim:ObjectRef "),
    ("| `$MetadataLevel` |", "iti-18.xml", "</rim:AdhocQuery>",
     PARAMETER.replace("$Unknown", "$MetadataLevel") + "</rim:AdhocQuery>", SUCCESS),
    ("1 or 2, anything else is refused", "iti-18.xml", "</rim:AdhocQuery>",
     PARAMETER.replace("$Unknown", "$MetadataLevel").replace(">1<", ">3<") + "</rim:AdhocQuery>", "ihe.query.value"),
    ("PartialSuccess", "iti-43.xml", "<xdsb:DocumentRequest>",
     f"<xdsb:DocumentRequest>{OTHER}</xdsb:DocumentRequest><xdsb:DocumentRequest>", PARTIAL),
    ("as one that does not exist", "iti-43.xml", "2.25.41000000000001.1", "2.25.1.1", "XDSDocumentUniqueIdError"),
    ("`HomeCommunityId`", "iti-43.xml", "<xdsb:DocumentRequest>",
     "<xdsb:DocumentRequest><xdsb:HomeCommunityId>urn:oid:1.2</xdsb:HomeCommunityId>", SUCCESS),
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(start_shared, pki, tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("filled"), start_shared(), pki)
    place.run(LINES[0])
    return place


@pytest.mark.parametrize(
    ("number", "row", "message", "old", "new", "answer"),
    [(number, *row) for number, row in enumerate(DIVERGENCES)],
    ids=[row[0] for row in DIVERGENCES],
)
def test_a_divergence_is_as_the_page_says(filled, number, row, message, old, new, answer):
    assert row in (CHECKOUT / "docs" / "divergences.md").read_text("utf-8")
    text = (EXAMPLES / message).read_text("utf-8")
    assert old in text
    changed = text.replace(old, new).replace("2.25.42000000000001", f"2.25.4200000000{number:04}")
    (filled.folder / "request.xml").write_text(changed, encoding="utf-8")
    assert answer in filled.run(without_assertion(message, "request.xml")).decode()
