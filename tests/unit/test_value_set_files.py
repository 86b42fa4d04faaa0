"""Files of value sets that the settings name: loaded at start, once for each content, all of a domain's or none."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.value_sets import SENT, codes_xml, svs
from xds_gateway.administering import value_sets_of_domain
from xds_gateway.config import ConfigurationError, Settings, load
from xds_gateway.domains import prepare
from xds_gateway.model.value_sets import ListedCode, ValueSet
from xds_gateway.value_set_files import load_value_sets

TYPES, CLASSES = SENT["typeCode"], SENT["classCode"]
MORE = ListedCode("11490-0", "2.16.840.1.113883.6.1", "Discharge summary")


def configured(folder: Path, *files: str) -> Settings:
    """Settings whose domain has these files of the folder, and its database."""
    listed = ", ".join(f'"{name}"' for name in files)
    (folder / "gateway.toml").write_text(f'data_folder = "data"\n[[domains]]\nvalue_sets = [{listed}]\n')
    settings = load(folder / "gateway.toml", {})
    prepare(settings)
    return settings


def in_force(settings: Settings) -> tuple[int, Mapping[str, ValueSet]]:
    with value_sets_of_domain(settings, "default") as domain_lists:
        present = domain_lists.present()
    return present.number, present.lists


def audited(settings: Settings) -> list[dict[str, object]]:
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return [json.loads(text) for (text,) in database.execute("SELECT event FROM audit_event ORDER BY id")]


def test_the_files_become_the_lists_of_their_attributes_in_one_version(tmp_path: Path) -> None:
    (tmp_path / "codes.xml").write_bytes(codes_xml({"typeCode": TYPES}))
    (tmp_path / "JDV_J99_XdsClassCode.xml").write_bytes(svs(*CLASSES, name="JDV_J99_XdsClassCode"))
    settings = configured(tmp_path, "codes.xml", "JDV_J99_XdsClassCode.xml")
    load_value_sets(settings)
    number, lists = in_force(settings)
    assert (number, sorted(lists)) == (1, ["classCode", "typeCode"])
    (event,) = audited(settings)
    assert event["transaction"] == "vocabulary load"
    assert str(event["node"]).startswith("xds-gateway serve")


def test_content_that_is_in_force_makes_no_version_and_other_content_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "codes.xml"
    settings = configured(tmp_path, "codes.xml")
    for codes, number, current in (
        (TYPES, 1, len(TYPES)),
        (TYPES, 1, len(TYPES)),
        ((*TYPES, MORE), 2, len(TYPES) + 1),
        ((*TYPES, MORE), 2, len(TYPES) + 1),
        (TYPES, 3, len(TYPES)),  # the code that is gone is retired
        (TYPES, 3, len(TYPES)),
    ):
        file.write_bytes(codes_xml({"typeCode": codes}))
        load_value_sets(settings)
        version, lists = in_force(settings)
        active = [code for code in lists["typeCode"].codes.values() if code.active]
        assert (version, len(active)) == (number, current)
    assert len(audited(settings)) == 3


def test_attributes_that_no_file_is_for_keep_their_lists(tmp_path: Path) -> None:
    file = tmp_path / "codes.xml"
    settings = configured(tmp_path, "codes.xml")
    for attribute, codes in (("typeCode", TYPES), ("classCode", CLASSES)):
        file.write_bytes(codes_xml({attribute: codes}))
        load_value_sets(settings)
    assert sorted(in_force(settings)[1]) == ["classCode", "typeCode"]
    load_value_sets(configured(tmp_path))
    assert in_force(settings)[0] == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"typeCode", "wrong.xml cannot be used: it is not well-formed"),
        (svs(*TYPES, name="unnamed"), "vocabulary load --attribute"),
        (codes_xml({"typeCode": [TYPES[0]._replace(scheme="")]}), "has no coding scheme"),
        (b"<Codes><CodeType name='typeCode'><Code display='x'/></CodeType></Codes>", "Code of line 1 has no code"),
        (None, "which cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_file_is_a_sentence_and_nothing_is_loaded(tmp_path: Path, data: bytes | None, said: str) -> None:
    (tmp_path / "good.xml").write_bytes(codes_xml({"classCode": CLASSES}))
    if data is not None:
        (tmp_path / "wrong.xml").write_bytes(data)
    settings = configured(tmp_path, "good.xml", "wrong.xml")
    with pytest.raises(ConfigurationError) as caught:
        load_value_sets(settings)
    (sentence,) = caught.value.problems
    assert sentence.startswith("domains[0].value_sets")
    assert said in sentence
    assert sentence.endswith(".")
    assert in_force(settings) == (0, {})
