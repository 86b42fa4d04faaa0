"""The throw-away PKI is accepted by strict verifiers, keeps its keys to itself and never replaces what is there."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from xds_gateway.pki import (
    P12_PASSWORD,
    PkiExists,
    certificate_pem,
    issue_authority,
    issue_client,
    issue_server,
    key_pem,
    make_pki,
    pki_in,
)

NOW = datetime.now(UTC)
KEYS = {"audit.key", "client.key", "client.p12", "server.key", "signer.key", "issuer.key", "revoked.key"}
FILES = KEYS | {"ca.crl", "ca.crt", "ca.p12", "client.crt", "revoked.crt", "server.crt", "signer.crt"}
FILES |= {"issuer.crt", "assertion.toml"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("pki"), now=NOW)


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def policy(pki, *, at=NOW):
    return PolicyBuilder().store(Store([certificate(pki.ca)])).time(at)


def handshake(client, server, host="localhost"):
    """Handshake between two contexts in memory; the certificate that the server saw. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1].getpeercert(binary_form=True)


def contexts(pki, tmp_path, client):
    """Strict contexts of both sides, the client with the certificate of an `Issued` or of nobody."""
    here = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=pki.ca)
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.ca)
    there.verify_mode = ssl.CERT_REQUIRED
    there.load_cert_chain(pki.server_certificate, pki.server_key)
    for context in (here, there):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    if client is not None:
        (tmp_path / "c.crt").write_bytes(certificate_pem(client))
        (tmp_path / "c.key").write_bytes(key_pem(client))
        here.load_cert_chain(tmp_path / "c.crt", tmp_path / "c.key")
    return here, there


def test_all_files_are_made_and_only_keys_are_private(pki):
    folder = pki.ca.parent
    assert {path.name for path in folder.iterdir()} == FILES
    private = {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077 == 0}
    assert private == KEYS
    assert pki_in(folder) == pki


@pytest.mark.parametrize("role", ["server", "client", "signer", "issuer", "revoked"])
def test_each_key_belongs_to_its_certificate(pki, role):
    key = load_pem_private_key(getattr(pki, f"{role}_key").read_bytes(), None)
    assert certificate(getattr(pki, f"{role}_certificate")).public_key() == key.public_key()


@pytest.mark.parametrize("name", [x509.DNSName("localhost"), x509.IPAddress(ip_address("::1"))])
def test_a_strict_verifier_accepts_the_server(pki, name):
    chain = policy(pki).build_server_verifier(name).verify(certificate(pki.server_certificate), [])
    assert chain[-1] == certificate(pki.ca)


def test_a_strict_verifier_accepts_the_client_as_a_client_only(pki):
    verified = policy(pki).build_client_verifier().verify(certificate(pki.client_certificate), [])
    assert verified.chain[-1] == certificate(pki.ca)
    with pytest.raises(VerificationError, match="EKU"):
        policy(pki).build_client_verifier().verify(certificate(pki.server_certificate), [])


@pytest.mark.parametrize("later", [timedelta(days=-1), timedelta(days=826)])
def test_certificates_end(pki, later):
    with pytest.raises(VerificationError):
        policy(pki, at=NOW + later).build_client_verifier().verify(certificate(pki.client_certificate), [])


def test_mutual_tls_in_strict_mode(pki, tmp_path):
    here, there = contexts(pki, tmp_path, None)
    here.load_cert_chain(pki.client_certificate, pki.client_key)
    assert handshake(here, there) == certificate(pki.client_certificate).public_bytes(Encoding.DER)


def test_a_client_of_another_authority_of_the_same_name_is_refused(pki, tmp_path):
    stranger = issue_authority("XDS gateway throw-away CA", now=NOW)
    here, there = contexts(pki, tmp_path, issue_client("Practice software", stranger, now=NOW))
    with pytest.raises(ssl.SSLError):
        handshake(here, there)


def test_a_client_without_certificate_is_refused(pki, tmp_path):
    here, there = contexts(pki, tmp_path, None)
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        handshake(here, there)


def test_a_server_of_another_name_is_refused(pki, tmp_path):
    here, there = contexts(pki, tmp_path, None)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(here, there, "gateway.example.org")


def test_the_pkcs12_files_hold_client_and_authority(pki):
    client = pkcs12.load_pkcs12(pki.client_p12.read_bytes(), P12_PASSWORD.encode())
    assert client.cert.certificate == certificate(pki.client_certificate)
    assert [each.certificate for each in client.additional_certs] == [certificate(pki.ca)]
    trust = pkcs12.load_pkcs12(pki.ca_p12.read_bytes(), P12_PASSWORD.encode())
    assert [each.certificate for each in trust.additional_certs] == [certificate(pki.ca)]


def test_the_signer_may_sign_documents_and_not_speak_tls(pki):
    signer = certificate(pki.signer_certificate)
    assert signer.public_key().key_size == 2048
    assert signer.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    with pytest.raises(VerificationError, match="EKU"):
        policy(pki).build_client_verifier().verify(signer, [])


def test_the_list_revokes_one_client_and_not_the_other(pki):
    crl = x509.load_der_x509_crl(pki.crl.read_bytes())
    assert crl.is_signature_valid(certificate(pki.ca).public_key())
    assert [each.serial_number for each in crl] == [certificate(pki.revoked_certificate).serial_number]
    assert crl.next_update_utc > NOW + timedelta(days=824)


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_is_replaced_unless_it_is_said(tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(PkiExists) as caught:
        make_pki(tmp_path, now=NOW)
    assert caught.value.path == tmp_path / name
    assert [path.name for path in tmp_path.iterdir()] == [name]
    make_pki(tmp_path, now=NOW, force=True)
    assert (tmp_path / name).read_bytes() != b"mine"


def test_the_server_has_the_names_that_are_asked_for(tmp_path):
    pki = make_pki(tmp_path, now=NOW, hosts=("gateway.example.org", "192.0.2.7"))
    names = certificate(pki.server_certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gateway.example.org"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]


def test_a_server_without_a_name_is_refused():
    with pytest.raises(ValueError, match="needs a host name"):
        issue_server("XDS gateway", issue_authority("CA", now=NOW), now=NOW, hosts=())
