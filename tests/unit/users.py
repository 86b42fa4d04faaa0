"""A mount that asks for assertions, as the wiring makes it, over a domain in a temporary folder."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.unit.assertions import AUDIENCE, GOOD, NOW
from tests.unit.domains import NOW as TOLD_NOW
from tests.unit.domains import Domain
from tests.unit.signatures import Holder, holder
from xds_gateway.actors.ports import AccessJournal
from xds_gateway.actors.x_service_provider import AuthenticationPolicy, XServiceProvider
from xds_gateway.model.messages import AuditEvent
from xds_gateway.security.issuers import Issuers, issuer_keys, trusted_issuer
from xds_gateway.security.policies import POLICIES


def issuers(*keys: Holder, name: str = GOOD.issuer) -> Issuers:
    """One issuer with these keys, or the usual one."""
    pem = b"".join(key.pem for key in keys or (holder("issuer"),))
    return {name: trusted_issuer(name, issuer_keys(pem))}


class Remembered:
    """A journal that is kept as it is, and remembered so that a test need not read it again."""

    def __init__(self, journal: AccessJournal) -> None:
        self._journal = journal
        self.events: list[AuditEvent] = []

    def record(self, *events: AuditEvent) -> None:
        self._journal.record(*events)
        self.events += events


def make_users(
    domain: Domain,
    *,
    clock: Callable[[], datetime] = lambda: NOW,
    journal: AccessJournal | None = None,
    **policy: Any,
) -> XServiceProvider:
    """Who authenticates the users of a domain; `policy` are fields of AuthenticationPolicy, `issuers` those of now."""
    trusted = policy.pop("issuers", None) or issuers()
    fields = {
        "presence": "required",
        "assertions": POLICIES["xua"],
        "issuers": lambda: trusted,
        "audiences": frozenset((AUDIENCE,)),
        **policy,
    }
    return XServiceProvider(
        policy=AuthenticationPolicy(**fields),
        replays=domain.storage.replays,
        journal=journal or domain.storage.journal,
        clock=clock,
        now=lambda: TOLD_NOW,
    )
