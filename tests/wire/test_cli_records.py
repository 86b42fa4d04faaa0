"""The commands that ask everything and keep records correct, as people and programs call them."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

import pytest

from xds_gateway.client.queries import QUERIES_BY_NAME
from xds_gateway.client.samples import make_sample, write_samples

from ..gateways import ROOT, TestPki
from .commands import PROGRAM, Served, environment, served_gateway

NUMBERS = count(1)
CODE = "71388002^Procedure^2.16.840.1.113883.6.96"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Iterator[Served]:
    """One gateway for all tests of this module."""
    with served_gateway(tmp_path_factory.mktemp("records"), pki) as gateway:
        yield gateway


@pytest.fixture
def patient() -> str:
    return f"{next(NUMBERS)}@1.2.3.77"


def submit(served: Served, patient: str, *options: str, seed: int | None = None) -> str:
    """A new document; its entryUUID."""
    number = seed or next(NUMBERS) + 500
    folder = served.folder / str(number)
    folder.mkdir(exist_ok=True)
    (document,) = write_samples(folder, [make_sample(seed=number)])
    sent = served.answer("submit", str(document.content), "--patient", patient, *options)
    uuid: str = sent["documents"][0]["entry_uuid"]
    return uuid


def statuses(served: Served, patient: str) -> dict[str, str]:
    found = served.answer("find", "--patient", patient, "--status", "all")["documents"]
    return {document["entry_uuid"]: document["status"] for document in found}


# --- query --------------------------------------------------------------------------------------------------------


def test_all_queries_are_listed(served: Served) -> None:
    listed = served.answer("query")["queries"]
    assert [each["name"] for each in listed] == list(QUERIES_BY_NAME)
    assert {each["transaction"] for each in listed} == {"ITI-18", "ITI-51"}
    _, told, _ = served.call("query")
    assert all(name in told for name in QUERIES_BY_NAME)


@pytest.mark.parametrize("name", QUERIES_BY_NAME)
def test_a_query_without_parameters_tells_them(served: Served, name: str) -> None:
    (described,) = served.answer("query", name)["queries"]
    table = QUERIES_BY_NAME[name].table
    assert [each["name"] for each in described["parameters"]] == [each.name for each in table.parameters]
    _, told, _ = served.call("query", name.lower())
    assert all(each.name.removeprefix("$").removeprefix("XDS") in told for each in table.parameters)


def test_a_query_finds_every_kind_of_object(served: Served, patient: str) -> None:
    uuid = submit(served, patient)
    folder = served.answer("folder", "new", "Diabetes", uuid, "--patient", patient, "--code", CODE)["folders"][0]
    everything = ("-p", f"patientId={patient}", *(
        word for kind in ("DocumentEntry", "SubmissionSet", "Folder") for word in ("-p", f"{kind}Status=Approved")
    ))  # fmt: skip
    found = served.answer("query", "GetAll", *everything)
    assert [each["entry_uuid"] for each in found["documents"]] == [uuid]
    assert [each["entry_uuid"] for each in found["folders"]] == [folder["entry_uuid"]]
    assert len(found["submission_sets"]) == 2
    assert {each["type"] for each in found["associations"]} == {"HasMember"}
    _, told, _ = served.call("query", "GetAll", *everything)
    assert told.splitlines()[-1] == "1 document, 2 submission sets, 1 folder, 4 associations"
    references = served.answer("query", "GetAll", *everything, "--object-refs")
    assert len(references["references"]) == 8
    assert references["documents"] == []


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("-p", "Status=Approved,Deprecated"), 2),
        (("-p", "Status=Deprecated"), 1),
        (("-p", "Status=Approved", "-p", "Status=Deprecated"), 2),
        (("-p", "Status=('Approved','Deprecated')", "-p", "CreationTimeTo=1900-01-01"), 0),
    ],
)
def test_values_of_one_parameter_are_alternatives(
    served: Served, patient: str, options: tuple[str, ...], number: int
) -> None:
    old = submit(served, patient)
    submit(served, patient, "--replaces", old)
    found = served.answer("query", "FindDocuments", "-p", f"PatientId={patient}", *options)
    assert len(found["documents"]) == number


def test_nothing_is_an_answer(served: Served) -> None:
    status, told, _ = served.call("query", "GetDocuments", "-p", "UniqueId=1.2.3.4.5.6")
    assert (status, told) == (0, "Nothing\n")


# --- the life of a document ---------------------------------------------------------------------------------------


def test_a_document_lives(served: Served, patient: str) -> None:
    first = submit(served, patient)
    addendum = submit(served, patient, "--appends", first)
    second = submit(served, patient, "--replaces", first)
    changed = served.answer("update", second, "--title", "Corrigé", "--clear", "comments", "--set-comments", "error")
    assert (changed["version"], changed["changed"]) == ("2", ["title", "comments"])
    folder = served.answer("folder", "new", "Diabetes", "--patient", patient, "--code", CODE)["folders"][0][
        "entry_uuid"
    ]
    added = served.answer("folder", "add", folder, second)
    assert [each["entry_uuid"] for each in added["documents"]] == [changed["entry_uuid"]]

    told = served.answer("history", first.removeprefix("urn:uuid:"))
    assert {each["type"] for each in told["relations"]} == {"APND", "RPLC"}
    assert {each["entry_uuid"] for each in told["documents"]} >= {addendum, changed["entry_uuid"]}
    status, drawn, _ = served.call("history", second, COLUMNS="80")
    assert status == 0
    lines = [line.strip("│├└─ \n") for line in drawn.splitlines()]
    order = [next(n for n, line in enumerate(lines) if line.startswith(each)) for each in (
        "Corrigé", "version 2  Approved", "in folder Diabetes", "version 1  Deprecated", "replaces", "has the addendum"
    )]  # fmt: skip
    assert order == sorted(order)
    assert max(map(len, drawn.splitlines())) <= 80

    out = served.answer("folder", "remove", folder, second)
    assert out["documents"] == []
    assert served.answer("deprecate", second)["status"] == "Deprecated"
    assert statuses(served, patient)[changed["entry_uuid"]] == "Deprecated"
    assert served.answer("deprecate", second, "--undo")["entry_uuid"] == changed["entry_uuid"]
    assert statuses(served, patient)[changed["entry_uuid"]] == "Approved"

    (uid,) = {each["unique_id"] for each in told["versions"]}
    plan = served.answer("remove", uid, "--dry-run")
    assert (plan["removed"], len(plan["documents"]), len(plan["contents"])) == (False, 1, 1)
    assert first in statuses(served, patient)
    assert served.answer("remove", uid, "--yes")["removed"]
    assert first not in statuses(served, patient)
    assert served.call("history", first)[0] == 4
    assert served.call("get", first)[0] == 4


def test_folders_are_listed_and_shown(served: Served, patient: str) -> None:
    assert served.answer("folder", "list", "--patient", patient)["folders"] == []
    made = served.answer("folder", "new", "Asthma", "--patient", patient, "--code", CODE, "--comments", "since 2020")
    (folder,) = made["folders"]
    assert (folder["title"], folder["comments"]) == ("Asthma", "since 2020")
    submit(served, patient, "--folder", folder["unique_id"])
    shown = served.answer("folder", "show", folder["unique_id"])
    assert (len(shown["documents"]), shown["submission_set_uuid"]) == (1, None)
    renamed = served.answer("update", folder["entry_uuid"], "--title", "Asthma bronchiale")
    _, told, _ = served.call("folder", "show", folder["entry_uuid"])
    assert renamed["entry_uuid"] in told
    assert told.splitlines()[-1] == "1 document in the folder"
    _, told, _ = served.call("folder", "list", "--patient", patient)
    assert "Asthma bronchiale" in told
    assert "1 folder of" in told


def test_bytes_alone_can_be_removed(served: Served, patient: str) -> None:
    uuid = submit(served, patient)
    served.answer("remove", uuid, "--yes", "--keep-contents")
    _, _, err = served.call("remove", "--content", "1.2.3^4.5.6", "--yes", "--json")
    assert [error["code"] for error in json.loads(err)["error"]["errors"]] == ["XDSUnknownRepositoryId"]


def test_bytes_of_another_repository_are_left_to_it(served: Served) -> None:
    """The entry of docs/examples/iti-42.xml lies in a repository that is not this one."""
    variables = served.variables
    command = [sys.executable, str(ROOT / "tests" / "wire" / "curl.py")]
    for option, name in (("--cacert", "CA"), ("--cert", "CERT"), ("--key", "KEY")):
        command += [option, variables[f"XDS_CLIENT_{name}"]]
    command += ["-H", "Content-Type: application/soap+xml; charset=UTF-8", "--data-binary"]
    signed = ("--into", str(ROOT / "docs" / "examples" / "iti-42.xml"), "--output", "iti-42.xml")
    assert served.call("assertion", "new", *signed)[0] == 0
    message = f"@{served.folder / 'iti-42.xml'}"
    subprocess.run([*command, message, f"{variables['XDS_CLIENT_URL']}/registry"], check=True, capture_output=True)
    status, _, err = served.call("remove", "2.25.42000000000001.1", "--yes")
    assert (status, "XDSUnknownRepositoryId" in err) == (1, True)
    assert "--content '2.25.77777777777777777^2.25.42000000000001.1'" in err
    assert served.call("history", "2.25.42000000000001.1")[0] == 4


def test_kept_bytes_go_later(served: Served, patient: str) -> None:
    uuid = submit(served, patient)
    (kept,) = served.answer("remove", uuid, "--yes", "--keep-contents")["kept"]
    place = f"{kept['repository_unique_id']}^{kept['unique_id']}"
    assert served.answer("remove", "--content", place, "--yes")["contents"] == [kept]
    assert served.call("remove", "--content", place, "--yes")[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "1.2.3.4.5"),
        ("update", "1.2.3.4.5", "--title", "x"),
        ("deprecate", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("folder", "show", "1.2.3.4.5"),
        ("folder", "add", "1.2.3.4.5", "1.2.3"),
        ("remove", "1.2.3.4.5", "--yes"),
        ("submit", "note.txt", "--patient", "1@1.2.3", "--replaces", "1.2.3.4.5"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_is_not_there_has_status_4(served: Served, arguments: tuple[str, ...]) -> None:
    (document,) = write_samples(served.folder, [make_sample(seed=400)])
    named = tuple(str(document.content) if word == "note.txt" else word for word in arguments)
    status, out, err = served.call(*named)
    assert (status, out) == (4, "")
    assert err.startswith("error: There is no")


@pytest.mark.parametrize(
    ("options", "word"), [(("--unknown", "x"), "No such option"), (("--clear", "unique_id"), "unique_id")]
)
def test_an_update_that_cannot_be_is_told(served: Served, patient: str, options: tuple[str, ...], word: str) -> None:
    status, _, err = served.call("update", submit(served, patient), *options)
    assert (status, word in err, "Traceback" in err) == (2, True, False)


def test_a_refused_update_is_explained(served: Served, patient: str) -> None:
    uuid = submit(served, patient)
    status, _, err = served.call("update", uuid, "--clear", "type_code")
    assert (status, "XDSRegistryMetadataError" in err, "typeCode" in err) == (1, True, True)
    assert list(statuses(served, patient)) == [uuid]


# --- the question -------------------------------------------------------------------------------------------------


def at_a_terminal(served: Served, answer: str, *arguments: str) -> tuple[int, str]:
    """Run a command at a terminal and type an answer when it asks: exit status, and all that stood there."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=served.folder,
        env=environment(**served.variables, TERM="xterm", COLUMNS="80"),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    told, typed = b"", False
    try:
        while select.select([leader], [], [], 60)[0]:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # nobody has the terminal any more
                break
            if not piece:
                break
            told += piece
            if not typed and b"[y/N]" in told:
                os.write(leader, answer.encode() + b"\n")
                typed = True
        return process.wait(60), told.decode()
    finally:
        process.kill()
        os.close(leader)


@pytest.mark.parametrize(("answer", "status", "left"), [("y", 0, 0), ("n", 130, 1), ("", 130, 1)])
def test_a_removal_asks_at_a_terminal(served: Served, patient: str, answer: str, status: int, left: int) -> None:
    uuid = submit(served, patient)
    ended, told = at_a_terminal(served, answer, "remove", uuid)
    assert ended == status, told
    assert uuid in told
    assert "Remove this for good?" in told
    assert len(statuses(served, patient)) == left


def test_without_a_terminal_nobody_is_asked_and_nothing_goes(served: Served, patient: str) -> None:
    uuid = submit(served, patient)
    done = subprocess.run(
        [sys.executable, "-m", "xds_gateway", "remove", uuid],
        cwd=served.folder,
        env=environment(**served.variables),
        input=b"y\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"--yes" in done.stderr
    assert list(statuses(served, patient)) == [uuid]
