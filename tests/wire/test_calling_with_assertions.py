"""Assertions that the SDK signs, at gateways that want one: every call, one use, holders of keys, rotation of keys."""

from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from tests.gateways import ROOT, RunningGateway, listener, with_users
from xds_gateway.client import Fault, Gateway, read_assertion_profile
from xds_gateway.client.samples import SOURCE_ID, USER, make_sample
from xds_gateway.codec.soap import render_security_header
from xds_gateway.pki import Issued, certificate_pem, issue_authority, issue_client, issue_signer, key_pem

NOW = datetime.now(UTC)
PATIENT = "ASSERTED^^^&1.2.3&ISO"
SEEDS = count(7000)
NUMBERS = count(1)


@contextmanager
def calling(gateway: RunningGateway, folder: Path, assertion=None, client=None):
    certificate, key = client or gateway.pki.client
    with Gateway(
        gateway.registry_url,
        gateway.repository_url,
        certificate=certificate,
        key=key,
        ca=gateway.pki.files.ca,
        journal=folder / "journal",
        assertion=assertion,
    ) as opened:
        yield opened


def profile(folder: Path, pki, **changes: str) -> Path:
    """The throw-away profile with lines of its top changed, beside the keys it names."""
    text = pki.files.assertion_profile.read_text()
    for name in ("issuer.key", "issuer.crt"):
        text = text.replace(f'"{name}"', f'"{pki.files.ca.parent / name}"', 1)
    path = folder / f"{len(list(folder.iterdir()))}.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in changes.items()) + text)
    return path


@pytest.fixture(scope="module")
def stranger() -> Issued:
    """An authority of clients that is not that of the throw-away keys."""
    return issue_authority("Another authority", now=NOW)


@pytest.fixture(scope="module")
def gateway(start_shared, pki, stranger, tmp_path_factory) -> RunningGateway:
    """A gateway that wants assertions and knows two authorities of clients."""
    both = tmp_path_factory.mktemp("authorities") / "both.crt"
    both.write_bytes(pki.files.ca.read_bytes() + certificate_pem(stranger))
    return start_shared(**with_users(pki), listeners=[listener(pki, client_ca=both)])


@pytest.fixture(scope="module")
def uuids(gateway, tmp_path_factory) -> list[str]:
    """Documents of one patient, by the user's own organisation."""
    folder = tmp_path_factory.mktemp("submitted")
    with calling(gateway, folder, read_assertion_profile(gateway.pki.files.assertion_profile)) as client:
        done = client.submit(
            [make_sample(seed=n).changed(authors=(USER,)) for n in range(4)], patient_id=PATIENT, source_id=SOURCE_ID
        )
    return [entry.entry_uuid for entry in done.entries]


def submit(client: Gateway, *, dry_run: bool = False) -> object:
    return client.submit(make_sample(seed=next(SEEDS)), patient_id=PATIENT, source_id=SOURCE_ID, dry_run=dry_run)


