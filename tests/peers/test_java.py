"""A Java program made by CXF from the served WSDLs works with the gateway over mutual TLS, WS-Addressing and MTOM."""

import hashlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from xds_gateway.model import vocabulary as v
from xds_gateway.pki import P12_PASSWORD

PROJECT = Path(__file__).parent / "java"
PATIENT = "PEER-1^^^&1.3.6.1.4.1.21367.13.20.3000&ISO"
DOCUMENT = os.urandom(100 * 1024)
SOAP, MTOM = "application/soap+xml", "multipart/related"

#   step        transaction                        status             form of the answer
STEPS = [
    ("provide", "ProvideAndRegisterDocumentSet-b", v.SUCCESS, MTOM),
    ("find", "RegistryStoredQuery", v.SUCCESS, SOAP),
    ("retrieve", "RetrieveDocumentSet", v.SUCCESS, MTOM),
    ("partial", "RetrieveDocumentSet", v.PARTIAL_SUCCESS, MTOM),
    ("register", "RegisterDocumentSet-b", v.SUCCESS, SOAP),
    ("refused", "ProvideAndRegisterDocumentSet-b", v.FAILURE, MTOM),
]


@pytest.fixture
def unique_id():
    return f"2.25.{uuid.uuid4().int}"


@pytest.fixture
def peer(gateway, unique_id, tmp_path):
    """What the Java program reported, by name, and the document that it retrieved."""
    shutil.copytree(PROJECT, tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    (tmp_path / "sent").write_bytes(DOCUMENT)
    (tmp_path / "trust.p12").write_bytes(truststore(gateway.pki.files.ca))
    properties = {
        "wsdl.registry": f"{gateway.registry_url}?wsdl",
        "wsdl.repository": f"{gateway.repository_url}?wsdl",
        "tls.keystore": gateway.pki.files.client_p12,
        "tls.truststore": tmp_path / "trust.p12",
        "tls.password": P12_PASSWORD,
        "peer.patient": PATIENT,
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
    for step, transaction, status, form in STEPS:
        assert report[f"{step}.status"] == status
        assert report[f"{step}.action"] == f"urn:ihe:iti:2007:{transaction}Response"
        assert report[f"{step}.related"] == "true"
        assert report[f"{step}.contentType"].split(";")[0] == form
    assert (report["find.count"], report["find.uniqueId"]) == ("1", unique_id)
    assert report["find.name"] == "Résumé of a Java program"
    assert (report["find.size"], report["find.hash"]) == (str(len(DOCUMENT)), hashlib.sha1(DOCUMENT).hexdigest())
    assert retrieved == DOCUMENT
    assert (report["partial.count"], report["partial.mimeType"]) == ("1", "application/octet-stream")
    assert f"{unique_id}.404" in report["partial.error.XDSDocumentUniqueIdError"]
    assert "classCode" in report["refused.error.XDSRegistryMetadataError"]
