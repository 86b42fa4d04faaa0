"""The contracts are complete, consistent with IHE's names, and found wherever the package is installed."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import lxml
import pytest
import zeep
from lxml import etree

from xds_gateway import contracts
from xds_gateway.codec.transactions import ENDPOINTS, TRANSACTIONS

CHECKOUT = Path(__file__).parents[2]
ADDRESS = "https://xds.hospital.example/services/"
SCHEMAS = [
    "xml.xsd",
    "rim.xsd",
    "rs.xsd",
    "lcm.xsd",
    "query.xsd",
    "XDS.b_DocumentRepository.xsd",
    "RMD.xsd",
    "HL7V3.xsd",
]


#   actor         operation                                             request action, its answer adds "Response"
OPERATIONS = [  # ITI TF-2 3.42.5, 3.18.5, 3.51.4, 3.61.4, 3.41.5, 3.43.5, 3.44.4; supplements MU, RMD, RMU
    ("registry", "DocumentRegistry_RegisterDocumentSet-b", "urn:ihe:iti:2007:RegisterDocumentSet-b"),
    ("registry", "DocumentRegistry_RegistryStoredQuery", "urn:ihe:iti:2007:RegistryStoredQuery"),
    ("registry", "DocumentRegistry_MultiPatientStoredQuery", "urn:ihe:iti:2009:MultiPatientStoredQuery"),
    (
        "repository",
        "DocumentRepository_ProvideAndRegisterDocumentSet-b",
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
    ),
    ("repository", "DocumentRepository_RetrieveDocumentSet", "urn:ihe:iti:2007:RetrieveDocumentSet"),
    (
        "registry",
        "DocumentRegistry_RegisterOnDemandDocumentEntry",
        "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry",
    ),
    ("registry", "DocumentRegistry_UpdateDocumentSet", "urn:ihe:iti:2010:UpdateDocumentSet"),
    ("responder", "UpdateResponder_RestrictedUpdateDocumentSet", "urn:ihe:iti:2018:RestrictedUpdateDocumentSet"),
    ("registry", "DocumentRegistry_DeleteDocumentSet", "urn:ihe:iti:2010:DeleteDocumentSet"),
    ("repository", "DocumentRepository_RemoveDocuments", "urn:ihe:iti:2017:RemoveDocuments"),
    ("patients", "DocumentRegistry_PRPA_IN201301UV02", "urn:hl7-org:v3:PRPA_IN201301UV02"),
    ("patients", "DocumentRegistry_PRPA_IN201302UV02", "urn:hl7-org:v3:PRPA_IN201302UV02"),
    ("patients", "DocumentRegistry_PRPA_IN201304UV02", "urn:hl7-org:v3:PRPA_IN201304UV02"),
]
ANSWERS = {  # those that have names of their own (ITI TF-2 3.61.4.2.2, 3.44.4.1.4.1)
    "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry": "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse",
    **{f"urn:hl7-org:v3:PRPA_IN20130{number}UV02": "urn:hl7-org:v3:MCCI_IN000002UV01" for number in (1, 2, 4)},
}


# --- schemas ---


@pytest.mark.parametrize("name", SCHEMAS)
def test_libxml2_compiles_each_schema(name):
    assert etree.XMLSchema(file=str(contracts.schema_path(name)))


def test_every_schema_of_the_checkout_is_listed_here():
    assert sorted(SCHEMAS) == sorted(file.name for file in (CHECKOUT / "schemas").glob("*.xsd"))


# --- WSDLs ---


def operations(client):
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    return service.name, port.name, port.binding, port.binding_options["address"]


@pytest.mark.parametrize(
    ("actor", "name", "namespace"),
    [
        ("registry", "DocumentRegistry", "urn:ihe:iti:xds-b:2007"),
        ("repository", "DocumentRepository", "urn:ihe:iti:xds-b:2007"),
        ("responder", "UpdateResponder", "urn:ihe:iti:rmu:2018"),
        ("patients", "DocumentRegistry", "urn:ihe:iti:xds-b:2007"),
    ],
)
def test_zeep_loads_a_wsdl_from_disk_under_the_names_of_ihe(actor, name, namespace):
    service, port, binding, _ = operations(zeep.Client(str(contracts.wsdl_path(actor))))
    assert (service, port) == (f"{name}_Service", f"{name}_Port_Soap12")
    assert binding.name == f"{{{namespace}}}{name}_Binding_Soap12"
    assert set(binding.all()) == {operation for owner, operation, _ in OPERATIONS if owner == actor}


@pytest.mark.parametrize(("actor", "operation", "action"), OPERATIONS)
def test_an_operation_has_the_actions_of_ihe(actor, operation, action):
    bound = operations(zeep.Client(str(contracts.wsdl_path(actor))))[2].get(operation)
    assert (bound.soapaction, bound.abstract.wsa_action) == (action, action)
    names = {"w": "http://schemas.xmlsoap.org/wsdl/"}
    (output,) = etree.parse(contracts.wsdl_path(actor)).xpath(
        f"//w:portType/w:operation[@name='{operation}']/w:output", namespaces=names
    )
    assert output.get("{http://www.w3.org/2006/05/addressing/wsdl}Action") == ANSWERS.get(action, action + "Response")


def test_every_transaction_has_its_operation_and_every_operation_its_transaction():
    rows = [(row.endpoint, row.operation, row.request_action) for row in TRANSACTIONS]
    assert sorted(rows) == sorted(OPERATIONS)


@pytest.mark.parametrize("row", TRANSACTIONS, ids=[row.name for row in TRANSACTIONS])
def test_the_message_of_an_operation_is_the_element_that_its_transaction_reads(row):
    bound = operations(zeep.Client(str(contracts.wsdl_path(row.endpoint))))[2].get(row.operation)
    assert bound.input.body.qname.text == row.body


@pytest.mark.parametrize("actor", ENDPOINTS)
def test_a_served_wsdl_resolves_relative_to_its_url_and_has_the_configured_address(actor, tmp_path):
    served = contracts.wsdl(actor, ADDRESS + actor)
    imports = [element.get("schemaLocation") for element in etree.fromstring(served).iter("{*}import")]
    assert {urljoin(f"{ADDRESS}{actor}?wsdl", location) for location in imports} <= {
        f"{ADDRESS}schemas/{name}" for name in SCHEMAS
    }
    (tmp_path / "schemas").mkdir()
    for name in SCHEMAS:
        (tmp_path / "schemas" / name).write_bytes(contracts.schema(name))
    (tmp_path / actor).write_bytes(served)
    assert operations(zeep.Client(str(tmp_path / actor)))[3] == ADDRESS + actor


def test_an_address_is_escaped():
    served = etree.fromstring(contracts.wsdl("registry", 'https://h/?a=1&b="<'))
    assert served.find(".//{http://schemas.xmlsoap.org/wsdl/soap12/}address").get("location") == 'https://h/?a=1&b="<'


@pytest.mark.parametrize(
    "name", ["", ".", "rim", "RIM.XSD", "../wsdl/XDS.b_DocumentRegistry.wsdl", "/etc/passwd", "../schemas/rim.xsd"]
)
def test_only_names_of_schemas_are_served(name):
    with pytest.raises(KeyError):
        contracts.schema(name)


# --- where the package is installed ---

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"
SHOW = (
    "from xds_gateway import contracts as c; print(c.__file__); print(c.wsdl_path('repository'));"
    "print(len(c.schema('rim.xsd')), len(c.wsdl('registry', 'https://h/registry')))"
)


@pytest.fixture
def source(tmp_path):
    """A copy of the checkout, so that builds leave nothing in it."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md"):
        if (CHECKOUT / name).exists():
            shutil.copy(CHECKOUT / name, copy)
    for name in ("xds_gateway", "wsdl", "schemas"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def interpreter(tmp_path):
    """An empty environment that sees lxml and nothing else of ours."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "lxml").symlink_to(Path(lxml.__file__).parent)
    return tmp_path / "venv" / "bin" / "python"


def build(kind, source):
    target = source.parent / kind
    target.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, target], cwd=source, check=True, capture_output=True, text=True
    )
    return target / done.stdout.splitlines()[-1]


def install(wheel, interpreter):
    (site_packages,) = (interpreter.parents[1] / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site_packages)
    return site_packages


def show(interpreter, libraries, folder):
    environment = {**os.environ, "PYTHONPATH": str(libraries)}
    done = subprocess.run(
        [interpreter, "-c", SHOW], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    module, path, sizes = done.stdout.splitlines()
    assert sizes == f"{len(contracts.schema('rim.xsd'))} {len(contracts.wsdl('registry', 'https://h/registry'))}"
    return Path(module), Path(path)


def test_a_plain_checkout_finds_its_contracts(source, interpreter, tmp_path):
    module, path = show(interpreter, tmp_path / "libraries", source)
    assert (module, path.parent) == (source / "xds_gateway" / "contracts.py", source / "wsdl")


def test_an_editable_install_finds_those_of_its_checkout(source, interpreter, tmp_path):
    install(build("editable", source), interpreter)
    module, path = show(interpreter, tmp_path / "libraries", tmp_path)
    assert (module, path.parent) == (source / "xds_gateway" / "contracts.py", source / "wsdl")


@pytest.mark.parametrize("origin", ["checkout", "sdist"])
def test_a_wheel_carries_its_own(origin, source, interpreter, tmp_path):
    if origin == "sdist":
        with tarfile.open(build("sdist", source)) as packed:
            packed.extractall(tmp_path / "unpacked", filter="data")
        (source,) = (tmp_path / "unpacked").iterdir()
    site_packages = install(build("wheel", source), interpreter)
    module, path = show(interpreter, tmp_path / "libraries", tmp_path)
    assert module == site_packages / "xds_gateway" / "contracts.py"
    assert path.is_relative_to(site_packages)
    assert zeep.Client(str(path)).wsdl.services