#   each way that the client sends: zeep plain and MTOM, rendered plain and MTOM, with other headers, as captured
CALLS = {
    "submit": lambda client, uuids, folder: submit(client),
    "dry run": lambda client, uuids, folder: submit(client, dry_run=True),
    "find": lambda client, uuids, folder: client.find(PATIENT),
    "retrieve": lambda client, uuids, folder: client.retrieve(uuids[0], folder / "copy"),
    "update": lambda client, uuids, folder: client.deprecate(uuids[next(NUMBERS)], source_id=SOURCE_ID),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_carries_an_assertion(gateway, uuids, tmp_path, call):
    with calling(gateway, tmp_path) as client, pytest.raises(Fault) as refused:
        CALLS[call](client, uuids, tmp_path)
    assert refused.value.subcodes == ("InvalidSecurity",)
    with calling(gateway, tmp_path, read_assertion_profile(gateway.pki.files.assertion_profile)) as client:
        CALLS[call](client, uuids, tmp_path)


def test_a_captured_message_is_asked_about_with_a_fresh_assertion(gateway, tmp_path):
    message = (ROOT / "docs" / "examples" / "iti-42.xml").read_bytes()
    old = read_assertion_profile(gateway.pki.files.assertion_profile)()
    captured = message.replace(b"<s:Header>", b"<s:Header>" + render_security_header(old[:-40]).encode(), 1)
    with calling(gateway, tmp_path) as client:
        assert client.explain(message).outcome == "unreadable"
    with calling(gateway, tmp_path, read_assertion_profile(gateway.pki.files.assertion_profile)) as client:
        assert client.explain(message).outcome == "accepted"
        assert client.explain(captured).outcome in ("accepted", "unreadable")


def test_an_assertion_may_come_from_any_function(gateway, tmp_path):
    source = read_assertion_profile(gateway.pki.files.assertion_profile)
    declared = b'<?xml version="1.0" encoding="UTF-8"?>' + source()
    with calling(gateway, tmp_path, lambda: declared) as client:
        client.find(PATIENT)


def test_an_assertion_for_one_use_is_signed_for_each_call(gateway, pki, tmp_path):
    source = read_assertion_profile(profile(tmp_path, pki, one_time_use="true"))
    with calling(gateway, tmp_path, source) as client:
        for _ in range(3):
            client.find(PATIENT)
    once = source()
    with calling(gateway, tmp_path, lambda: once) as client:
        client.find(PATIENT)
        with pytest.raises(Fault):
            client.find(PATIENT)


def test_a_key_is_held_by_the_connection(gateway, pki, stranger, tmp_path):
    held = profile(tmp_path, pki, confirmation='"holder-of-key"')
    source = read_assertion_profile(held, client_certificate=pki.files.client_certificate)
    with calling(gateway, tmp_path, source) as client:
        client.find(PATIENT)
    other = issue_client("Somebody else", stranger, now=NOW)
    pair = tmp_path / "other.crt", tmp_path / "other.key"
    for path, content in zip(pair, (certificate_pem(other), key_pem(other)), strict=True):
        path.write_bytes(content)
    with calling(gateway, tmp_path, source, pair) as client, pytest.raises(Fault):
        client.find(PATIENT)


def test_an_assertion_for_one_patient_says_so_on_the_wire(gateway, pki, tmp_path):
    source = read_assertion_profile(pki.files.assertion_profile).changed(patient=PATIENT)
    with calling(gateway, tmp_path, source) as client:
        assert client.find(PATIENT)


def test_two_keys_are_good_while_the_issuer_changes_them(start_gateway, pki, tmp_path):
    """docs/call-with-an-assertion.md, "Change the issuer's key": trust both, sign with the new one, trust it alone."""
    new = issue_signer("New issuer", issue_authority("Authority", now=NOW), now=NOW)
    (tmp_path / "new.crt").write_bytes(certificate_pem(new))
    (tmp_path / "new.key").write_bytes(key_pem(new))
    (tmp_path / "new.key").chmod(0o600)
    text = pki.files.assertion_profile.read_text()
    (tmp_path / "new.toml").write_text(text.replace("issuer.key", "new.key").replace("issuer.crt", "new.crt"))
    profiles = {"old": pki.files.assertion_profile, "new": tmp_path / "new.toml"}
    certificates = {"old": pki.files.issuer_certificate, "new": tmp_path / "new.crt"}
    for trusted, good in ((("old",), ["old"]), (("old", "new"), ["old", "new"]), (("new",), ["new"])):
        settings = with_users(pki)
        settings["issuers"] = [{"certificates": [certificates[name] for name in trusted]}]
        gateway = start_gateway(**settings)
        assert [name for name in profiles if accepted(gateway, tmp_path, profiles[name])] == good
        gateway.stop()


def accepted(gateway: RunningGateway, folder: Path, path: Path) -> bool:
    with calling(gateway, folder, read_assertion_profile(path)) as client:
        try:
            client.find(PATIENT)
        except Fault as fault:
            return fault.subcodes != ("FailedCheck",)
    return True
