"""Who is let in after the handshake: pins, paths, revocation, time; and certificates that a proxy forwards."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.unit.certificates import DAY, NOW, der, make_authority, make_certificate, make_client, make_crl
from xds_gateway.model.nodes import NodeReason, NodeRefused
from xds_gateway.security.revocation import RevocationLists, parse_revocation_lists, verify_revocation_list
from xds_gateway.security.trust import ClientTrust, fingerprint, parse_certificates

ROOT = make_authority("The root")
BELOW = make_authority("The one below", under=ROOT, path_length=0)
CLIENT, REVOKED = make_client(BELOW), make_client(BELOW)
SELF_SIGNED = make_certificate()
STRANGER = make_client(make_authority("A stranger"))


def lists(*contents):
    found = [ROOT.certificate, BELOW.certificate]
    return RevocationLists(
        [verify_revocation_list(crl, found) for content in contents for crl in parse_revocation_lists(content)]
    )


def make_trust(**changes):
    fields = {"authorities": (ROOT.certificate,), "lists": lists(make_crl(ROOT), make_crl(BELOW, REVOKED))}
    return ClientTrust(**{**fields, **changes})


def pins(*issued):
    return frozenset(fingerprint(der(each)) for each in issued)


def outcome(trust, issued, *, presented=(BELOW,), now=NOW, check="check"):
    """What becomes of a certificate, issued here or as bytes."""
    certificate = issued if isinstance(issued, bytes) else der(issued)
    try:
        getattr(trust, check)(certificate, [der(each) for each in presented], now)
    except NodeRefused as refused:
        return refused.reason.value
    return "let in"


@pytest.mark.parametrize(
    ("changes", "issued", "expected"),
    [
        ({}, CLIENT, "let in"),
        ({}, REVOKED, "revoked"),
        ({"revocation": "soft"}, REVOKED, "revoked"),
        ({"lists": None}, REVOKED, "let in"),
        ({"lists": lists(make_crl(ROOT))}, CLIENT, "crl-missing"),
        ({"lists": lists(make_crl(BELOW))}, CLIENT, "crl-missing"),  # nobody speaks of the authority below
        ({"lists": lists(make_crl(ROOT)), "revocation": "soft"}, CLIENT, "let in"),
        ({"lists": lists(make_crl(ROOT, BELOW), make_crl(BELOW))}, CLIENT, "revoked"),
        ({"lists": lists(make_crl(ROOT, BELOW), make_crl(BELOW)), "revocation": "soft"}, CLIENT, "revoked"),
        ({"whom": "pinned", "pinned": pins(CLIENT)}, CLIENT, "let in"),
        ({"whom": "pinned", "pinned": pins(CLIENT)}, REVOKED, "not-pinned"),
        ({"whom": "pinned", "pinned": pins(REVOKED)}, REVOKED, "revoked"),
        ({"whom": "pinned", "pinned": pins(SELF_SIGNED)}, SELF_SIGNED, "let in"),
        ({"whom": "pinned", "pinned": pins(STRANGER)}, STRANGER, "let in"),  # no list has to speak of it
        ({"whom": "either", "pinned": pins(SELF_SIGNED)}, SELF_SIGNED, "let in"),
        ({"whom": "either", "pinned": pins(SELF_SIGNED)}, CLIENT, "let in"),
        ({"whom": "either", "pinned": pins(SELF_SIGNED)}, STRANGER, "unknown-authority"),
    ],
)
def test_who_is_let_in(changes, issued, expected):
    assert outcome(make_trust(**changes), issued) == expected


def test_a_pinned_authority_vouches_for_itself_only():
    pinned = make_authority("A pinned one")
    trust = make_trust(whom="either", pinned=pins(pinned), lists=None)
    assert outcome(trust, make_client(pinned), presented=[pinned]) == "unknown-authority"


@pytest.mark.parametrize(
    ("revocation", "at", "expected"),
    [
        ("hard", NOW, "let in"),
        ("hard", NOW + 2 * DAY, "crl-stale"),
        ("soft", NOW + 2 * DAY, "let in"),
        ("hard", NOW + 900 * DAY, "expired"),
        ("soft", NOW - 2 * DAY, "not-yet-valid"),
    ],
)
def test_what_was_let_in_is_judged_again_later(revocation, at, expected):
    assert outcome(make_trust(revocation=revocation), CLIENT, now=at) == expected


def test_a_verdict_follows_the_clock():
    """What is remembered of a good one does not outlive the list, nor the certificate."""
    trust = make_trust()
    assert [outcome(trust, CLIENT, now=at) for at in (NOW, NOW + 2 * DAY, NOW, NOW - 2 * DAY)] == [
        "let in",
        "crl-stale",
        "let in",
        "not-yet-valid",
    ]


def test_a_verdict_on_a_certificate_of_tls_says_nothing_of_a_forwarded_one():
    trust = make_trust(revocation="soft")
    assert outcome(trust, FORGED, presented=()) == "let in"  # TLS would not have verified it
    assert outcome(trust, FORGED, presented=(), check="verify_forwarded") == "unknown-authority"


def test_a_path_that_is_not_known_whole_is_refused_when_lists_must_speak():
    assert outcome(make_trust(), CLIENT, presented=()) == "crl-missing"
    assert outcome(make_trust(authorities=(ROOT.certificate, BELOW.certificate)), CLIENT, presented=()) == "let in"
    assert outcome(make_trust(revocation="soft"), CLIENT, presented=()) == "let in"


def test_the_refusal_names_the_node():
    with pytest.raises(NodeRefused) as caught:
        make_trust().check(der(REVOKED), [der(BELOW)], NOW)
    assert (caught.value.reason, caught.value.node) == (
        NodeReason.REVOKED,
        "CN=Practice software,O=XDS gateway demonstration",
    )


UNREADABLE = b"a card that OpenSSL reads"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "broken-certificate"),
        ({"revocation": "soft"}, "let in"),
        ({"lists": None}, "let in"),
        ({"lists": None, "whom": "either", "pinned": pins(CLIENT)}, "broken-certificate"),
        ({"whom": "pinned", "pinned": frozenset([fingerprint(UNREADABLE)])}, "let in"),
    ],
)
def test_a_certificate_that_only_openssl_can_read(changes, expected):
    assert outcome(make_trust(**changes), UNREADABLE) == expected


SERVER = make_certificate(under=ROOT, usage=ExtendedKeyUsageOID.SERVER_AUTH)
ANY_USE = make_certificate(under=ROOT, usage=None)
FORGED = make_certificate(under=make_authority("The root"))
OLD = make_certificate(under=ROOT, start=NOW - 3 * DAY, end=NOW - 2 * DAY)
EARLY = make_certificate(under=ROOT, start=NOW + DAY, end=NOW + 2 * DAY)
NO_AUTHORITY = make_certificate(under=ROOT)  # a client that plays the authority
CHILD = make_certificate([(NameOID.COMMON_NAME, "Its child")], under=NO_AUTHORITY)


@pytest.mark.parametrize(
    ("issued", "presented", "expected"),
    [
        (CLIENT, (BELOW,), "let in"),
        (CLIENT, (), "unknown-authority"),
        (REVOKED, (BELOW,), "revoked"),
        (ANY_USE, (), "let in"),
        (SERVER, (), "wrong-purpose"),
        (FORGED, (), "unknown-authority"),
        (STRANGER, (), "unknown-authority"),
        (SELF_SIGNED, (), "self-signed"),
        (OLD, (), "expired"),
        (EARLY, (), "not-yet-valid"),
        (CHILD, (NO_AUTHORITY,), "unknown-authority"),
    ],
)
def test_the_whole_path_of_a_forwarded_certificate_is_verified(issued, presented, expected):
    assert outcome(make_trust(), issued, presented=presented, check="verify_forwarded") == expected


@pytest.mark.parametrize(
    ("whom", "pinned", "issued", "expected"),
    [
        ("pinned", (SELF_SIGNED,), SELF_SIGNED, "let in"),
        ("pinned", (SELF_SIGNED,), CLIENT, "not-pinned"),
        ("pinned", (OLD,), OLD, "expired"),
        ("either", (SELF_SIGNED,), CLIENT, "let in"),
        ("either", (SELF_SIGNED,), STRANGER, "unknown-authority"),
    ],
)
def test_pins_count_for_forwarded_certificates_too(whom, pinned, issued, expected):
    trust = make_trust(whom=whom, pinned=pins(*pinned))
    assert outcome(trust, issued, check="verify_forwarded") == expected


def test_a_forwarded_certificate_that_cannot_be_read_is_refused():
    with pytest.raises(NodeRefused, match="broken-certificate"):
        make_trust().verify_forwarded(UNREADABLE, (), NOW)


def test_certificates_of_a_pem_file():
    text = "# première\n".encode() + b"".join(each.certificate.public_bytes(Encoding.PEM) for each in (ROOT, BELOW))
    assert parse_certificates(text) == (der(ROOT), der(BELOW))
    assert parse_certificates(der(ROOT)) == (der(ROOT),)
    with pytest.raises(ValueError, match="neither PEM nor DER"):
        parse_certificates(b"no certificate")
