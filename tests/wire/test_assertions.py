"""Assertions on the wire: a gateway with two workers that asks for users, real clocks, real connections."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.conftest import StartGateway
from tests.gateways import RunningGateway, TestPki
from tests.unit.assertions import AUDIENCE, GOOD
from tests.unit.attacks import ATTACKS, evil_of
from tests.unit.signatures import Holder, holder, security, sign, unsigned
from xds_gateway.model import assertions as a
from xds_gateway.model import vocabulary as v
from xds_gateway.model.assertions import Attribute, Confirmation
from xds_gateway.model.datatypes import Code
from xds_gateway.security.refusals import RULES, SENTENCES

from .clinic import eventually
from .messages import Answer, Message, entry_for, find_documents, new_patient, provide, retrieve, send

ISSUER = holder("wire issuer", until=datetime.now(UTC) + timedelta(days=1))
ROGUE = holder("wire rogue")
PATIENT = new_patient()
CONTENT = b"A letter."
NORMAL = {v.DE_CONFIDENTIALITY_CODE: (Code("N", "2.16.840.1.113883.5.25", "normal"),)}
MADE = provide(CONTENT, patient=PATIENT, entries=(entry_for(CONTENT, PATIENT, codes=NORMAL),))


@pytest.fixture(scope="module")
def asking(start_shared: StartGateway, tmp_path_factory: pytest.TempPathFactory) -> RunningGateway:
    certificate = tmp_path_factory.mktemp("issuer") / "issuer.crt"
    certificate.write_bytes(ISSUER.pem)
    gateway = start_shared(
        workers=2,
        domains=[{"audiences": [AUDIENCE]}],
        mounts=[{"assertions": "required"}],
        issuers=[{"name": GOOD.issuer, "certificates": [str(certificate)]}],
    )
    assert succeeded(send(gateway, MADE.message(Security=security(genuine()))))
    return gateway


def genuine(by: Holder = ISSUER, **changes: Any) -> str:
    """An assertion of now, as `tests.unit.assertions.GOOD` otherwise."""
    now = datetime.now(UTC)
    end = now + timedelta(minutes=5)
    times = {"issue_instant": now, "not_before": now, "authn_instant": now, "not_on_or_after": end}
    return sign(unsigned(**{**times, "confirmations": (Confirmation(a.BEARER),), **changes}), by)


def succeeded(answer: Answer) -> bool:
    return answer.status == "Success"


def message(transaction: str, headers: str) -> Message:
    if transaction == "ITI-41":
        return MADE.message(Security=headers)
    if transaction == "ITI-43":
        return retrieve(*MADE.unique_ids, Security=headers)
    found = find_documents(PATIENT)
    return found.replaced(b"</s:Header>", headers.encode() + b"</s:Header>")


TRANSACTIONS = ("ITI-18", "ITI-41", "ITI-43")
OF_GENUINE = [name for name in ATTACKS if name.startswith("XSW")]
OF_GENUINE += ["genuine in a header of its own after", "genuine in the Advice of evil, of the same ID"]
OF_GENUINE += ["evil with genuine's ID and signature", "a genuine assertion whose KeyInfo asks for a key"]
OF_GENUINE += ["two SignedInfo, the first of evil", "a comment in NameID", "a comment in DigestValue"]


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("name", OF_GENUINE)
def test_an_attack_is_refused_on_the_wire(asking: RunningGateway, name: str, transaction: str) -> None:
    good, attack = genuine(), ATTACKS[name]
    answer = send(asking, message(transaction, attack.headers(good)))
    fault = RULES[attack.rule].fault
    told = (answer.fault, answer.subcodes, answer.find("s:Body/s:Fault/s:Reason/s:Text"))
    assert told == ("Sender", [fault.value], SENTENCES[fault])
    assert succeeded(send(asking, message(transaction, security(good))))


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_a_stranger_and_a_rogue_are_refused_on_the_wire(asking: RunningGateway, transaction: str) -> None:
    rogue = sign(evil_of(genuine()), ROGUE, key_info=f"<ds:KeyInfo><ds:KeyValue>{_rsa()}</ds:KeyValue></ds:KeyInfo>")
    late = datetime.now(UTC) - timedelta(minutes=2)
    expired = genuine(issue_instant=late, not_before=late, authn_instant=late, not_on_or_after=late)
    subcodes = [
        send(asking, message(transaction, headers)).subcodes
        for headers in ("", security(rogue), security(expired), security(genuine(audiences=(("urn:other",),))))
    ]
    assert subcodes == [["InvalidSecurity"], ["FailedCheck"], ["InvalidSecurityToken"], ["FailedAuthentication"]]


def _rsa() -> str:
    return "<ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"


def der(path: Path) -> bytes:
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_a_holder_of_key_is_the_holder_of_the_client_certificate(
    asking: RunningGateway, pki: TestPki, transaction: str
) -> None:
    good, other = (
        genuine(confirmations=(Confirmation(a.HOLDER_OF_KEY, certificate=certificate),))
        for certificate in (der(pki.files.client_certificate), ROGUE.der)
    )
    assert succeeded(send(asking, message(transaction, security(good))))
    assert send(asking, message(transaction, security(other))).subcodes == ["FailedAuthentication"]


def test_of_sixteen_uses_at_once_one_is_taken(asking: RunningGateway) -> None:
    once = message("ITI-18", security(genuine(id="_once", one_time_use=True)))
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda _: send(asking, once), range(16)))
    told = Counter("taken" if succeeded(answer) else answer.subcodes[0] for answer in answers)
    assert told == {"taken": 1, "FailedAuthentication": 15}


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_an_assertion_of_another_patient_opens_nothing(asking: RunningGateway, transaction: str) -> None:
    """Of two callers, one has an assertion for the patient of the request, the other for somebody else."""
    own, other = (
        send(asking, about(transaction, security(genuine(attributes=(*GOOD.attributes, of(patient))))))
        for patient in (PATIENT, new_patient())
    )
    assert succeeded(own)
    if transaction == "ITI-18":
        assert own.ids
        assert other.ids == []
    else:
        assert not succeeded(other)


def about(transaction: str, headers: str) -> Message:
    """A request about the patient; a submission is a new one, since one that is sent again changes nothing."""
    if transaction != "ITI-41":
        return message(transaction, headers)
    return provide(CONTENT, patient=PATIENT, entries=(entry_for(CONTENT, PATIENT, codes=NORMAL),)).message(
        Security=headers
    )


def of(patient: str) -> Attribute:
    return Attribute(a.RESOURCE_ID, (patient,))


def test_a_used_assertion_stays_used_after_a_restart(start_gateway: StartGateway, tmp_path: Path) -> None:
    (tmp_path / "issuer.crt").write_bytes(ISSUER.pem)
    once = message("ITI-18", security(genuine(id="_restart", one_time_use=True)))
    outcomes = []
    for _ in range(2):
        gateway = start_gateway(
            data_folder=tmp_path / "data",
            domains=[{"audiences": [AUDIENCE]}],
            mounts=[{"assertions": "required"}],
            issuers=[{"name": GOOD.issuer, "certificates": [str(tmp_path / "issuer.crt")]}],
        )
        outcomes.append(succeeded(send(gateway, once)))
        gateway.kill()
    assert outcomes == [True, False]


def test_every_worker_trusts_an_issuers_new_key_and_lets_go_of_the_old_one(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    new, path = holder("wire issuer, next year", until=datetime.now(UTC) + timedelta(days=1)), tmp_path / "issuer.crt"
    path.write_bytes(ISSUER.pem)
    gateway = start_gateway(
        workers=2,
        certificates={"watch_seconds": 0.2},
        domains=[{"audiences": [AUDIENCE]}],
        mounts=[{"assertions": "required"}],
        issuers=[{"name": GOOD.issuer, "certificates": [str(path)]}],
    )

    def trusted() -> set[tuple[bool, bool]]:
        """What several connections, so that both workers are asked, say of the old key and of the new one."""
        asked = [message("ITI-18", security(genuine(by=by))) for by in (ISSUER, new)]
        return {tuple(succeeded(send(gateway, each)) for each in asked) for _ in range(8)}

    def put(content: bytes) -> None:
        path.with_suffix(".new").write_bytes(content)
        path.with_suffix(".new").replace(path)

    assert trusted() == {(True, False)}
    for content, outcome in ((ISSUER.pem + new.pem, (True, True)), (new.pem, (False, True))):
        put(content)
        eventually(lambda outcome=outcome: trusted() == {outcome})
    put(b"no certificate")
    eventually(lambda: gateway.log_text().count("issuers not reloaded") == 2)
    assert trusted() == {(False, True)}
