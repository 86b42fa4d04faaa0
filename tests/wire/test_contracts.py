"""WSDLs and schemas as a SOAP tool fetches them, and zeep calling what they describe over mutual TLS."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
import requests
import zeep
from lxml import etree
from zeep.transports import Transport

from tests.gateways import RunningGateway
from xds_gateway.codec.transactions import ENDPOINTS, TRANSACTIONS
from xds_gateway.model.vocabulary import APPROVED

from .messages import REPOSITORY, accepted, new_patient, provide
from .raw import call

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = "http://schemas.xmlsoap.org/wsdl/soap12/"
XSD = "http://www.w3.org/2001/XMLSchema"


def fetch(gateway: RunningGateway, target: str, **headers: str) -> bytes:
    """A contract, which must be there."""
    response = call(gateway, target, b"", headers, method="GET")
    assert (response.status, response.content_type) == (200, "text/xml")
    return response.body


def addresses(wsdl: bytes) -> list[str]:
    """Where a WSDL says that its services are."""
    return [item.get("location", "") for item in etree.fromstring(wsdl).iter(f"{{{SOAP}}}address")]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("query", ["wsdl", "WSDL", "singlewsdl"])
def test_a_wsdl_says_the_public_url_whatever_host_the_caller_names(gateway, endpoint, query):
    headers = {"Host": "attacker.example", "X-Forwarded-Host": "attacker.example"}
    wsdl = fetch(gateway, f"/services/{endpoint}?{query}", **headers)
    assert set(addresses(wsdl)) == {f"{gateway.public_url}/services/{endpoint}"}
    assert b"attacker" not in wsdl


def test_the_public_url_is_a_setting(start_gateway):
    gateway = start_gateway(public_url="https://xds.hospital.example/gate")
    wsdl = fetch(gateway, "/services/registry?wsdl")
    assert set(addresses(wsdl)) == {"https://xds.hospital.example/gate/services/registry"}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_import_of_a_wsdl_resolves(gateway, endpoint):
    start = f"/services/{endpoint}?wsdl"
    fetched: set[str] = set()
    waiting = [start]
    while waiting:
        target = waiting.pop()
        if target in fetched:
            continue
        fetched.add(target)
        tree = etree.fromstring(fetch(gateway, target))
        imports = tree.iter(f"{{{XSD}}}import", f"{{{XSD}}}include", f"{{{WSDL}}}import")
        places = [item.get("schemaLocation") or item.get("location") for item in imports]
        assert all(place is not None and not urlsplit(place).netloc for place in places)
        waiting += [urljoin(target, place) for place in places if place]
    assert len(fetched) > 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_action_of_a_wsdl_is_answered(gateway, endpoint):
    wsdl = fetch(gateway, f"/services/{endpoint}?wsdl").decode()
    rows = [row for row in TRANSACTIONS if row.endpoint == endpoint]
    known = {action for row in rows for action in (row.request_action, row.response_action)}
    assert set(re.findall(r'Action="(urn:[^"]+)"', wsdl)) == known


@pytest.fixture
def transport(gateway) -> Transport:
    """zeep's own transport, with certificates only."""
    session = requests.Session()
    session.trust_env = False  # a CA bundle of the environment would count instead
    session.verify = str(gateway.pki.files.ca)
    session.cert = tuple(map(str, gateway.pki.client))
    return Transport(session=session)


def test_zeep_finds_and_retrieves_with_nothing_but_the_wsdl(gateway, transport):
    patient = new_patient()
    provided = accepted(gateway, provide(b"for zeep \x00\xff", patient=patient))
    settings = zeep.Settings(strict=False)
    registry = zeep.Client(f"{gateway.registry_url}?wsdl", transport=transport, settings=settings)
    values = {"$XDSDocumentEntryPatientId": f"'{patient}'", "$XDSDocumentEntryStatus": f"('{APPROVED}')"}
    found = registry.service.DocumentRegistry_RegistryStoredQuery(
        ResponseOption={"returnType": "ObjectRef", "returnComposedObjects": True},
        AdhocQuery={
            "id": "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
            "Slot": [{"name": name, "ValueList": {"Value": [value]}} for name, value in values.items()],
        },
    )
    assert found["status"].endswith(":Success")
    of_several = registry.service.DocumentRegistry_MultiPatientStoredQuery(
        ResponseOption={"returnType": "ObjectRef", "returnComposedObjects": True},
        AdhocQuery={
            "id": "urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f",
            "Slot": [{"name": name, "ValueList": {"Value": [value]}} for name, value in values.items()],
        },
    )
    assert of_several["status"].endswith(":Success")
    repository = zeep.Client(f"{gateway.repository_url}?wsdl", transport=transport, settings=settings)
    answer = repository.service.DocumentRepository_RetrieveDocumentSet(
        DocumentRequest=[{"RepositoryUniqueId": REPOSITORY, "DocumentUniqueId": provided.unique_ids[0]}]
    )
    assert [document["Document"] for document in answer["DocumentResponse"]] == [b"for zeep \x00\xff"]
