"""Value sets on the wire: loaded by the command line while a gateway serves, judged by all its workers."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.unit.value_sets import SENT, codes_xml, svs
from tests.wire.commands import called, keys_of, run
from tests.wire.messages import (
    Answer,
    accepted,
    find_documents,
    new_patient,
    provide,
    register,
    registrable,
    send,
)
from tests.wire.updates import filed, message, titled, update
from xds_gateway.cli.program import run as run_here
from xds_gateway.model.value_sets import ListedCode

OTHER = ListedCode("34105-8", "2.16.840.1.113883.6.1", "CR opératoire")
(TYPE,) = SENT["typeCode"]
TIMES = 8  # requests that go to every worker


@pytest.fixture
def serving(start_gateway: Any) -> RunningGateway:
    gateway: RunningGateway = start_gateway(workers=2)
    return gateway


def vocabulary(gateway: RunningGateway, *arguments: str | Path, status: int = 0) -> dict[str, Any]:
    """The JSON of a subcommand on the database of a gateway."""
    folder = gateway.data_folder
    done = called(folder.parent, "vocabulary", *map(str, arguments), "--json", XDS_GATEWAY_DATA_FOLDER=str(folder))
    assert (done.returncode, done.stderr) == (status, "")
    told: dict[str, Any] = json.loads(done.stdout)
    assert set(told) == keys_of("vocabulary")
    return told


def written(gateway: RunningGateway, data: bytes, name: str = "codes.xml") -> Path:
    path = gateway.data_folder.parent / name
    path.write_bytes(data)
    return path


def load(gateway: RunningGateway, *codes: ListedCode, attribute: str = "typeCode") -> int:
    file = written(gateway, codes_xml({attribute: codes}))
    number: int = vocabulary(gateway, "load", file)["version"]
    return number


def answers(gateway: RunningGateway, make: Any) -> set[tuple[str, tuple[str, ...]]]:
    """Status and errors of requests on connections of their own, so that each worker gets some."""
    found = [send(gateway, make()) for _ in range(TIMES)]
    return {(answer.status, tuple(answer.errors)) for answer in found}


def test_every_worker_judges_by_a_load_at_once(serving):
    for make, code in (
        (lambda: provide().message(), "XDSRepositoryMetadataError"),
        (lambda: register(registrable()), "XDSRegistryMetadataError"),
    ):
        assert answers(serving, make) == {("Success", ())}
        load(serving, OTHER)
        assert answers(serving, make) == {("Failure", (code,))}
        load(serving, TYPE)
    vocabulary(serving, "load", "--none", "typeCode")
    assert answers(serving, lambda: register(registrable())) == {("Success", ())}


def test_a_refusal_names_rule_value_and_the_nearest_code(serving):
    load(serving, OTHER)
    (context,) = send(serving, register(registrable())).contexts
    assert "rule=ihe.valueSet.typeCode | object=Document01 | attribute=typeCode" in context
    assert f"received={TYPE.code}^^{TYPE.scheme}" in context
    assert f"Hint: the nearest code is {OTHER.code}^^{OTHER.scheme} (CR opératoire)." in context


def test_all_lists_of_a_test_kit_allow_what_they_have(serving):
    lists = {name: codes for name, codes in SENT.items() if name != "assigningAuthority"}
    file = written(serving, codes_xml(lists, SENT["assigningAuthority"][0].code))
    told = vocabulary(serving, "load", file)
    assert {each["attribute"]: each["codes"] for each in told["changed"]} == {n: len(c) for n, c in SENT.items()}
    assert answers(serving, lambda: provide().message()) == {("Success", ())}
    stranger = new_patient().replace("3000&", "3001&")
    assert send(serving, register(registrable(stranger))).errors == ["XDSUnknownPatientId"]


def test_retired_codes_are_found_kept_by_updates_and_refused_in_submissions(serving):
    patient = new_patient()
    made, uuid, _ = filed(serving, patient)
    load(serving, TYPE)
    load(serving, OTHER)
    scheme = f"('{TYPE.code}^^{TYPE.scheme}')"
    found = send(serving, find_documents(patient, **{"$XDSDocumentEntryTypeCode": scheme}))
    assert len(found.entries) == 1
    (context,) = send(serving, register(registrable())).contexts
    assert "rule=ihe.valueSet.typeCode.retired" in context
    for version, transaction in ((1, "ITI-57"), (2, "ITI-92")):
        sent = update(patient, titled(made, uuid, f"version {version + 1}"), previous=version)
        assert send(serving, message(sent, transaction)).status == "Success"
    failing = vocabulary(serving, "check", status=1)["failing"]
    assert [(each["kind"], each["status"].rpartition(":")[2]) for each in failing] == [("DocumentEntry", "Approved")]
    assert failing[0]["findings"][0]["received"] == f"{TYPE.code}^^{TYPE.scheme}"


def test_lists_are_shown_as_they_are_and_as_they_were(serving):
    assert vocabulary(serving, "list")["lists"] == []
    load(serving, TYPE)
    assert load(serving, OTHER) == 2
    (listed,) = vocabulary(serving, "list")["lists"]
    assert (listed["attribute"], listed["since"], listed["codes"], listed["retired"]) == ("typeCode", 2, 1, 1)
    assert listed["sources"][0]["name"] == "typeCode"
    shown = {each["code"]: each["in_force"] for each in vocabulary(serving, "show", "TypeCode")["codes"]}
    assert shown == {OTHER.code: True, TYPE.code: False}
    earlier = vocabulary(serving, "show", "typeCode", "--version", "1")
    assert [each["code"] for each in earlier["codes"]] == [TYPE.code]
    assert vocabulary(serving, "show", "classCode")["codes"] is None
    assert vocabulary(serving, "check")["failing"] == []


def test_people_see_tables(serving):
    load(serving, TYPE, OTHER._replace(active=False))
    accepted(serving, provide())
    load(serving, OTHER)

    def told(*arguments: str) -> str:
        folder = serving.data_folder
        return run(folder.parent, "vocabulary", *arguments, XDS_GATEWAY_DATA_FOLDER=str(folder)).stdout

    assert "any" in told("list")
    assert "retired" in told("show", "typeCode")
    assert "1 stored object would be refused today." in told("check")
    assert "has no list: any code is accepted" in told("show", "classCode")
    assert "no list any more" in told("load", "--none", "typeCode")
    assert "nothing has changed" in told("load", "--none", "typeCode")


def test_people_are_told_some_of_what_fails_and_how_many_more(serving, monkeypatch, capsys):
    load(serving, TYPE, OTHER._replace(active=False))
    for _ in range(3):
        accepted(serving, provide())
    load(serving, OTHER)
    monkeypatch.setattr("xds_gateway.cli.vocabulary._SHOWN", 2)
    monkeypatch.setenv("XDS_GATEWAY_DATA_FOLDER", str(serving.data_folder))
    assert run_here(["vocabulary", "check"]) == 1
    told = capsys.readouterr().out
    assert told.count("DocumentEntry") == 2
    assert "... and 1 more" in told
    assert "3 stored objects would be refused today." in told


MISTAKES = [
    #  arguments                                                       exit status, what is said
    (("load",), 2, "Name a FILE to load"),
    (("load", "nowhere.xml"), 2, "nowhere.xml cannot be read"),
    (("load", "text"), 2, "text cannot be used: it is not well-formed"),
    (("load", "unnamed.xml"), 2, "say which one it is for"),
    (("load", "unnamed.xml", "-a", "typeCod"), 2, "Did you mean typeCode?"),
    (("load", "unnamed.xml", "-a", "typeCode", "-a", "classCode"), 2, "once for each FILE"),
    (("load", "unnamed.xml", "-a", "typeCode", "--none", "typeCode"), 2, "leave one of them out"),
    (("load", "bare.xml", "-a", "typeCode"), 2, "has no coding scheme"),
    (("show", "typeCode", "--version", "1"), 4, "There is no version 1"),
    (("show", "title"), 2, "title is no coded attribute"),
    (("list", "--domain", "elsewhere"), 2, "Say --domain with one of the domains: default"),
    (("show",), 2, "ATTRIBUTE"),
]


@pytest.mark.parametrize(("arguments", "status", "said"), MISTAKES, ids=[" ".join(each[0]) for each in MISTAKES])
def test_a_mistake_is_a_sentence_and_changes_nothing(gateway, tmp_path, arguments, status, said):
    (tmp_path / "text").write_text("typeCode")
    (tmp_path / "unnamed.xml").write_bytes(svs(TYPE, name="unnamed"))
    (tmp_path / "bare.xml").write_bytes(svs(TYPE._replace(scheme="")))
    for as_json in ((), ("--json",)):
        done = run(tmp_path, "vocabulary", *arguments, *as_json, XDS_GATEWAY_DATA_FOLDER=str(gateway.data_folder))
        assert (done.returncode, done.stdout) == (status, "")
        assert said in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    assert vocabulary(gateway, "list")["version"] == 0


def test_a_domain_gets_its_lists_before_its_gateway_starts(start_gateway, tmp_path):
    data = tmp_path / "early"
    (tmp_path / "type.xml").write_bytes(svs(OTHER))
    variables = {"XDS_GATEWAY_DATA_FOLDER": str(data)}
    assert run(tmp_path, "vocabulary", "list", **variables).returncode == 2
    assert run(tmp_path, "vocabulary", "load", "type.xml", **variables).returncode == 0
    gateway = start_gateway(data_folder=data)
    answer: Answer = send(gateway, register(registrable()))
    assert answer.errors == ["XDSRegistryMetadataError"]


def test_loads_and_checks_are_audited(serving):
    load(serving, TYPE)
    vocabulary(serving, "check")
    told = [(e["transaction"], e["address"], e.get("objects")) for e in audited(serving)]
    assert told == [("vocabulary load", "local", ["typeCode 1"]), ("vocabulary check", "local", None)]


def audited(gateway: RunningGateway) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(gateway.data_folder / "registry.sqlite3")) as database:
        return [json.loads(text) for (text,) in database.execute("SELECT event FROM audit_event ORDER BY id")]
