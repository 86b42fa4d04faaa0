"""What the documentation names exists, and every page can be reached."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from tests.documents import CHECKOUT, PAGES, anchors, blocks, commands, links, name_of, prose, words
from xds_gateway import client
from xds_gateway.codec.queries import MULTI_PATIENT_QUERIES, QUERIES
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.config.tree import dotted as dotted_name
from xds_gateway.config.tree import fields
from xds_gateway.model.errors import ErrorCode
from xds_gateway.rules.ihe import IHE

PACKAGE = CHECKOUT / "xds_gateway"
DECISIONS = sorted((CHECKOUT / "docs" / "decisions").glob("0*.md"))
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


# Links


@every_page
def test_links_lead_somewhere(page):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [CHECKOUT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            targets = ((page.parent / link.partition("#")[0]).resolve() for link in links(page))
            waiting += [target for target in targets if target.suffix == ".md" and target.exists()]
    assert sorted(map(name_of, set(PAGES) - reached)) == []


def test_every_example_is_on_their_page():
    folder = CHECKOUT / "docs" / "examples"
    listed = set(links(folder / "README.md"))
    assert {
        path.name for path in folder.iterdir() if path.suffix in (".mime", ".xml", ".txt", ".toml", ".hl7")
    } <= listed


# Files, commands, settings

ROOTS = ("xds_gateway", "tests", "docs", "wsdl", "schemas", "certs", "requirements", ".ci")
ROOMS = tuple(path.name for path in PACKAGE.iterdir() if path.is_dir())
TEST_FOLDERS = tuple(path.name for path in (CHECKOUT / "tests").iterdir() if path.is_dir())
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")


def folders_of(word):
    """Where a path in the documentation may begin: the checkout, the package, or the tests."""
    first = word.split("/")[0]
    if first in ROOTS:
        yield CHECKOUT
    if first in ROOMS:
        yield PACKAGE
    if first in TEST_FOLDERS:
        yield CHECKOUT / "tests"


@every_page
def test_files_that_are_named_exist(page):
    named = {word for word in words(page) if "/" in word and PATH.fullmatch(word)}
    missing = {
        word
        for word in named
        if (folders := list(folders_of(word)))
        and not any(list(folder.glob(word.rstrip("/"))) or (folder / f"{word}.py").exists() for folder in folders)
    }
    assert missing == set()


def targets():
    text = (CHECKOUT / "Makefile").read_text("utf-8")
    return set(re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)[1].split())


@every_page
def test_make_targets_that_are_named_exist(page):
    named = {match[1] for line in commands(page) if (match := re.match(r"(?:\w+=\S+ )*make ([a-z-]+)", line))}
    assert named <= targets()


def test_the_readme_shows_the_two_commands():
    lines = set(commands(CHECKOUT / "README.md"))
    assert any(line.startswith("make run") for line in lines)
    assert any(line.startswith("make test") for line in lines)


SETTINGS = {re.sub(r"\[\d+\]", "", dotted_name(key)) for key, _ in fields()}
SECTIONS = {name.split(".")[0] for name in SETTINGS if "." in name}


@every_page
def test_settings_that_are_named_exist(page):
    dotted = {
        word for word in words(page) if word.split(".")[0] in SECTIONS and re.fullmatch(r"[a-z_]+\.[a-z_]+", word)
    }
    variables = {
        re.sub(r"__\d+", "", name.removeprefix("XDS_GATEWAY_").lower()).replace("__", ".")
        for line in (*commands(page), prose(page))
        for name in re.findall(r"\bXDS_GATEWAY_[A-Z0-9_]*[A-Z0-9]\b(?!\*)", line)
    }
    assert (dotted | variables) - SETTINGS - {"config"} == set()


# Words of the code and of the standard


@every_page
def test_error_codes_that_are_named_exist(page):
    known = {code.value for code in ErrorCode}
    named = {word for word in words(page) if re.fullmatch(r"(?:XDS(?:Registry|Repository|Un)\w+|Un\w+Exception)", word)}
    assert named - known == set()


@lru_cache(maxsize=1)
def written_rules():
    """Names of rules in the package's sources."""
    return {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("ihe.")
    }


@every_page
def test_rules_that_are_named_exist(page):
    known = {*IHE.rules, *written_rules()}
    named = set(re.findall(r"\bihe\.[a-z]+(?:\.\w+)*(?:\.\*)?", prose(page)))
    unknown = {name for name in named if not any(rule == name or rule.startswith(name.rstrip("*")) for rule in known)}
    assert unknown == set()


@every_page
def test_python_examples_import_what_there_is(page):
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "xds_gateway.client":
                assert {alias.name for alias in node.names} <= set(client.__all__)


@pytest.mark.parametrize("row", TRANSACTIONS, ids=lambda row: row.name)
def test_every_transaction_is_in_readme_and_compliance(row):
    assert row.name in (CHECKOUT / "README.md").read_text("utf-8")
    assert f"## {row.name} " in (CHECKOUT / "docs" / "compliance.md").read_text("utf-8")


def test_readme_and_compliance_have_the_stored_queries():
    assert f"all {len(QUERIES)} queries" in (CHECKOUT / "README.md").read_text("utf-8")
    compliance = (CHECKOUT / "docs" / "compliance.md").read_text("utf-8")
    for query in (*QUERIES.values(), *MULTI_PATIENT_QUERIES.values()):
        assert f"| {query.clause.removeprefix('ITI TF-2 ')} | {query.name}" in compliance


def test_every_row_of_compliance_that_is_there_names_a_test():
    page = CHECKOUT / "docs" / "compliance.md"
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in prose(page).splitlines()]
    claims = [row for row in rows if len(row) == 4 and row[2].startswith("yes")]
    assert claims
    assert [row for row in claims if not re.search(r"`\w+/[\w/]+\.py`", row[3])] == []


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_says_why_what_follows_and_what_was_measured(page):
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.name[:4]}: ", text)
    headings = [match[1] for match in re.finditer(r"^## (\w+)", text, re.MULTILINE)]
    assert headings == ["Context", "Decision", "Consequences", "Measured"]


def test_every_language_of_the_glossary_has_every_word():
    rows = [line for line in (CHECKOUT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
    assert cells == sorted(cells, key=lambda row: row[0].lower())
    assert [row for row in cells if len(row) != 3 or not all(row)] == []


@every_page
def test_lines_are_short(page):
    long = [line for line in prose(page).splitlines() if len(line) > 120 and not re.match(r"\||    |\s*-H ", line)]
    assert long == []


def test_documents_on_the_wire_keep_their_line_ends():
    attributes = (CHECKOUT / "docs" / "examples" / ".gitattributes").read_text("utf-8")
    assert "*.mime -text" in attributes
    for path in sorted(Path(CHECKOUT / "docs" / "examples").glob("*.mime")):
        head = path.read_bytes().partition(b"<s:Body>")[0]
        assert b"\r\n" in head
        assert head.count(b"\n") == head.count(b"\r\n")
