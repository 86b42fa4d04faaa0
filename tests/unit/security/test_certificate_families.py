"""Whose a certificate is, by the rows of its family."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.unit.certificates import der, make_authority, make_certificate
from xds_gateway.model.certificate_families import GENERIC, CertificateFamily
from xds_gateway.model.principal import NodeIdentity
from xds_gateway.security.certificates import principal_of
from xds_gateway.security.trust import fingerprint

CN, OU, ORG, C = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.COUNTRY_NAME,
)
AUTHORITY = make_authority("Clinic authority")
POLICY = "1.2.3.4"
SUBJECT = ((C, "FR"), (ORG, "Clinique Sud"), (OU, "1750000001"), (CN, "Service 7"))


def make_row(**changes):
    return CertificateFamily(
        **{"family": "clinic", "kind": "structure", "identifier": ("OU",), "name": ("O",), **changes}
    )


def policies(*oids):
    return x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(oid), None) for oid in oids])


def names(*names):
    return x509.SubjectAlternativeName(names)


def identity(certificate, *rows):
    return principal_of(der(certificate), "127.0.0.1", (*rows, GENERIC)).identity


FITTING = make_certificate(SUBJECT, under=AUTHORITY, extensions=[policies("1.2.3.5", POLICY)])


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({}, True),
        ({"issuer": (("CN", "Clinic authority"),)}, True),
        ({"issuer": (("CN", "Clinic"),)}, False),  # a pattern is of the whole value
        ({"issuer": (("CN", "Clinic.*"), ("O", "Nobody"))}, False),
        ({"issuer": (("2.5.4.3", "Clinic authority"),)}, True),
        ({"subject": (("C", "FR"), ("OU", "[0-4][0-9A-Z]{8,20}"))}, True),
        ({"subject": (("OU", "[0-9]{3}"),)}, False),
        ({"subject": (("T", ".*"),)}, False),  # it has none
        ({"policies": frozenset([POLICY, "1.1"])}, True),
        ({"policies": frozenset(["1.1"])}, False),
        ({"extended_key_usages": frozenset([ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string])}, True),
        ({"extended_key_usages": frozenset([ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string])}, False),
        ({"identifier": ("UID",)}, False),  # nothing there
        ({"identifier": ("UID", "OU")}, True),
    ],
)
def test_a_row_fits_when_all_of_its_conditions_do(condition, fits):
    found = identity(FITTING, make_row(**condition))
    expected = NodeIdentity("structure", "1750000001", "Clinique Sud", "clinic")
    assert found == (expected if fits else NodeIdentity("software", "Service 7", "Service 7", "generic"))


def test_the_first_row_that_fits_counts():
    assert identity(FITTING, make_row(family="one"), make_row(family="two")).family == "one"


@pytest.mark.parametrize(
    ("certificate", "identifier", "name"),
    [
        (make_certificate([(CN, "A")]), "A", "A"),
        (make_certificate([(CN, "A"), (CN, "B")]), "B", "B"),
        (make_certificate([(CN, "A")], extensions=[names(x509.DNSName("a.example"))]), "a.example", "A"),
        (
            make_certificate(
                [(ORG, "Z")],
                extensions=[names(x509.DNSName("a.example"), x509.UniformResourceIdentifier("urn:oid:1.2"))],
            ),
            "urn:oid:1.2",
            "Z",
        ),
    ],
)
def test_the_generic_row_takes_what_there_is(certificate, identifier, name):
    assert identity(certificate) == NodeIdentity("software", identifier, name, "generic")


def test_a_certificate_without_any_name_is_identified_by_its_fingerprint():
    nameless = make_certificate(())
    assert identity(nameless) == NodeIdentity("software", fingerprint(der(nameless)), None, "generic")


def test_places_in_subject_alternative_names():
    certificate = make_certificate([(CN, "A")], extensions=[names(x509.RFC822Name("a@example.org"))])
    assert identity(certificate, make_row(identifier=("email",), name=())).identifier == "a@example.org"


def test_what_cannot_be_read_is_nobodys():
    assert principal_of(b"no certificate", "127.0.0.1").identity is None
    assert principal_of(None, "127.0.0.1").identity is None
