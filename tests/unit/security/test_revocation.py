"""What a revocation list says, and which lists are refused (RFC 5280, 5 and 6.3)."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from tests.unit.certificates import DAY, NOW, make_authority, make_certificate, make_client, make_crl, make_odd_crl
from xds_gateway.security.revocation import (
    RevocationListRefused,
    RevocationLists,
    parse_revocation_lists,
    verify_revocation_list,
)

AUTHORITY = make_authority()
POINT = x509.UniformResourceIdentifier("http://crl.example.org/one.crl")


def verified(content, *authorities):
    found = [each.certificate for each in authorities or (AUTHORITY,)]
    return RevocationLists([verify_revocation_list(crl, found) for crl in parse_revocation_lists(content)])


def point(**flags):
    """An Issuing Distribution Point that says no more than this."""
    absent = {"full_name": None, "relative_name": None, "only_some_reasons": None}
    no = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    return x509.IssuingDistributionPoint(**{**absent, **no, **flags})


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_list_names_whom_it_revokes(encoding):
    good, bad = make_client(AUTHORITY), make_client(AUTHORITY)
    lists = verified(make_crl(AUTHORITY, bad, encoding=encoding))
    assert [lists.verdict(each.certificate, NOW) for each in (good, bad)] == ["good", "revoked"]


@pytest.mark.parametrize(
    ("at", "good", "bad"),
    [
        (NOW, "good", "revoked"),
        (NOW + DAY - timedelta(seconds=1), "good", "revoked"),
        (NOW + DAY, "stale", "revoked"),
        (NOW - DAY, "stale", "revoked"),  # before it was made
    ],
)
def test_a_list_ends_and_still_revokes(at, good, bad):
    client, revoked = make_client(AUTHORITY), make_client(AUTHORITY)
    lists = verified(make_crl(AUTHORITY, revoked))
    assert [lists.verdict(each.certificate, at) for each in (client, revoked)] == [good, bad]


def test_several_lists_in_one_file():
    other = make_authority("Another authority")
    ours, theirs = make_client(AUTHORITY), make_client(other)
    lists = verified(make_crl(AUTHORITY, ours) + b"\n# another\n" + make_crl(other, theirs), AUTHORITY, other)
    assert [lists.verdict(each.certificate, NOW) for each in (ours, theirs)] == ["revoked", "revoked"]


def test_the_newest_list_of_an_issuer_counts():
    held = make_client(AUTHORITY)
    older = make_crl(AUTHORITY, held, now=NOW - DAY, life=3 * DAY)
    lists = verified(older + make_crl(AUTHORITY))
    assert lists.verdict(held.certificate, NOW) == "good"


def test_a_list_speaks_for_its_issuer_only():
    other = make_client(make_authority("Another authority"))
    assert verified(make_crl(AUTHORITY)).verdict(other.certificate, NOW) == "missing"


def test_the_new_key_of_an_authority_signs_lists_for_certificates_of_the_old_one():
    renewed = make_authority()
    client = make_client(AUTHORITY)
    lists = verified(make_crl(renewed, client), AUTHORITY, renewed)
    assert lists.verdict(client.certificate, NOW) == "revoked"


@pytest.mark.parametrize(
    ("scope", "user", "authority"),
    [
        (point(full_name=[POINT]), "good", "missing"),
        (point(only_contains_user_certs=True), "good", "missing"),
        (point(only_contains_ca_certs=True), "missing", "good"),
    ],
)
def test_a_list_for_some_certificates_says_nothing_of_others(scope, user, authority):
    points = x509.CRLDistributionPoints([x509.DistributionPoint([POINT], None, None, None)])
    client = make_certificate(under=AUTHORITY, extensions=[points])
    below = make_authority("One below", under=AUTHORITY)
    lists = verified(make_odd_crl(AUTHORITY, (scope, True)))
    assert [lists.verdict(each.certificate, NOW) for each in (client, below)] == [user, authority]


NO_SIGNER = make_certificate(
    [(attribute.oid, attribute.value) for attribute in AUTHORITY.certificate.subject],
    extensions=[x509.KeyUsage(*([True] + [False] * 8))],
)


@pytest.mark.parametrize(
    ("content", "authority", "says"),
    [
        (b"no list", AUTHORITY, "neither PEM nor DER"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----", AUTHORITY, "neither PEM nor DER"),
        (make_crl(make_authority("Another authority")), AUTHORITY, "CN=Another authority"),
        (make_crl(make_authority()), AUTHORITY, "its signature is not that of its issuer"),
        (make_crl(NO_SIGNER), NO_SIGNER, "its signature is not that of its issuer"),
        (make_odd_crl(AUTHORITY, (x509.DeltaCRLIndicator(1), True)), AUTHORITY, "delta list"),
        (make_odd_crl(AUTHORITY, (point(indirect_crl=True), True)), AUTHORITY, "indirect"),
        (make_odd_crl(AUTHORITY, (point(only_contains_attribute_certs=True), True)), AUTHORITY, "is a part"),
        (
            make_odd_crl(AUTHORITY, (point(only_some_reasons=frozenset([x509.ReasonFlags.superseded])), True)),
            AUTHORITY,
            "is a part",
        ),
        (
            make_odd_crl(AUTHORITY, (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), b"\x05\x00"), True)),
            AUTHORITY,
            "critical extension 1.2.3",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(content, authority, says):
    with pytest.raises(RevocationListRefused, match=says):
        verified(content, authority)


def test_a_list_without_an_end_is_refused():
    (crl,) = parse_revocation_lists(make_crl(AUTHORITY))
    endless = SimpleNamespace(issuer=crl.issuer, next_update_utc=None, is_signature_valid=lambda key: True)
    with pytest.raises(RevocationListRefused, match="nextUpdate"):
        verify_revocation_list(endless, [AUTHORITY.certificate])


def test_an_extension_that_is_not_critical_is_passed_over():
    odd = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), b"\x05\x00")
    assert verified(make_odd_crl(AUTHORITY, (odd, False))).verdict(make_client(AUTHORITY).certificate, NOW) == "good"
