"""The project keeps its own promises: pinned packages, one version, documented settings, no foreign paths."""

import ast
import configparser
import importlib.util
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import xds_gateway
from xds_gateway.config import describe, load
from xds_gateway.config.settings import Settings
from xds_gateway.config.tree import section_of

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "xds_gateway"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py"))
LOCKS = sorted((CHECKOUT / "requirements").glob("*.txt"))


def setup_cfg():
    config = configparser.ConfigParser()
    config.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    return config


def direct(section="options", option="install_requires"):
    lines = setup_cfg()[section][option].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins(lock):
    """Name, version and number of hashes of each requirement of a lock file."""
    entries = re.split(r"\n(?=[a-z])", lock.read_text(encoding="utf-8"))
    for entry in entries:
        requirement = Requirement(entry.split("\\")[0].split("#")[0].strip())
        yield requirement, entry.count("--hash=sha256:")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def module_of(path):
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(path):
    """Top-level names that a source file imports from elsewhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def third_party(paths):
    ours = {"xds_gateway", "tests"}
    return {name for path in paths for name in imported(path)} - set(sys.stdlib_module_names) - ours


def tracked():
    """Files of the checkout that people write, as git knows them, or as they lie there without git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        found = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for folder in ("xds_gateway", "tests", "docs") for path in (CHECKOUT / folder).rglob("*.*")]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def text_of(path):
    return path.read_bytes().decode("utf-8", errors="ignore")


# Versions and packages


def test_the_version_is_written_once():
    assert setup_cfg()["metadata"]["version"] == "attr: xds_gateway.__version__"
    first = re.search(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first
    assert first[1] == xds_gateway.__version__


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(lock):
    loose = [str(requirement) for requirement, hashes in pins(lock) if not str(requirement.specifier).startswith("==")]
    assert loose == []
    assert [str(requirement) for requirement, hashes in pins(lock) if not hashes] == []
    assert "://" not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("run", direct()), ("dev", [*direct(), *direct("options.extras_require", "dev")])],
    ids=["run", "dev"],
)
def test_the_lock_has_every_direct_dependency_in_an_allowed_version(lock, wanted):
    pinned = {canonical(each.name): each for each, _ in pins(CHECKOUT / "requirements" / f"{lock}.txt")}
    for requirement in wanted:
        (version,) = pinned[canonical(requirement.name)].specifier
        assert requirement.specifier.contains(version.version), requirement


def test_the_two_locks_agree():
    run, dev = ({str(each) for each, _ in pins(CHECKOUT / "requirements" / f"{name}.txt")} for name in ("run", "dev"))
    assert run <= dev


def test_every_dependency_is_imported_and_every_import_declared():
    distributions = packages_distributions()
    used = {canonical(name) for module in third_party(SOURCES) for name in distributions[module]}
    declared = {canonical(requirement.name) for requirement in direct()}
    assert used == declared


def test_every_import_of_the_tests_is_declared():
    distributions = packages_distributions()
    tests = [path for path in (CHECKOUT / "tests").rglob("*.py") if path.name != "conftest.py"]
    used = {canonical(name) for module in third_party(tests) for name in distributions[module]}
    declared = {canonical(each.name) for each in (*direct(), *direct("options.extras_require", "dev"))}
    assert used - declared == set()


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("spyne", {"xds_gateway.server.soap"}),
        ("zeep", {"xds_gateway.client"}),
        ("pkcs11", {"xds_gateway.client"}),
        ("hl7", {"xds_gateway.codec"}),
        ("sqlalchemy", {"xds_gateway.storage"}),
        ("alembic", {"xds_gateway.storage"}),
        ("uvicorn", {"xds_gateway.server"}),
        ("typer", {"xds_gateway.cli"}),
        ("rich", {"xds_gateway.cli", "xds_gateway.demo"}),
        ("pydantic", {"xds_gateway.config"}),
        ("pydantic_settings", {"xds_gateway.config"}),
    ],
)
def test_a_library_is_imported_in_its_own_room_only(library, places):
    users = {module_of(path) for path in SOURCES if library in imported(path)}
    strangers = {user for user in users if not any(user == place or user.startswith(f"{place}.") for place in places)}
    assert users
    assert strangers == set()


# Settings


def test_every_setting_is_documented():
    page = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    for row in describe(load(None, {})):
        variable = "XDS_GATEWAY_" + row.name.replace("[0]", "__0").replace(".", "__").upper()
        assert f"`{variable}`" in page
        assert row.description in page
        assert row.description.endswith(".")


def test_every_number_has_a_unit_or_needs_none():
    without = {row.name for row in describe(load(None, {})) if type(row.value) in (int, float) and not row.unit}
    assert without == {"listeners[0].port", "soap.sender_fault_status"}


def settings_by_name():
    for name, field in Settings.model_fields.items():
        section = section_of(field)
        yield from section.model_fields if section else [name]


READ_BY_THE_CONFIGURATION = {"allow_plain_beyond_loopback"}


@pytest.mark.parametrize("name", sorted(set(settings_by_name()) - READ_BY_THE_CONFIGURATION))
def test_every_setting_is_read_somewhere(name):
    readers = [path for path in SOURCES if PACKAGE / "config" not in path.parents]
    assert any(re.search(rf"\.{name}\b", path.read_text(encoding="utf-8")) for path in readers)


def test_generated_pages_are_fresh():
    spec = importlib.util.spec_from_file_location("generate", CHECKOUT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    stale = [name for name, page in generate.PAGES.items() if (CHECKOUT / "docs" / name).read_text("utf-8") != page()]
    assert stale == []


# Sources


def test_no_file_names_a_place_of_one_machine():
    forbidden = re.compile(
        "|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w+", "/" + "tmp/v", "python" + "hosted"])
    )
    found = {
        (str(path.relative_to(CHECKOUT)), match[0]) for path in tracked() for match in forbidden.finditer(text_of(path))
    }
    assert found == set()


def test_no_key_is_committed():
    marker = "PRIVATE " + "KEY-----"
    assert [path.name for path in tracked() if marker in text_of(path)] == []
    assert [path.name for path in tracked() if path.suffix in (".key", ".p12", ".pfx", ".jks")] == []


def test_nothing_is_left_for_later():
    later = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME|XX" + r"X)\b")
    assert [path.name for path in tracked() if path.suffix == ".py" and later.search(text_of(path))] == []


def test_modules_and_functions_stay_small():
    long_modules = [module_of(path) for path in SOURCES if len(text_of(path).splitlines()) > 400]
    long_functions = [
        f"{module_of(path)}.{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert long_modules == []
    assert long_functions == []


def test_every_package_folder_is_in_the_wheel():
    folders = {path.parent for path in SOURCES}
    assert [folder.name for folder in folders if not (folder / "__init__.py").is_file()] == []
    others = [path for path in tracked() if PACKAGE in path.parents and path.suffix != ".py"]
    assert others == []
