"""Users of a mount: what a genuine assertion proves, what is told of a refused one, and to whom."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.submissions import open_in
from tests.unit.actors.test_registry import find
from tests.unit.assertions import GOOD, NOW, PHYSICIAN, TREATMENT
from tests.unit.domains import open_domain
from tests.unit.server.exchanges import MESSAGE_ID, Bench, Received, plain
from tests.unit.signatures import holder, security, sign, unsigned
from tests.unit.users import issuers, make_users
from xds_gateway.actors.x_service_provider import TRANSACTION
from xds_gateway.codec import xdsb
from xds_gateway.codec.namespaces import WSU
from xds_gateway.model import assertions as a
from xds_gateway.model import vocabulary as v
from xds_gateway.model.assertions import Attribute
from xds_gateway.model.errors import StorageFull
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.principal import Call, User
from xds_gateway.security.refusals import RULES, SENTENCES

QUERY = xdsb.render_query_request(find())


@contextmanager
def asking(folder: Path, *, tell_refusals: bool = False, **policy: Any) -> Iterator[Bench]:
    with open_domain(folder) as domain:
        yield Bench(domain, users=make_users(domain, **policy), tell_refusals=tell_refusals)


def ask(bench: Bench, headers: str = "", **request: Any) -> Received:
    return bench.answer(plain("ITI-18", QUERY, headers, **request), "registry")


def genuine(**changes: Any) -> str:
    return security(sign(unsigned(**changes), holder("issuer")))


def refused_by(bench: Bench, received: Received) -> str:
    """The rule that the audit tells of a refusal, whose fault must be the rule's."""
    event = bench.domain.journal()[-1]
    assert (event.transaction, event.outcome, event.message_id) == (TRANSACTION, "failure", MESSAGE_ID)
    (rule,) = event.codes
    assert (received.fault, received.subcode) == ("Sender", RULES[rule].fault.value)
    return rule


def accepted(received: Received) -> bool:
    return bool(received.body.get("status") == v.SUCCESS)


# --- who it is ----------------------------------------------------------------------------------------------------


class Seen:
    """What the actors are told of the caller."""

    def __init__(self, bench: Bench) -> None:
        self.users: list[User | None] = []
        registry = bench.domain.registry
        perform = registry.query

        def query(call: Call, request: Any) -> Any:
            self.users.append(call.principal.user)
            return perform(call, request)

        registry.query = query  # type: ignore[method-assign]


def test_the_user_of_an_assertion_reaches_the_actors(tmp_path: Path) -> None:
    patient = Attribute(a.RESOURCE_ID, ("P1^^^&1.2.3&ISO",))
    told = genuine(sp_provided_id="martin", attributes=(*GOOD.attributes, patient))
    with asking(tmp_path) as bench:
        seen = Seen(bench)
        assert accepted(ask(bench, told))
    assert seen.users == [
        User(
            name_id="dr.martin",
            issuer=GOOD.issuer,
            assertion_id=GOOD.id,
            alias="martin",
            name="Dr Claire Martin",
            organization="Hospital",
            organization_id="urn:oid:1.2.250.1.999.2",
            roles=(PHYSICIAN,),
            purposes=(TREATMENT,),
            patient_id=PatientId("P1", "1.2.3"),
        )
    ]


@pytest.mark.parametrize(
    ("presence", "headers", "rule"),
    [
        ("required", "", "wss.required"),
        ("required", security(), "wss.required"),
        ("optional", "", None),
        ("optional", security(), None),
        ("optional", security(unsigned()), "wss.signature.one"),
        ("optional", security('<x xmlns="urn:x"/>'), "wss.token"),
    ],
)
def test_a_mount_says_whether_an_assertion_must_come(
    tmp_path: Path, presence: str, headers: str, rule: str | None
) -> None:
    with asking(tmp_path, presence=presence) as bench:
        received = ask(bench, headers)
        assert accepted(received) is (rule is None)
        if rule:
            assert refused_by(bench, received) == rule


@pytest.mark.parametrize(("headers", "good"), [(security(unsigned()), True), (security() * 2, False)])
def test_a_mount_without_assertions_reads_none(bench: Bench, headers: str, good: bool) -> None:
    seen = Seen(bench)
    received = ask(bench, headers)
    assert accepted(received) is good
    assert seen.users == ([None] if good else [])
    assert good or received.subcode == "InvalidSecurity"


# --- what is told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tell_refusals", [False, True])
def test_only_a_tester_is_told_why(tmp_path: Path, tell_refusals: bool) -> None:
    with asking(tmp_path, tell_refusals=tell_refusals) as bench:
        received = ask(bench, genuine(audiences=(("urn:oid:1.2.3",),)))
        rule = refused_by(bench, received)
    reason = received.reason or ""
    assert reason.startswith(RULES[rule].sentence if tell_refusals else SENTENCES[RULES[rule].fault])
    assert ("received=urn:oid:1.2.3" in reason) is ("saml.audience" in reason) is tell_refusals


def test_a_refusal_that_cannot_be_recorded_is_still_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        def record(self, *events: object) -> None:
            raise StorageFull

    with open_domain(tmp_path) as domain:
        users = make_users(domain)
        users._journal = Full()
        assert ask(Bench(domain, users=users)).subcode == "InvalidSecurity"
    assert "refusal not in the journal" in caplog.text


# --- time stamps of the message -----------------------------------------------------------------------------------


