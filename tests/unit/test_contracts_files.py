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

CHECKOUT = Path(__file__).parents[2]
ADDRESS = "https://xds.hospital.example/services/"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
SCHEMAS = ["xml.xsd", "rim.xsd", "rs.xsd", "lcm.xsd", "query.xsd", "XDS.b_DocumentRepository.xsd"]

#   actor         operation                                             request action, its answer adds "Response"
OPERATIONS = [  # ITI TF-2 3.42.5, 3.18.5, 3.41.5, 3.43.5
    ("registry", "DocumentRegistry_RegisterDocumentSet-b", "urn:ihe:iti:2007:RegisterDocumentSet-b"),
    ("registry", "DocumentRegistry_RegistryStoredQuery", "urn:ihe:iti:2007:RegistryStoredQuery"),
    (
        "repository",
        "DocumentRepository_ProvideAndRegisterDocumentSet-b",
        "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
    ),
    ("repository", "DocumentRepository_RetrieveDocumentSet", "urn:ihe:iti:2007:RetrieveDocumentSet"),
]


# --- schemas ---


@pytest.mark.parametrize("name", SCHEMAS)
def test_libxml2_compiles_each_schema(name):
    assert etree.XMLSchema(file=str(contracts.schema_path(name)))


def test_every_schema_of_the_checkout_is_listed_here():
    assert sorted(SCHEMAS) == sorted(file.name for file in (CHECKOUT / "schemas").glob("*.xsd"))


CLASSIFICATION = (
    '<rim:Classification id="c1" classifiedObject="Document01" nodeRepresentation="11488-4"'
    ' classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983">'
    '<rim:Slot name="codingScheme"><rim:ValueList><rim:Value>2.16.840.1.113883.6.1</rim:Value></rim:ValueList>'
    "</rim:Slot>"
    '<rim:Name><rim:LocalizedString xml:lang="fr-FR" charset="UTF-8" value="Compte rendu"/></rim:Name>'
    "</rim:Classification>"
)
IDENTIFIER = (
    '<rim:ExternalIdentifier id="x1" registryObject="Document01" value="1.2.3"'
    ' identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"/>'
)
ENTRY = (
    '<rim:ExtrinsicObject id="Document01" mimeType="text/xml" lid="urn:uuid:1" home="urn:oid:1.2" status="urn:s"'
    ' objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
    '<rim:Slot name="urn:vendor:extra" slotType="urn:t"><rim:ValueList><rim:Value>a</rim:Value></rim:ValueList>'
    "</rim:Slot>"
    '<rim:Name/><rim:Description/><rim:VersionInfo versionName="1"/>'
    + CLASSIFICATION
    + IDENTIFIER
    + "</rim:ExtrinsicObject>"
)
PACKAGE = '<rim:RegistryPackage id="SubmissionSet01"><rim:RegistryObjectList/></rim:RegistryPackage>'
ASSOCIATION = (
    '<rim:Association id="a1" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"'
    ' sourceObject="SubmissionSet01" targetObject="Document01"/>'
)


def submit(*objects):
    return (
        f'<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="{RIM}">'
        f"<rim:RegistryObjectList>{''.join(objects)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>"
    )


def query(content="", **attributes):
    given = "".join(f' {name}="{value}"' for name, value in {"returnType": "LeafClass", **attributes}.items())
    return (
        f'<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="{RIM}">'
        f'<query:ResponseOption{given}/><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">'
        f"{content}</rim:AdhocQuery></query:AdhocQueryRequest>"
    )


