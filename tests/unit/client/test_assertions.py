"""Assertions that the client signs: what a profile becomes, how long one is used, which keys are refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from tests.unit.security.test_signing import verify
from xds_gateway.client import KeyUnavailable, Misconfigured, read_assertion_profile
from xds_gateway.client.assertions import AssertionSource, make_assertion
from xds_gateway.client.keys import open_key
from xds_gateway.codec.saml import parse_assertion
from xds_gateway.config import ConfigurationError
from xds_gateway.config.assertion_profile import AssertionProfile, load_assertion_profile
from xds_gateway.model import assertions as a
from xds_gateway.model.principal import Coded
from xds_gateway.pki import Issued, certificate_pem, issue_authority, issue_client, key_pem, make_pki
from xds_gateway.security.keys import read_certificate

NOW = datetime.now(UTC).replace(microsecond=0)
PATIENT = "42^^^&1.2.3&ISO"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("keys"), now=NOW)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_source(keys, clock):
    """A source of the throw-away profile with changes, and what else it is given."""

    def make(given=None, **changes) -> AssertionSource:
        profile = load_assertion_profile(keys.assertion_profile).model_copy(update=changes)
        return AssertionSource(profile, open_key(profile.key, {}), clock=clock, **(given or {}))

    return make


def read(xml: bytes):
    return parse_assertion(etree.fromstring(xml))


def issuer(keys) -> Issued:
    return Issued(certificate=read_certificate(keys.issuer_certificate.read_bytes()), key=None)  # type: ignore[arg-type]


# What it says


def test_a_profile_becomes_a_signed_assertion(keys):
    source = read_assertion_profile(keys.assertion_profile).changed(patient=PATIENT)
    made, xml = source.new()
    assert parse_assertion(verify(xml, issuer(keys))) == made
    assert made.not_before == made.issue_instant
    assert made.not_on_or_after - made.not_before == timedelta(minutes=5)
    assert list(made.values(a.ROLE)) == [Coded("309343006", "2.16.840.1.113883.6.96", "Physician")]
    assert list(made.values(a.RESOURCE_ID)) == [PATIENT]
    assert [each.method for each in made.confirmations] == [a.BEARER]


def test_what_a_profile_does_not_say_is_not_in_the_assertion(keys):
    profile = load_assertion_profile(keys.assertion_profile)
    bare = profile.model_copy(update={"subject": profile.subject.model_copy(update={"roles": (), "name": None})})
    names = {each.name for each in make_assertion(bare, NOW, "_1").attributes}
    assert names == {a.ORGANIZATION, a.ORGANIZATION_ID, a.PURPOSE_OF_USE}


def test_a_call_may_have_another_purpose(make_source):
    emergency = Coded("ETREAT", "2.16.840.1.113883.5.8", "emergency treatment")
    usual = make_source()
    assert list(read(usual.changed(purposes=[emergency])()).values(a.PURPOSE_OF_USE)) == [emergency]
    assert [each.code for each in read(usual()).values(a.PURPOSE_OF_USE)] == ["TREAT"]


def test_holder_of_key_names_the_certificate_of_the_connection(make_source, keys):
    held = issue_client("Client", issue_authority("Authority", now=NOW), now=NOW)
    der = read_certificate(certificate_pem(held)).public_bytes
    from cryptography.hazmat.primitives.serialization import Encoding

    source = make_source({"client_certificate": der(Encoding.DER)}, confirmation="holder-of-key")
    (confirmation,) = read(source()).confirmations
    assert (confirmation.method, confirmation.certificate) == (a.HOLDER_OF_KEY, der(Encoding.DER))
    with pytest.raises(Misconfigured, match="say which client certificate"):
        make_source(confirmation="holder-of-key")


# How long it is used


@pytest.mark.parametrize(
    ("minutes", "seconds", "same"),
    [(5, 0, True), (5, 269, True), (5, 270, False), (5, 301, False), (5, -1, False), (1, 47, True), (1, 48, False)],
)
def test_an_assertion_is_used_until_shortly_before_it_ends(make_source, clock, minutes, seconds, same):
    source = make_source(minutes=minutes)
    first = source()
    clock.now = NOW + timedelta(seconds=seconds)
    assert (source() == first) is same


def test_an_assertion_for_one_use_is_new_for_each_call(make_source):
    source = make_source(one_time_use=True)
    made = [read(source()) for _ in range(3)]
    assert len({each.id for each in made}) == 3
    assert all(each.one_time_use for each in made)


@pytest.mark.parametrize("days", [-1, 826])
def test_a_key_whose_certificate_has_ended_signs_nothing(make_source, clock, days):
    clock.now = NOW + timedelta(days=days)
    with pytest.raises(KeyUnavailable, match="make a new one"):
        make_source()()


# Profiles and keys that are refused

GOOD = """
issuer = "urn:issuer"
audiences = ["urn:audience"]
[subject]
name_id = "feeder"
[key]
file = "issuer.key"
certificate = "issuer.crt"
"""
MODULE = 'module = "p11.so"\ntoken = "t"\nlabel = "k"\npassword_variable = "PIN"'
FILES = 'file = "issuer.key"\ncertificate = "issuer.crt"'
PROFILES = [
    #  from, to                                        what the sentence says
    ("issuer = ", "isuer = ", "There is no setting isuer .*did you mean issuer"),
    ("[subject]", "[subjects]", "There is no setting subjects"),
    ('["urn:audience"]', "[]", "audiences is empty"),
    ('["urn:audience"]', '"urn:audience"', "audiences is"),
    ('issuer = "urn:issuer"', "", "issuer is wrong: write a value, it has no default"),
    ('issuer = "urn:issuer"', 'issuer = "urn:issuer"\nminutes = 0', "a number above"),
    ('"feeder"', '"feeder"\nroles = ["Physician"]', "write CODE.DISPLAY.SCHEME"),
    ('"feeder"', '"feeder"\nhome_community_id = "1.2"', "urn:oid:"),
    (FILES, "", "names no key, or several"),
    (FILES, f'{FILES}\npkcs12 = "a.p12"', "names no key, or several"),
    (FILES, 'file = "issuer.key"', "has no certificate"),
    (FILES, 'module = "p11.so"\ntoken = "t"', "not both token and label"),
    (FILES, MODULE.replace('password_variable = "PIN"', ""), "has no PIN"),
    (FILES, f'{MODULE}\npassword_file = "pin"', "keep one of the two"),
    ("[key]", "[key", "is not TOML"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), PROFILES)
def test_a_wrong_profile_is_refused_by_its_name(tmp_path, old, new, sentence):
    path = tmp_path / "profile.toml"
    path.write_text(GOOD)
    assert isinstance(load_assertion_profile(path), AssertionProfile)
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        load_assertion_profile(path)
    assert str(path) in str(refused.value)


@pytest.fixture
def profile(tmp_path, keys) -> Path:
    """A profile with copies of the throw-away keys beside it."""
    for path, mode in ((keys.issuer_key, 0o600), (keys.issuer_certificate, 0o644)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(mode)
    (tmp_path / "profile.toml").write_text(GOOD)
    return tmp_path / "profile.toml"


def test_paths_of_a_profile_are_taken_from_its_folder(profile, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert b"urn:issuer" in read_assertion_profile(profile)()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_open_is_refused(profile, mode):
    (profile.parent / "issuer.key").chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600"):
        read_assertion_profile(profile)


@pytest.mark.parametrize("name", ["issuer.key", "issuer.crt"])
def test_a_file_that_is_not_there_is_named(profile, name):
    (profile.parent / name).unlink()
    with pytest.raises(Misconfigured, match=f"{name} cannot be read"):
        read_assertion_profile(profile)


def test_a_key_of_another_certificate_is_refused(profile):
    other = issue_client("Other", issue_authority("Authority", now=NOW), now=NOW)
    (profile.parent / "issuer.key").write_bytes(key_pem(other))
    with pytest.raises(Misconfigured, match="do not belong together"):
        read_assertion_profile(profile)


SECRET = "correct-horse"


@pytest.fixture
def encrypted(profile, keys):
    """The same with its key and certificate in a PKCS #12 file."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        load_pem_private_key,
        pkcs12,
    )

    key = load_pem_private_key(keys.issuer_key.read_bytes(), None)
    certificate = read_certificate(keys.issuer_certificate.read_bytes())
    made = pkcs12.serialize_key_and_certificates(b"", key, certificate, None, BestAvailableEncryption(SECRET.encode()))
    (profile.parent / "issuer.p12").write_bytes(made)
    (profile.parent / "issuer.p12").chmod(0o600)
    (profile.parent / "password").write_text(f"{SECRET}\n")
    (profile.parent / "password").chmod(0o600)
    return profile


@pytest.mark.parametrize("where", ['password_file = "password"', 'password_variable = "KEY_PASSWORD"'])
def test_a_password_comes_from_a_file_or_a_variable(encrypted, where, keys):
    encrypted.write_text(GOOD.replace(FILES, f'pkcs12 = "issuer.p12"\n{where}'))
    verify(read_assertion_profile(encrypted, environ={"KEY_PASSWORD": SECRET})(), issuer(keys))


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("", "password is another one"),
        ('password_variable = "KEY_PASSWORD"', "KEY_PASSWORD, which has the password of the key, is not set"),
        ('password_file = "issuer.crt"', "chmod 600"),
        ('password_file = "nowhere"', "nowhere cannot be read"),
    ],
)
def test_a_password_that_is_not_there_is_told_without_it(encrypted, where, sentence):
    encrypted.write_text(GOOD.replace(FILES, f'pkcs12 = "issuer.p12"\n{where}'))
    with pytest.raises(Misconfigured, match=sentence) as refused:
        read_assertion_profile(encrypted, environ={})
    assert SECRET not in str(refused.value)
