"""Access matrices in files: what is read, and a sentence for each mistake."""

import tomllib
from pathlib import Path

import pytest

from tests.documents import CHECKOUT, blocks
from xds_gateway.access_files import access_matrix
from xds_gateway.config import ConfigurationError, Domain
from xds_gateway.security.access_matrix import IHE, AccessRow, DocumentTypes
from xds_gateway.security.access_matrix_files import NotAMatrix, parse_matrix

(TEXT,) = blocks(CHECKOUT / "docs" / "decide-access.md", "toml")


def test_the_matrix_of_the_page_is_read() -> None:
    matrix = parse_matrix("example", TEXT)
    assert matrix.roles == {"physician": (("309343006", "2.16.840.1.113883.6.96"),)}
    assert matrix.documents == {"reports": DocumentTypes((), (("34133-9", "2.16.840.1.113883.6.1"),))}
    node, reports = matrix.rows
    assert node == AccessRow(
        *("node.all", "node", ("find", "retrieve", "submit", "replace", "update", "remove"), "any", ("any",)),
        *("any", "anyone", "unless opposed", "any"),
    )
    assert reports[4:] == (("normal", "restricted"), "normal", "anyone", "if permitted", "named")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[roles]", "[roles", "not TOML"),
        ("[roles]", "[rolls]", "write the tables"),
        ('"N^^2.16.840.1.113883.5.25"', '"N"', 'write a code as "code^^scheme", not "N"'),
        ("type_codes", "typo_codes", "class_codes, type_codes or both"),
        ('role = "node"', 'role = "nobody"', 'role is "nobody": write one of node, physician'),
        ('actions = ["find", "retrieve"]', 'actions = ["look"]', 'actions is "look"'),
        ('actions = ["find", "retrieve"]', "actions = []", 'actions is "nothing"'),
        ('confidentiality = "any"', 'confidentiality = ["any", "normal"]', 'confidentiality is "any"'),
        ('documents = "reports"', 'documents = "report"', 'documents is "report"'),
        ('mode = "normal"', 'mode = "odd"', 'mode is "odd": write one of any, normal, break-glass'),
        ('consent = "if permitted"', 'consent = "maybe"', 'consent is "maybe"'),
        ('owner = "anyone"', 'owner = "me"', 'owner is "me": write one of anyone, own'),
        ('id = "physician.reports"', 'id = "node.all"', "two rows have the id"),
        ('confidentiality = "any"', "", "missing or unknown: confidentiality"),
        ('patient = "named"', 'patients = "named"', "missing or unknown: patients"),
        ('actions = ["find", "retrieve"]', "actions = 5", "each row names"),
    ],
)
def test_a_mistake_is_a_sentence(old: str, new: str, sentence: str) -> None:
    assert old in TEXT
    with pytest.raises(NotAMatrix) as wrong:
        parse_matrix("example", TEXT.replace(old, new, 1))
    assert sentence in str(wrong.value)


def test_a_domain_has_the_matrix_of_its_file_or_of_its_profile(tmp_path: Path) -> None:
    assert access_matrix(Domain()) is IHE
    path = tmp_path / "access.toml"
    path.write_text(TEXT)
    found = access_matrix(Domain(name="own", access=path))
    assert [row.id for row in found.rows] == [row["id"] for row in tomllib.loads(TEXT)["rows"]]
    path.write_text("rows = []")
    assert access_matrix(Domain(name="own", access=path)) is found  # workers that start later decide alike


@pytest.mark.parametrize("text", [None, "rows = 5", "rows = []"])
def test_a_gateway_with_a_wrong_matrix_does_not_start(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "access.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError) as wrong:
        access_matrix(Domain(name="own", access=path))
    assert wrong.value.problems[0].startswith("access of the domain own")