def found(*objects, status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"):
    return (
        f'<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="{RIM}"'
        f' status="{status}"><rim:RegistryObjectList>{"".join(objects)}</rim:RegistryObjectList>'
        "</query:AdhocQueryResponse>"
    )


def refused(error='codeContext="why" errorCode="XDSRegistryError"'):
    return (
        '<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:f">'
        f'<rs:RegistryErrorList highestSeverity="urn:e"><rs:RegistryError {error}/></rs:RegistryErrorList>'
        "</rs:RegistryResponse>"
    )


def xds(root, content):
    return f'<xds:{root} xmlns:xds="urn:ihe:iti:xds-b:2007">{content}</xds:{root}>'


def provide(document='<xds:Document id="Document01">aGVsbG8=</xds:Document>'):
    return xds("ProvideAndRegisterDocumentSetRequest", submit(ENTRY, PACKAGE, ASSOCIATION) + document)


def documents(tag, *children):
    content = "".join(f"<xds:{name}>{value}</xds:{name}>" for name, value in children)
    return f"<xds:{tag}>{content}</xds:{tag}>"


WANTED = (("RepositoryUniqueId", "1.2"), ("DocumentUniqueId", "1.2.3"))
RETURNED = (*WANTED, ("mimeType", "text/xml"), ("Document", "aGVsbG8="))
DONE = '<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:s"/>'
NEW = (("NewRepositoryUniqueId", "1.5"), ("NewDocumentUniqueId", "1.5.6"))

CONFORMANT = {
    "a submission": (
        "lcm.xsd",
        submit(ENTRY, PACKAGE, CLASSIFICATION, ASSOCIATION, '<rim:ObjectRef id="urn:uuid:2"/>'),
    ),
    "an empty list of request slots": ("lcm.xsd", submit().replace("<rim:R", "<rs:RequestSlotList/><rim:R", 1)),
    "a stored query": (
        "query.xsd",
        query(
            '<rim:Slot name="$XDSDocumentEntryPatientId">'
            "<rim:ValueList><rim:Value>x</rim:Value></rim:ValueList></rim:Slot>"
        ),
    ),
    "found objects": ("query.xsd", found(ENTRY, PACKAGE, ASSOCIATION)),
    "found references": ("query.xsd", found('<rim:ObjectRef id="urn:uuid:2" home="urn:oid:1.2"/>')),
    "an outcome with errors": ("rs.xsd", refused()),
    "documents provided": ("XDS.b_DocumentRepository.xsd", provide()),
    "an empty document": ("XDS.b_DocumentRepository.xsd", provide('<xds:Document id="Document01"/>')),
    "no document": ("XDS.b_DocumentRepository.xsd", provide("")),
    "documents asked for": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetRequest", documents("DocumentRequest", ("HomeCommunityId", "urn:oid:1"), *WANTED) * 2),
    ),
    "documents returned": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *RETURNED)),
    ),
    "an on-demand document returned": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *RETURNED[:2], *NEW, *RETURNED[2:])),
    ),
    "nothing returned": ("XDS.b_DocumentRepository.xsd", xds("RetrieveDocumentSetResponse", DONE)),
}
NONCONFORMANT = {
    "an entry without id": ("lcm.xsd", submit(ENTRY.replace('id="Document01" ', "", 1))),
    "a slot without name": ("lcm.xsd", submit(ENTRY.replace(' name="urn:vendor:extra"', ""))),
    "a name after the classifications": (
        "lcm.xsd",
        submit(ENTRY.replace("<rim:Name/>", "").replace("</rim:Extr", "<rim:Name/></rim:Extr")),
    ),
    "an association without target": ("lcm.xsd", submit(ASSOCIATION.replace(' targetObject="Document01"', ""))),
    "an identifier without scheme": ("lcm.xsd", submit(IDENTIFIER.replace("identificationScheme", "scheme"))),
    "a list member named by xsi:type": (
        "lcm.xsd",
        submit(
            '<rim:Identifiable xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            ' id="Document01" xsi:type="rim:ExtrinsicObjectType"/>'
        ),
    ),
    "no list of objects": (
        "lcm.xsd",
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"/>',
    ),
    "a return type that is none": ("query.xsd", query(returnType="Everything")),
    "an outcome without status": ("rs.xsd", DONE.replace(' status="urn:s"', "")),
    "an error without code": ("rs.xsd", refused('codeContext="why"')),
    "a document without id": ("XDS.b_DocumentRepository.xsd", provide("<xds:Document>aGVsbG8=</xds:Document>")),
    "a document that is not base64": (
        "XDS.b_DocumentRepository.xsd",
        provide('<xds:Document id="Document01">aGVsb</xds:Document>'),
    ),
    "no document asked for": ("XDS.b_DocumentRepository.xsd", xds("RetrieveDocumentSetRequest", "")),
    "a document of no repository": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetRequest", documents("DocumentRequest", WANTED[1])),
    ),
    "a document returned without mimeType": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *WANTED, RETURNED[-1])),
    ),
}


def is_valid(schema, message):
    if "xmlns:rs=" not in message:
        message = message.replace(" xmlns:", ' xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" xmlns:', 1)
    return etree.XMLSchema(file=str(contracts.schema_path(schema))).validate(etree.fromstring(message))


@pytest.mark.parametrize(("schema", "message"), CONFORMANT.values(), ids=CONFORMANT)
def test_a_conformant_message_is_valid(schema, message):
    assert is_valid(schema, message)


@pytest.mark.parametrize(("schema", "message"), NONCONFORMANT.values(), ids=NONCONFORMANT)
def test_a_nonconformant_message_is_not(schema, message):
    assert not is_valid(schema, message)


# --- WSDLs ---


def operations(client):
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    return service.name, port.name, port.binding, port.binding_options["address"]


@pytest.mark.parametrize(("actor", "name"), [("registry", "DocumentRegistry"), ("repository", "DocumentRepository")])
def test_zeep_loads_a_wsdl_from_disk_under_the_names_of_ihe(actor, name):
    service, port, binding, _ = operations(zeep.Client(str(contracts.wsdl_path(actor))))
    assert (service, port) == (f"{name}_Service", f"{name}_Port_Soap12")
    assert binding.name == f"{{urn:ihe:iti:xds-b:2007}}{name}_Binding_Soap12"
    assert set(binding.all()) == {operation for owner, operation, _ in OPERATIONS if owner == actor}


@pytest.mark.parametrize(("actor", "operation", "action"), OPERATIONS)
def test_an_operation_has_the_actions_of_ihe(actor, operation, action):
    bound = operations(zeep.Client(str(contracts.wsdl_path(actor))))[2].get(operation)
    assert (bound.soapaction, bound.abstract.wsa_action) == (action, action)
    names = {"w": "http://schemas.xmlsoap.org/wsdl/"}
    (output,) = etree.parse(contracts.wsdl_path(actor)).xpath(
        f"//w:portType/w:operation[@name='{operation}']/w:output", namespaces=names
    )
    assert output.get("{http://www.w3.org/2006/05/addressing/wsdl}Action") == action + "Response"


@pytest.mark.parametrize("actor", ["registry", "repository"])
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