def stamped(expires: str) -> str:
    stamp = f'<u:Timestamp xmlns:u="{WSU}"><u:Expires>{expires}</u:Expires></u:Timestamp>'
    return security(stamp, sign(unsigned(), holder("issuer")))


@pytest.mark.parametrize(
    ("expires", "rule"),
    [
        ("2026-03-01T12:05:00Z", None),
        ("2026-03-01T11:59:01.000Z", None),
        ("2026-03-01T11:59:00Z", "wss.timestamp.expired"),
        ("2026-03-01T12:05:00", "wss.timestamp"),
        ("soon", "wss.timestamp"),
    ],
)
def test_a_timestamp_ends_a_message(tmp_path: Path, expires: str, rule: str | None) -> None:
    with asking(tmp_path) as bench:
        received = ask(bench, stamped(expires))
        assert accepted(received) if rule is None else refused_by(bench, received) == rule


# --- one use ------------------------------------------------------------------------------------------------------


def test_an_assertion_for_one_use_is_taken_once(tmp_path: Path) -> None:
    once = genuine(one_time_use=True)
    with asking(tmp_path) as bench:
        assert accepted(ask(bench, once))
        assert refused_by(bench, ask(bench, once)) == "saml.replayed"
    with asking(tmp_path) as bench:  # after a restart
        assert refused_by(bench, ask(bench, once)) == "saml.replayed"


def test_an_ordinary_assertion_is_taken_again_and_written_nowhere(tmp_path: Path) -> None:
    ordinary = genuine()
    with asking(tmp_path) as bench:
        assert [accepted(ask(bench, ordinary)) for _ in range(3)] == [True] * 3
        with closing(open_in(tmp_path, writer_name="other")) as other:
            verdict = other.replays.use(GOOD.issuer, GOOD.id, until=NOW, now=NOW)
    assert verdict == "first"


def at(time: datetime, **changes: Any) -> str:
    """A genuine assertion for one use, issued at a time."""
    end = time + timedelta(minutes=5)
    times = {"issue_instant": time, "not_before": time, "authn_instant": time, "not_on_or_after": end}
    confirmation = a.Confirmation(a.BEARER, not_on_or_after=end)
    return genuine(**times, confirmations=(confirmation,), one_time_use=True, **changes)


def test_a_clock_that_goes_back_lets_nothing_in_again(tmp_path: Path) -> None:
    time = [NOW]
    with asking(tmp_path, clock=lambda: time[0]) as bench:
        assert accepted(ask(bench, at(NOW)))
        time[0] = NOW + timedelta(hours=1)
        assert accepted(ask(bench, at(time[0], id="_later")))  # which forgets the first one
        time[0] = NOW
        assert refused_by(bench, ask(bench, at(NOW))) == "saml.forgotten"


def test_of_sixteen_uses_at_once_one_is_taken(tmp_path: Path) -> None:
    once = genuine(one_time_use=True)
    with open_domain(tmp_path) as domain, closing(open_in(tmp_path, writer_name="other")) as other:
        two = make_users(domain)
        two._replays = other.replays
        benches = (Bench(domain, users=make_users(domain)), Bench(domain, users=two))
        outcomes: list[bool] = []
        begin = threading.Barrier(16)

        def use(bench: Bench) -> None:
            begin.wait()
            outcomes.append(accepted(ask(bench, once)))

        threads = [threading.Thread(target=use, args=(benches[n % 2],)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refusals = [event.codes for event in domain.journal() if event.transaction == TRANSACTION]
    assert sorted(outcomes) == [False] * 15 + [True]
    assert refusals == [("saml.replayed",)] * 15


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa", "P-256", "P-384", "P-521"])
def test_two_keys_of_an_issuer_are_valid_together(tmp_path: Path, kind: str) -> None:
    new = holder(f"new {kind}", kind)
    method = "rsa-sha256" if kind == "rsa" else "ecdsa-sha256"
    signed = sign(unsigned(), new, method=f"http://www.w3.org/2001/04/xmldsig-more#{method}")
    with asking(tmp_path, issuers=issuers(holder("issuer"), new)) as bench:
        assert accepted(ask(bench, genuine()))
        assert accepted(ask(bench, security(signed)))


def clock_at(time: datetime) -> Callable[[], datetime]:
    return lambda: time


def test_a_certificate_that_has_expired_has_no_key(tmp_path: Path) -> None:
    old = holder("old", until=NOW - timedelta(minutes=1))
    with asking(tmp_path, issuers=issuers(old)) as bench:
        received = ask(bench, security(sign(unsigned(), old)))
        assert refused_by(bench, received) == "saml.issuer.certificate"
    with asking(tmp_path / "before", issuers=issuers(old), clock=clock_at(NOW - timedelta(minutes=2))) as bench:
        before = NOW - timedelta(minutes=2)
        early = unsigned(issue_instant=before, not_before=before, authn_instant=before)
        assert accepted(ask(bench, security(sign(early, old))))


def test_the_header_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    theirs = security("<x/>", attributes=' s:role="urn:somebody:else"')
    with asking(tmp_path) as bench:
        assert accepted(ask(bench, theirs + genuine()))
        assert refused_by(bench, ask(bench, theirs)) == "wss.required"


def test_an_assertion_of_later_makes_the_operator_look_at_the_clock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with asking(tmp_path, clock=clock_at(NOW - timedelta(minutes=10))) as bench:
        assert refused_by(bench, ask(bench, genuine())) == "saml.notYet"
    assert "compare the clocks" in caplog.text
