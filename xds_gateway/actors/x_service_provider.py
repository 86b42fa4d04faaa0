"""The X-Service Provider: the user of a message, proven by its assertion, before anything is done for it (ITI-40)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ..model.assertions import Assertion
from ..model.principal import Call, User
from ..security.issuers import Issuers
from ..security.policies import AssertionPolicy
from ..security.refusals import AuthenticationRefused
from ..security.saml import Circumstances, end_of, is_for_one_use, judge, verify_assertion
from ..security.wss import SecuredMessage, find_assertion
from .audited import event_of
from .ports import AccessJournal, ReplayMemory

TRANSACTION: Final = "user-authentication"  # what the audit calls the refusal of a user (ITI TF-2 3.40.4.1.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationPolicy:
    """What a mount asks of users: whether an assertion must come, what it must keep, who may sign it, for whom it is.

    `issuers` gives those that are trusted now; `audiences` are the names of this service that an AudienceRestriction
    may give.
    """

    presence: Literal["required", "optional"]
    assertions: AssertionPolicy
    issuers: Callable[[], Issuers]
    audiences: frozenset[str]


class XServiceProvider:
    """Authenticates the users of one mount."""

    def __init__(
        self,
        *,
        policy: AuthenticationPolicy,
        replays: ReplayMemory,
        journal: AccessJournal,
        clock: Callable[[], datetime],
        now: Callable[[], str],
    ) -> None:
        """`clock` is the time in UTC that assertions are judged by, `now` the same as a DTM for the audit."""
        self._policy = policy
        self._replays = replays
        self._journal = journal
        self._clock = clock
        self._now = now

    def authenticate(self, message: SecuredMessage, certificate: bytes | None) -> User | None:
        """The user of a message, None for one without assertion where none is required.

        `certificate` is that of the connection (DER). Raises AuthenticationRefused, StorageFull, StorageBusy.
        """
        policy, now = self._policy.assertions, self._clock()
        element = find_assertion(message, policy.limits, now, policy.skew)
        if element is None:
            if self._policy.presence == "required":
                raise AuthenticationRefused("wss.required")
            return None
        assertion = verify_assertion(element, self._policy.issuers(), policy, now)
        user = judge(assertion, policy, Circumstances(now, self._policy.audiences, certificate))
        if is_for_one_use(assertion, policy):
            self._use(assertion, now)
        return user

    def _use(self, assertion: Assertion, now: datetime) -> None:
        until = end_of(assertion, self._policy.assertions)
        verdict = self._replays.use(assertion.issuer, assertion.id, until=until, now=now)
        if verdict != "first":
            raise AuthenticationRefused("saml.replayed" if verdict == "again" else "saml.forgotten")

    def record_refusal(self, call: Call, refused: AuthenticationRefused) -> None:
        """Tell the audit that a user was refused, and by which rule. Raises StorageFull, StorageBusy."""
        event = event_of(call, self._now(), "failure", codes=(refused.rule,))
        self._journal.record(event._replace(transaction=TRANSACTION))
