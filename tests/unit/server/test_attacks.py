"""Every attack of tests/unit/attacks.py on ITI-18, ITI-41 and ITI-43, through the pipeline as it serves.

After each attack the genuine message is accepted: a gateway that refuses everything does not pass.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.actors.test_registry import find, numbered
from tests.unit.assertions import AUDIENCE
from tests.unit.attacks import ATTACKS, CONDITIONS, EVIL, GENUINE, ISSUER, Attack
from tests.unit.builders import REPOSITORY, make_entry
from tests.unit.domains import Domain, open_domain
from tests.unit.opened import Opened
from tests.unit.server.exchanges import Bench, Received, envelope, make_request, multipart
from tests.unit.server.test_pipeline import MTOM_TYPE, attached, provide_body
from tests.unit.signatures import Holder, holder, security, sign, unsigned
from tests.unit.users import Remembered, make_users
from xds_gateway.actors.x_service_provider import TRANSACTION
from xds_gateway.codec import xdsb
from xds_gateway.model import assertions as a
from xds_gateway.model import vocabulary as v
from xds_gateway.model.assertions import Confirmation
from xds_gateway.model.messages import AuditEvent, DocumentRequest, RetrieveRequest
from xds_gateway.security.policies import POLICIES
from xds_gateway.security.refusals import RULES

DOCUMENT = DocumentRequest(REPOSITORY, make_entry(1).unique_id or "")
BODIES = {
    "ITI-18": xdsb.render_query_request(find()),
    "ITI-41": b"",
    "ITI-43": xdsb.render_retrieve_request(RetrieveRequest(documents=(DOCUMENT,))),
}
TRANSACTIONS = sorted(BODIES)


def with_body(body: bytes, more: str) -> bytes:
    """A body with something right before the end of its element."""
    end = body.rindex(b"</")
    return body[:end] + more.encode() + body[end:]


def send(bench: Bench, transaction: str, headers: str, more: str = "", holder: Holder | None = None) -> Received:
    """A message with these headers, and with more inside of its body, from the holder of a client certificate.

    A submission is another one for each holder: only the same caller may send one again.
    """
    submission = numbered(1 if holder is None else 2)
    body = provide_body(submission) if transaction == "ITI-41" else BODIES[transaction]
    root = envelope(transaction, with_body(body, more), headers=headers)
    parts = attached(submission) if transaction == "ITI-41" else []
    request = make_request(multipart(root, parts), MTOM_TYPE, certificate=holder and holder.der)
    return bench.answer(request, "registry" if transaction == "ITI-18" else "repository")


def succeeded(received: Received) -> bool:
    return v.SUCCESS.encode() in received.content


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with open_domain(tmp_path_factory.mktemp("attacks")) as opened:
        yield opened


@pytest.fixture(scope="module")
def journal(domain: Domain) -> Remembered:
    return Remembered(domain.storage.journal)


@pytest.fixture(scope="module")
def bench(domain: Domain, journal: Remembered) -> Bench:
    """A mount that requires assertions; a document is in its domain."""
    opened = Bench(domain, users=make_users(domain, journal=journal))
    assert succeeded(send(opened, "ITI-41", security(GENUINE)))
    return opened


class Traces:
    """What a message leaves behind: refusals, spools that were begun."""

    def __init__(self, bench: Bench, journal: Remembered) -> None:
        self._bench = bench
        self._journal = journal
        self._events = len(journal.events)
        self._begun = bench.documents.begun

    @property
    def refusals(self) -> list[AuditEvent]:
        """Events of the audit since."""
        return self._journal.events[self._events :]

    @property
    def begun(self) -> bool:
        """Whether a document was taken."""
        return self._bench.documents.begun != self._begun


def check_refused(received: Received, rule: str, traces: Traces) -> None:
    assert received.fault == "Sender"
    assert not traces.begun
    if rule in RULES:
        assert [(event.transaction, event.outcome, event.codes) for event in traces.refusals] == [
            (TRANSACTION, "failure", (rule,))
        ]
        assert received.subcode == RULES[rule].fault.value
    else:  # no XML that is read at all
        assert traces.refusals == []
    assert EVIL.encode() not in received.content


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_an_attack_is_refused_and_the_genuine_message_accepted(
    bench: Bench, journal: Remembered, attack: Attack, transaction: str
) -> None:
    traces = Traces(bench, journal)
    received = send(bench, transaction, attack.headers(GENUINE), attack.body(GENUINE))
    check_refused(received, attack.rule, traces)
    assert succeeded(send(bench, transaction, security(GENUINE)))


def test_every_rule_has_an_attack_or_a_test_of_its_own() -> None:
    tested = {attack.rule for attack in ATTACKS.values()}
    elsewhere = {
        *("wss.required", "wss.timestamp", "wss.timestamp.expired"),  # test_users.py
        *("saml.issuer.certificate", "saml.replayed", "saml.forgotten"),
        *("saml.id", "saml.issuer", "saml.instant", "saml.attribute"),  # codec/test_saml.py
        "saml.audience.forbidden",  # security/test_saml.py
    }
    assert set(RULES) - tested == elsewhere


def test_every_attack_names_the_policies_that_refuse_it() -> None:
    assert {policy for attack in ATTACKS.values() for policy in attack.policies} == set(POLICIES)


# --- the same assertion, a little less far gone -----------------------------------------------------------------


def at_the_limit() -> dict[str, dict[str, object]]:
    """Changes of a good assertion that are just good, for attacks of the same name."""
    from tests.unit import attacks as t

    minute, second = t._MINUTE, t._SECOND
    return {
        "expired": {**t._EARLY, "not_on_or_after": t.NOW - minute + second},
        "not yet valid": {"not_before": t.NOW + minute},
        "issued in the future": {"issue_instant": t.NOW + minute},
        "valid for a day and a second": {"not_on_or_after": t.NOW + t.timedelta(days=1)},
        "issued two days ago": {"issue_instant": t.NOW - t.timedelta(hours=23)},
        "the session is over": {"session_not_on_or_after": t.NOW - minute + second},
        "two restrictions, one for another": {"audiences": ((AUDIENCE,), (AUDIENCE, t._OTHER))},
        "another audience": {"audiences": ((t._OTHER, AUDIENCE),)},
        "a confirmation that has expired": {"confirmations": t._bearer(not_on_or_after=t.NOW - minute + second)},
        "sender-vouches": {"confirmations": (Confirmation(a.SENDER_VOUCHES), Confirmation(a.BEARER))},
        "a confirmation for another recipient": {"confirmations": t._bearer(recipient=AUDIENCE)},
    }


@pytest.mark.parametrize("name", at_the_limit())
def test_what_is_just_good_is_accepted(bench: Bench, name: str) -> None:
    assert name in CONDITIONS
    assert succeeded(send(bench, "ITI-18", security(sign(unsigned(**at_the_limit()[name]), ISSUER))))


@pytest.mark.parametrize(
    ("named", "presented", "good"),
    [
        (holder("node"), holder("node"), True),
        (holder("node"), holder("other node"), False),
        (holder("node"), None, False),
    ],
)
@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_a_holder_of_key_holds_the_key_of_the_connection(
    bench: Bench, journal: Remembered, named: Holder, presented: Holder | None, good: bool, transaction: str
) -> None:
    traces = Traces(bench, journal)
    headers = security(sign(unsigned(confirmations=(Confirmation(a.HOLDER_OF_KEY, certificate=named.der),)), ISSUER))
    received = send(bench, transaction, headers, holder=presented)
    if good:
        assert succeeded(received)
    else:
        check_refused(received, "saml.confirmation", traces)


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_a_second_use_is_refused_on_every_transaction(bench: Bench, journal: Remembered, transaction: str) -> None:
    headers = security(sign(unsigned(id=f"_once-{transaction}", one_time_use=True), ISSUER))
    assert succeeded(send(bench, transaction, headers))
    traces = Traces(bench, journal)
    check_refused(send(bench, transaction, headers), "saml.replayed", traces)


# --- nothing is fetched -------------------------------------------------------------------------------------------

TARGETS: list[Callable[[str], str]] = [
    lambda uri: sign(unsigned(), ISSUER).replace(' URI="#', f' URI="{uri}#', 1),
    lambda uri: sign(unsigned(), ISSUER).replace(
        "</ds:Signature>", f'<ds:KeyInfo><ds:RetrievalMethod URI="{uri}"/></ds:KeyInfo></ds:Signature>'
    ),
    lambda uri: sign(unsigned(), ISSUER).replace(
        "<saml:Subject>", f'<saml:Subject xmlns:xsi2="{uri}" xsi:schemaLocation="{uri} {uri}">'
    ),
    lambda uri: f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{uri}"/>{sign(unsigned(), ISSUER)}',
    lambda uri: f'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="{uri}"/>',
]


@pytest.mark.parametrize("target", range(len(TARGETS)))
@pytest.mark.parametrize("form", ["file://{}", "{}", "http://127.0.0.1:{}/"])
def test_nothing_is_opened_or_called(bench: Bench, tmp_path: Path, target: int, form: str) -> None:
    with Opened(tmp_path) as opened:
        uri = form.format(opened.port if "http" in form else opened.file)
        received = send(bench, "ITI-18", security(TARGETS[target](uri)))
        assert received.fault == "Sender"
        assert opened.nothing
        opened.file.read_bytes()
        assert not opened.nothing  # the watch works
