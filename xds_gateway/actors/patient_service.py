"""ITI-44: the patient identity feed as a SOAP service, one message in each request (ITI TF-2 3.44)."""

from collections.abc import Sequence
from typing import Final

from ..model.errors import Finding, RequestRefused
from ..model.feeds import FeedMessage, FeedResponse, Wrapper
from ..model.principal import Call
from ..rules.patients import problem
from .patients import PatientIdentityFeed
from .ports import AccessJournal
from .registry import DRY_RUN


class PatientIdentityService:
    """The feed of one domain, asked by SOAP; `PatientIdentityFeed` judges and does, as for ITI-8."""

    def __init__(self, *, feed: PatientIdentityFeed, journal: AccessJournal) -> None:
        self._feed: Final = feed
        self._journal: Final = journal

    def admit_feed(self, call: Call, message: FeedMessage[Wrapper], findings: Sequence[Finding]) -> None:
        """Refuse a message that contradicts what it says it is, with every reason. Raises RequestRefused."""
        if message.mistakes:
            raise RequestRefused(
                *(
                    problem(rule, received=received, expected=expected, transaction="ITI-44")
                    for rule, received, expected in message.mistakes
                )
            )

    def feed(self, call: Call, message: FeedMessage[Wrapper]) -> FeedResponse:
        """Take one message, durably when this returns; a dry run only judges it. Raises StorageFull, StorageBusy."""
        if call.dry_run:
            return self._tell(call, message)
        (found,) = self._feed.feed(call.principal, (message,))
        return FeedResponse(header=message.header, findings=(found,) if found else ())

    def _tell(self, call: Call, message: FeedMessage[Wrapper]) -> FeedResponse:
        """What a message would do, on disk in the journal of reads before it is told."""
        judged = self._feed.judge(call.principal, message)
        if judged.events:
            self._journal.record(*(event._replace(note=DRY_RUN) for event in judged.events))
        if judged.problem is not None:
            return FeedResponse(header=message.header, findings=(judged.problem,))
        return FeedResponse(header=message.header, planned=judged.planned)
