"""A Java program made by CXF from the served WSDLs works with the gateway over mutual TLS, WS-Addressing and MTOM; its
patients are fed by HAPI over MLLP, plain and with TLS, and by HL7 v3."""

import hashlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.wire.feeds import fed_domain
from xds_gateway.model import vocabulary as v
from xds_gateway.pki import P12_PASSWORD

PROJECT = Path(__file__).parent / "java"
PATIENT, OTHER_PATIENT, FORMER_PATIENT = (f"PEER-{n}^^^&1.3.6.1.4.1.21367.13.20.3000&ISO" for n in (1, 2, 3))
DOCUMENT = os.urandom(100 * 1024)
SOAP, MTOM = "application/soap+xml", "multipart/related"

# how each message of a feed is answered; the documents below are of patients who were fed
FEEDS = {"feed": "AA", "feedTls": "AA", "feedV3": "CA", "merge": "AA", "mergeAgain": "AE", "mergeV3": "CE"}

#   step              action of the answer                                         status             its form
STEPS = [
    ("provide", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse", v.SUCCESS, MTOM),
    ("find", "urn:ihe:iti:2007:RegistryStoredQueryResponse", v.SUCCESS, SOAP),
    ("retrieve", "urn:ihe:iti:2007:RetrieveDocumentSetResponse", v.SUCCESS, MTOM),
    ("partial", "urn:ihe:iti:2007:RetrieveDocumentSetResponse", v.PARTIAL_SUCCESS, MTOM),
    ("register", "urn:ihe:iti:2007:RegisterDocumentSet-bResponse", v.SUCCESS, SOAP),
    ("refused", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse", v.FAILURE, MTOM),
    ("update", "urn:ihe:iti:2010:UpdateDocumentSetResponse", v.SUCCESS, SOAP),
    ("restricted", "urn:ihe:iti:2018:RestrictedUpdateDocumentSetResponse", v.SUCCESS, SOAP),
    ("versions", "urn:ihe:iti:2007:RegistryStoredQueryResponse", v.SUCCESS, SOAP),
    ("onDemand", "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse", v.SUCCESS, SOAP),
    ("patients", "urn:ihe:iti:2009:MultiPatientStoredQueryResponse", v.SUCCESS, SOAP),
    ("removeDocument", "urn:ihe:iti:2017:RemoveDocumentsResponse", v.SUCCESS, SOAP),
    ("gone", "urn:ihe:iti:2007:RetrieveDocumentSetResponse", v.FAILURE, MTOM),
    ("before", "urn:ihe:iti:2007:RegistryStoredQueryResponse", v.SUCCESS, SOAP),
    ("removeMetadata", "urn:ihe:iti:2010:DeleteDocumentSetResponse", v.SUCCESS, SOAP),
    ("after", "urn:ihe:iti:2007:RegistryStoredQueryResponse", v.SUCCESS, SOAP),
]


@pytest.fixture
def unique_id():
    return f"2.25.{uuid.uuid4().int}"


@pytest.fixture
def peer(start_gateway, pki, unique_id, tmp_path):
    """What the Java program reported, by name, and the document that it retrieved."""
    gateway = start_gateway(**fed_domain(pki))
    shutil.copytree(PROJECT, tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    (tmp_path / "sent").write_bytes(DOCUMENT)
    (tmp_path / "trust.p12").write_bytes(truststore(gateway.pki.files.ca))
    properties = {
        "wsdl.registry": f"{gateway.registry_url}?wsdl",
        "wsdl.repository": f"{gateway.repository_url}?wsdl",
        "wsdl.responder": f"{gateway.responder_url}?wsdl",
        "wsdl.patients": f"{gateway.patients_url}?wsdl",
        "feed.port": gateway.feed_ports[0],
        "feed.tlsPort": gateway.feed_ports[1],
        "tls.keystore": gateway.pki.files.client_p12,
        "tls.truststore": tmp_path / "trust.p12",
        "tls.password": P12_PASSWORD,
        "peer.patient": PATIENT,
        "peer.otherPatient": OTHER_PATIENT,
        "peer.formerPatient": FORMER_PATIENT,
        "peer.uniqueId": unique_id,
        "peer.document": tmp_path / "sent",
        "peer.retrieved": tmp_path / "retrieved",
        "peer.report": tmp_path / "report",
    }
    goals = ["--batch-mode", "--no-transfer-progress", "compile", "exec:exec"]
    command = ["mvn", *goals, *(f"-D{name}={value}" for name, value in properties.items())]
    with (tmp_path / "log").open("w") as log:
        status = subprocess.call(command, cwd=tmp_path / "java", stdout=log, stderr=log, timeout=500)
    assert status == 0, (tmp_path / "log").read_text()
    lines = (tmp_path / "report").read_text("utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines), (tmp_path / "retrieved").read_bytes()


def truststore(authority):
    certificate = x509.load_pem_x509_certificate(authority.read_bytes())
    trusted = pkcs12.PKCS12Certificate(certificate, b"authority")
    return pkcs12.serialize_java_truststore([trusted], BestAvailableEncryption(P12_PASSWORD.encode()))


def test_a_java_client_generated_from_the_served_wsdls(peer, unique_id):
    report, retrieved = peer
    assert [report[f"{step}.code"] for step in FEEDS] == list(FEEDS.values())
    assert report["feedV3.action"] == report["mergeV3.action"] == "urn:hl7-org:v3:MCCI_IN000002UV01"
    assert {report[f"{step}.{name}"] for step in ("feedV3", "mergeV3") for name in ("related", "target")} == {"true"}
    assert "[rule=ihe.feed.merge.subsumed.merged |" in report["mergeV3.detail.KEY204"]
    for step, action, status, form in STEPS:
        assert report[f"{step}.status"] == status, step
        assert report[f"{step}.action"] == action
        assert report[f"{step}.related"] == "true"
        assert report[f"{step}.contentType"].split(";")[0] == form, step
    assert (report["find.count"], report["find.uniqueId"]) == ("1", unique_id)
    assert report["find.name"] == "Résumé of a Java program"
    assert (report["find.size"], report["find.hash"]) == (str(len(DOCUMENT)), hashlib.sha1(DOCUMENT).hexdigest())
    assert retrieved == DOCUMENT
    assert (report["partial.count"], report["partial.mimeType"]) == ("1", "application/octet-stream")
    assert f"{unique_id}.404" in report["partial.error.XDSDocumentUniqueIdError"]
    assert "classCode" in report["refused.error.XDSRegistryMetadataError"]
    assert [value for name, value in sorted(report.items()) if name.startswith("versions.") and name[-1].isdigit()] == [
        "Deprecated Résumé of a Java program",
        "Deprecated Title of an administrator",
        "Approved Title of an initiator",
    ]
    assert report["patients.uniqueIds"].split() == [unique_id, f"{unique_id}.2", f"{unique_id}.4"]
    assert unique_id in report["gone.error.XDSDocumentUniqueIdError"]
    # four submissions and updates: a set, an entry and a HasMember of each
    assert (report["before.count"], report["after.count"]) == ("12", "0")
