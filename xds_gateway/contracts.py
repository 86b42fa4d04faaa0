"""The contracts: WSDLs and XSDs, wherever the package runs from (checkout, editable install or wheel).

In a wheel the folders `wsdl` and `schemas` lie in the package, as `_contracts` (see setup.py); elsewhere they are the
checkout's own. They refer to each other by relative path on disk and, as served, relative to the service's URL.
"""

from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from lxml import etree

Actor = Literal["registry", "repository", "responder", "patients"]

_FILES: Final = {
    "registry": "XDS.b_DocumentRegistry.wsdl",
    "repository": "XDS.b_DocumentRepository.wsdl",
    "responder": "RMU_UpdateResponder.wsdl",
    "patients": "HL7V3_PatientIdentityFeed.wsdl",
}
_ADDRESS: Final = "{http://schemas.xmlsoap.org/wsdl/soap12/}address"
_IMPORT: Final = "{http://www.w3.org/2001/XMLSchema}import"


def wsdl(actor: Actor, address: str) -> bytes:
    """The WSDL of an actor as served at `<mount>/<actor>?wsdl`, with its endpoint address (ITI TF-2 V.2).

    Imports become `schemas/<name>.xsd`, which resolves to `<mount>/schemas/<name>.xsd`. Raises KeyError for an
    unknown actor.
    """
    document = etree.parse(wsdl_path(actor), etree.XMLParser(resolve_entities=False, no_network=True))
    for endpoint in document.iter(_ADDRESS):
        endpoint.set("location", address)
    for imported in document.iter(_IMPORT):
        imported.set("schemaLocation", "schemas/" + PurePosixPath(str(imported.get("schemaLocation"))).name)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


def wsdl_path(actor: Actor) -> Path:
    """The WSDL of an actor as a file whose relative imports resolve. Raises KeyError for an unknown actor."""
    return _folder() / "wsdl" / _FILES[actor]


def schema(name: str) -> bytes:
    """The XSD of this file name, such as `rim.xsd`. Raises KeyError for any other name, whatever it looks like."""
    return _schemas()[name].read_bytes()


def schema_path(name: str) -> Path:
    """The XSD of this file name as a file whose relative imports resolve. Raises KeyError when there is none."""
    return _schemas()[name]


@cache
def _schemas() -> dict[str, Path]:
    return {file.name: file for file in (_folder() / "schemas").glob("*.xsd")}


@cache
def _folder() -> Path:
    package = Path(str(resources.files(__package__)))
    packaged = package / "_contracts"
    return packaged if packaged.is_dir() else package.parent
