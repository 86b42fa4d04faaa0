"""Keys on a PKCS #11 token, here SoftHSM's: signing, other processes, lost sessions, wrong PINs.

Needs softhsm2-util and its library (`make peers`).
"""

import ctypes
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, ObjectClass

from tests.unit.security.test_signing import verify
from xds_gateway.client import KeyUnavailable, Misconfigured, read_assertion_profile
from xds_gateway.pki import certificate_pem, issue_authority, issue_client, issue_signer, key_pem

MODULE = next(path for pattern in ("lib/softhsm", "lib/*/softhsm", "local/lib/softhsm", "lib64/softhsm")
              for path in Path("/usr").glob(f"{pattern}/libsofthsm2.so"))  # fmt: skip
TOKEN, PIN, WRONG = "gateway-tests", "271828", "314159"
NOW = datetime.now(UTC)
AUTHORITY = issue_authority("Authority", now=NOW)
KEYS = {"rsa": issue_signer("RSA issuer", AUTHORITY, now=NOW), "ec": issue_client("EC issuer", AUTHORITY, now=NOW)}
PROFILE = """
issuer = "urn:issuer"
audiences = ["urn:audience"]
one_time_use = true
[subject]
name_id = "feeder"
[key]
module = "{module}"
token = "{token}"
label = "{label}"
password_variable = "TOKEN_PIN"
"""


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """A token with two keys and their certificates; SoftHSM finds it by SOFTHSM2_CONF, once for each process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        util("--init-token", "--free", "--label", TOKEN, "--so-pin", "0000", "--pin", PIN)
        for number, (label, issued) in enumerate(KEYS.items(), 1):
            (folder / "key.pem").write_bytes(key_pem(issued))
            names = ("--token", TOKEN, "--label", label, "--id", f"0{number}", "--pin", PIN)
            util("--import", str(folder / "key.pem"), *names)
        put_certificates()
        yield folder


def util(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True, timeout=60)


def put_certificates() -> None:
    with pkcs11.lib(str(MODULE)).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN) as session:
        for number, (label, issued) in enumerate(KEYS.items(), 1):
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.LABEL: label,
                    Attribute.ID: bytes([number]),
                    Attribute.SUBJECT: issued.certificate.subject.public_bytes(),
                    Attribute.VALUE: issued.certificate.public_bytes(Encoding.DER),
                }
            )


@pytest.fixture
def open_source(token, tmp_path, monkeypatch):
    """A source whose key is on the token."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def opened(label="rsa", pin=PIN, extra="", **changes):
        values = {"module": str(MODULE), "token": TOKEN, "label": label, **changes}
        path = tmp_path / "profile.toml"
        path.write_text(PROFILE.format(**values) + extra)
        return read_assertion_profile(path, environ={"TOKEN_PIN": pin})

    return opened


@pytest.mark.parametrize("label", KEYS)
def test_a_key_on_a_token_signs(open_source, label):
    source = open_source(label)
    for _ in range(3):
        verify(source(), KEYS[label])


def test_the_certificate_may_be_in_a_file(open_source, tmp_path):
    (tmp_path / "other.crt").write_bytes(certificate_pem(KEYS["rsa"]))
    verify(open_source(extra='certificate = "other.crt"')(), KEYS["rsa"])


def test_two_sources_share_a_token(open_source):
    first, second = open_source("rsa"), open_source("ec")
    for source, label in ((first, "rsa"), (second, "ec"), (first, "rsa")):
        verify(source(), KEYS[label])


@pytest.mark.parametrize("lost", ["C_CloseAllSessions", "C_Logout", "C_Finalize"])
def test_a_session_that_is_lost_is_opened_again(open_source, lost):
    source, other = open_source("rsa"), open_source("ec")
    verify(source(), KEYS["rsa"])
    lose_sessions(lost)
    verify(source(), KEYS["rsa"])
    verify(other(), KEYS["ec"])


def lose_sessions(how: str) -> None:
    """What a token that is pulled out does to all sessions of a process; the library is the one in use."""
    library = ctypes.CDLL(str(MODULE))
    if how == "C_Finalize":
        assert library.C_Finalize(None) == 0
    elif how == "C_Logout":
        session = pkcs11.lib(str(MODULE)).get_token(token_label=TOKEN).open()
        assert library.C_Logout(ctypes.c_ulong(session.handle)) == 0
    else:
        slot = pkcs11.lib(str(MODULE)).get_token(token_label=TOKEN).slot.slot_id
        assert library.C_CloseAllSessions(ctypes.c_ulong(slot)) == 0


FORKING = """
import os, sys
from pathlib import Path
from xds_gateway.client import read_assertion_profile

source = read_assertion_profile(Path(sys.argv[1]))
Path(sys.argv[2], "parent").write_bytes(source())
children = []
for name in ("one", "two"):
    child = os.fork()
    if child == 0:
        Path(sys.argv[2], name).write_bytes(source())
        os._exit(0)
    children.append(child)
Path(sys.argv[2], "parent again").write_bytes(source())
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
"""


def test_each_process_has_a_session_of_its_own(open_source, tmp_path):
    open_source()
    (tmp_path / "signed").mkdir()
    arguments = [sys.executable, "-c", FORKING, str(tmp_path / "profile.toml"), str(tmp_path / "signed")]
    done = subprocess.run(arguments, env={**os.environ, "TOKEN_PIN": PIN}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    made = {path.name: path.read_bytes() for path in (tmp_path / "signed").iterdir()}
    assert set(made) == {"parent", "one", "two", "parent again"}
    for each in made.values():
        verify(each, KEYS["rsa"])


def test_a_wrong_pin_is_tried_once_and_never_again(open_source, tmp_path):
    lose_sessions("C_CloseAllSessions")  # a login of this process would count for every session
    for sentence in ("refuses the PIN", "refused this PIN before", "refused this PIN before"):
        with pytest.raises(KeyUnavailable, match=sentence) as refused:
            open_source(pin=WRONG)
        assert WRONG not in str(refused.value)
    open_source()
    arguments = [sys.executable, "-m", "xds_gateway", "assertion", "new", "--profile", str(tmp_path / "profile.toml")]
    lines = [subprocess.run(arguments, env={**os.environ, "TOKEN_PIN": pin}, capture_output=True, timeout=60)
             for pin in (WRONG, WRONG, PIN)]  # fmt: skip
    assert [done.returncode for done in lines] == [2, 2, 0]
    assert b"refused this PIN before" in lines[1].stderr
    assert not [done for done in lines if WRONG.encode() in done.stdout + done.stderr]


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"token": "nowhere"}, KeyUnavailable, "there is no token nowhere"),
        ({"label": "nothing"}, KeyUnavailable, "has no private key nothing"),
        ({"module": "nowhere.so"}, Misconfigured, "nowhere.so is no PKCS #11 library"),
        ({"extra": 'certificate = "nowhere.crt"'}, Misconfigured, "nowhere.crt cannot be read"),
    ],
)
def test_what_is_not_there_is_told(open_source, changes, error, sentence):
    with pytest.raises(error, match=sentence):
        open_source(**changes)
