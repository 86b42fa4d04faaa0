"""`xds-gateway assertion` without a gateway: what is signed, put into requests and shown, and what is refused."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from tests.unit.client.test_assertions import issuer
from tests.unit.security.test_signing import verify
from xds_gateway.cli.program import run
from xds_gateway.codec.saml import parse_assertion
from xds_gateway.model import assertions as a
from xds_gateway.model.principal import Coded
from xds_gateway.pki import make_pki
from xds_gateway.security.refusals import RULES

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with throw-away keys."""
    folder = tmp_path_factory.mktemp("folder")
    make_pki(folder / "var" / "pki", now=datetime.now(UTC))
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    for name in [each for each in os.environ if each.startswith("XDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)


def keys():
    from xds_gateway.pki import pki_in

    return pki_in(Path("var/pki"))


def new(capfdbinary, *options):
    """What `assertion new` writes."""
    assert run(["assertion", "new", *options]) == 0
    return capfdbinary.readouterr().out


def test_a_signed_assertion_is_printed(capfdbinary):
    made = parse_assertion(verify(new(capfdbinary, "--patient", "42@1.2.3"), issuer(keys())))
    assert made.name_id == "claire.martin"
    assert list(made.values(a.RESOURCE_ID)) == ["42^^^&1.2.3&ISO"]


def test_a_call_in_an_emergency_says_so(capfdbinary):
    made = parse_assertion(etree.fromstring(new(capfdbinary, "--purpose", "ETREAT^^2.16.840.1.113883.5.8")))
    assert list(made.values(a.PURPOSE_OF_USE)) == [Coded("ETREAT", "2.16.840.1.113883.5.8", "ETREAT")]


@pytest.mark.parametrize("name", ["iti-41.mime", "iti-18.xml", "iti-43.mime"])
def test_a_request_gets_the_assertion_and_no_other_byte_changes(capfdbinary, name):
    request = (EXAMPLES / name).read_bytes()
    sent = new(capfdbinary, "--into", str(EXAMPLES / name))
    start, end = sent.index(b"<w:Security "), sent.index(b"</w:Security>") + len(b"</w:Security>")
    assert sent[:start] + sent[end:] == request
    verify(sent[sent.index(b"<saml:Assertion") : sent.index(b"</w:Security>")], issuer(keys()))


def test_an_assertion_in_a_file_is_for_its_owner_only(capfdbinary):
    path = Path("assertion.xml")
    assert new(capfdbinary, "--output", str(path)) == b""
    assert path.stat().st_mode & 0o077 == 0
    verify(path.read_bytes(), issuer(keys()))


def test_json_has_the_assertion_or_the_file(capfdbinary):
    told = json.loads(new(capfdbinary, "--json"))
    assert parse_assertion(etree.fromstring(told["assertion"])).id == told["id"]
    assert told["file"] is None
    told = json.loads(new(capfdbinary, "--json", "--output", "a.xml"))
    assert (told["assertion"], told["file"]) == (None, "a.xml")


@pytest.mark.parametrize(
    "options", [(), ("--into", str(EXAMPLES / "iti-41.mime")), ("--into", str(EXAMPLES / "iti-18.xml"))]
)
def test_what_was_made_can_be_shown(capfdbinary, options):
    new(capfdbinary, "--output", "a", "--patient", "42@1.2.3", *options)
    assert run(["assertion", "show", "a"]) == 0
    shown = " ".join(capfdbinary.readouterr().out.decode().split())
    for text in (
        "user claire.martin",
        ", now",
        "role Physician",
        "only for patient 42^^^&1.2.3&ISO",
        "confirmation bearer",
    ):
        assert text in shown
    assert run(["assertion", "show", "a", "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert told["attributes"][a.RESOURCE_ID] == ["42^^^&1.2.3&ISO"]
    assert told["audiences"] == [["urn:xds-gateway:throw-away-domain"]]


#   command line                                            what the sentence names
USAGE = [
    (["new", "--profile", "nowhere.toml"], "nowhere.toml cannot be read"),
    (["new", "--patient", "42"], "in quotes"),
    (["new", "--purpose", "ETREAT"], "code^display^scheme"),
    (["new", "--into", "nowhere"], "nowhere cannot be read"),
    (["new", "--into", str(EXAMPLES / "note.txt")], "is no captured request"),
    (["new", "--into", str(EXAMPLES / "iti-18.xml"), "--json"], "say --output"),
    (["new", "--output", "nowhere/a"], "nowhere/a cannot be written"),
    (["show", "nowhere"], "nowhere cannot be read"),
    (["show", str(EXAMPLES / "iti-18.xml")], "no assertions"),
    (["show", str(EXAMPLES / "note.txt")], "neither an assertion nor a request"),
]


@pytest.mark.parametrize(("arguments", "named"), USAGE)
def test_a_wrong_command_line_is_told(capfd, arguments, named):
    assert run(["assertion", *arguments]) == 2
    told = capfd.readouterr()
    assert named in told.err
    assert told.out == ""


def test_a_folder_without_keys_is_told_what_to_do(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["assertion", "new"]) == 2
    assert "--profile" in capfd.readouterr().err


def test_an_assertion_that_cannot_be_read_is_told_by_its_rule(capfd):
    path = Path("wrong.xml")
    path.write_text('<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" ID="_1"/>')
    assert run(["assertion", "show", str(path)]) == 2
    assert "saml.structure" in capfd.readouterr().err


# What the gateway would say


def checked(capfdbinary, *arguments, status=0):
    """What `assertion check` says as JSON."""
    assert run(["assertion", "check", *arguments, "--json"]) == status
    return json.loads(capfdbinary.readouterr().out)


@pytest.mark.parametrize("options", [(), ("--into", str(EXAMPLES / "iti-41.mime"))])
def test_an_assertion_that_the_gateway_takes_tells_the_user_and_its_rights(capfdbinary, options):
    new(capfdbinary, "--output", "a", "--patient", "42@1.2.3", *options)
    told = checked(capfdbinary, "a")
    assert (told["accepted"], told["refusal"]) == (True, None)
    assert {name: told["user"][name] for name in ("name_id", "patient", "rights", "mode")} == {
        "name_id": "claire.martin",
        "patient": "42^^^&1.2.3&ISO",
        "rights": ["physician"],
        "mode": "normal",
    }
    assert run(["assertion", "check", "a"]) == 0
    assert "accepted" in capfdbinary.readouterr().out.decode()


def test_an_assertion_that_was_changed_is_refused_with_rule_and_clause(capfdbinary):
    changed = new(capfdbinary).replace(b"claire.martin", b"anna.martin")
    Path("changed").write_bytes(changed)
    told = checked(capfdbinary, "changed", status=1)
    assert (told["accepted"], told["user"], told["refusal"]["rule"]) == (False, None, "dsig.digest")
    assert told["refusal"]["clause"] == RULES["dsig.digest"].clause
    assert run(["assertion", "check", "changed"]) == 1
    assert "dsig.digest" in capfdbinary.readouterr().out.decode()


def test_an_assertion_for_others_tells_the_audience_that_is_expected(capfdbinary, monkeypatch):
    new(capfdbinary, "--output", "a")
    monkeypatch.setenv("XDS_GATEWAY_DOMAINS__0__AUDIENCES", "urn:another")
    refusal = checked(capfdbinary, "a", status=1)["refusal"]
    assert (refusal["rule"], refusal["expected"]) == ("saml.audience", "urn:another")


def test_a_holder_of_key_is_checked_against_the_certificate(capfdbinary):
    profile = (Path("var/pki") / "assertion.toml").read_text()
    Path("var/pki/holder.toml").write_text('confirmation = "holder-of-key"\n' + profile)
    new(capfdbinary, "--profile", "var/pki/holder.toml", "--output", "held")
    assert checked(capfdbinary, "held", "--cert", "var/pki/client.crt")["accepted"]
    for certificate in ((), ("--cert", "var/pki/server.crt")):
        assert checked(capfdbinary, "held", *certificate, status=1)["refusal"]["rule"] == "saml.confirmation"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"hello", "neither an assertion nor a request"), ((EXAMPLES / "iti-41.mime").read_bytes(), "holds no assertion")],
)
def test_what_holds_no_assertion_cannot_be_checked(capfdbinary, content, sentence):
    Path("other").write_bytes(content)
    assert run(["assertion", "check", "other"]) == 2
    assert sentence in capfdbinary.readouterr().err.decode()
