"""Messages of patient identity feeds as values: HL7 v2 (ITI TF-2 3.8, 3.64) and HL7 v3 (ITI TF-2 3.44)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, NamedTuple, Self, TypeVar

from .errors import Finding, GatewayError
from .identifiers import is_oid
from .messages import PlannedEffect

FeedTransaction = Literal["ITI-8", "ITI-44", "ITI-64"]
Act = Literal["register", "update", "revise", "merge", "link"]
# What a message wants, by its trigger event (ITI TF-2 3.8.4, 3.64.4) or its interaction (ITI TF-2 3.44.4)
ACTS: Final[Mapping[str, Act]] = {
    "A01": "register",
    "A04": "register",
    "A05": "register",
    "A08": "update",
    "A40": "merge",
    "A43": "link",
    "PRPA_IN201301UV02": "register",
    "PRPA_IN201302UV02": "revise",
    "PRPA_IN201304UV02": "merge",
}
SEPARATORS: Final = "|^~\\&"  # of fields, components, repetitions, escapes, subcomponents (HL7 v2.5, 2.5.4)


class Identifier(NamedTuple):
    """A CX as far as a registry reads it: the id and its assigning authority, each part "" when absent."""

    id: str
    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""


class Header(NamedTuple):
    """What an acknowledgment needs of MSH, ITI-8; values are as sent, in the sender's separators."""

    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    message_type: str = ""
    event: str = ""
    control_id: str = ""
    processing_id: str = ""
    version: str = ""
    charset: str = ""
    separators: str = SEPARATORS

    @property
    def sender(self) -> str:
        """Facility and application of the sender, as the audit names it (ITI TF-2 3.8.5.1)."""
        return f"{self.sending_facility}|{self.sending_application}"

    @property
    def application_oid(self) -> str | None:
        """The OID of the sending application, from its HD or alone; None without one (ITI TF-2 3.64.4.1.2.1)."""
        name, universal, kind = (*self.sending_application.split(self.separators[1]), "", "")[:3]
        if kind == "ISO" and is_oid(universal):
            return universal
        return name if is_oid(name) else None

    @property
    def act(self) -> Act:
        """What the message wants. Raises KeyError for an event that no feed has."""
        return ACTS[self.event]

    @property
    def transaction(self) -> FeedTransaction:
        """The transaction that the message belongs to."""
        return "ITI-64" if self.act == "link" else "ITI-8"


class InstanceIdentifier(NamedTuple):
    """An II: the OID or UUID `root` names, `extension` within it, "" when absent (ITI TF-2 Appendix E)."""

    root: str
    extension: str = ""

    def __str__(self) -> str:
        return f"{self.root}^{self.extension}" if self.extension else self.root


class Wrapper(NamedTuple):
    """What an accept acknowledgement needs of the transmission wrapper, ITI-44 (ITI TF-2 O.1.1).

    `id` is None where the message has none; ids of the devices are as sent.
    """

    interaction: str = ""
    id: InstanceIdentifier | None = None
    senders: tuple[InstanceIdentifier, ...] = ()
    receivers: tuple[InstanceIdentifier, ...] = ()

    @property
    def sender(self) -> str:
        """The sender's device, as the audit names it."""
        return str(self.senders[0]) if self.senders else ""

    @property
    def application_oid(self) -> str | None:
        """The OID of the sender's device; None without one."""
        return next((each.root for each in self.senders if is_oid(each.root)), None)

    @property
    def control_id(self) -> str:
        """The id of the message as text."""
        return str(self.id or "")

    @property
    def act(self) -> Act:
        """What the message wants. Raises KeyError for an interaction that no feed has."""
        return ACTS[self.interaction]

    @property
    def transaction(self) -> FeedTransaction:
        """The transaction that the message belongs to."""
        return "ITI-44"


class Mistake(NamedTuple):
    """What is wrong with a message that could be read all the same: a row of rules/patients.py, what was sent."""

    rule: str
    received: str = ""
    expected: str | None = None


H = TypeVar("H", bound=Header | Wrapper, covariant=True)


class FeedMessage(NamedTuple, Generic[H]):
    """A message about patients: their identifiers in their order, `subsumed` those that are merged into them.

    They are PID-3 and MRG-1 of ITI-8 and ITI-64, patient/id and priorRegisteredRole/id of ITI-44. `digest` tells the
    message from others of the same id.
    """

    header: H
    patients: tuple[Identifier, ...]
    subsumed: tuple[Identifier, ...] = ()
    digest: bytes = b""
    mistakes: tuple[Mistake, ...] = ()


AnyFeedMessage = FeedMessage[Header | Wrapper]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProblem(Finding):
    """Why a message is not accepted, in the codes of its form.

    `acknowledgment` is MSA-1 (HL7 v2.5 table 0008), AE: its content, AR: its kind, or we cannot now; `location` is
    ERR-2 such as PID^1^3, or an XPath.
    """

    acknowledgment: str
    location: str

    @property
    def audited(self) -> str:
        """What log and audit call it."""
        return self.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedResponse:
    """The outcome of ITI-44: accepted without findings; a dry run has `planned` effects (ITI TF-2 O.1.2)."""

    header: Wrapper
    findings: tuple[FeedProblem, ...] = ()
    planned: tuple[PlannedEffect, ...] | None = None

    @classmethod
    def refused(cls, request: object, findings: tuple[Finding, ...]) -> Self:
        """The answer to a message that is refused; to one that could not be read, it has nobody's ids."""
        header = request.header if isinstance(request, FeedMessage) else None
        problems = tuple(finding for finding in findings if isinstance(finding, FeedProblem))
        return cls(header=header if isinstance(header, Wrapper) else Wrapper(), findings=problems)


class FeedUnreadable(GatewayError):
    """A message that cannot be read further than its header; `rule` says why, of a row of rules/patients.py."""

    def __init__(self, header: Header | None, rule: str, received: str = "") -> None:
        super().__init__(rule)
        self.header = header
        self.rule = rule
        self.received = received


__all__ = [
    "ACTS",
    "SEPARATORS",
    "Act",
    "AnyFeedMessage",
    "FeedMessage",
    "FeedProblem",
    "FeedResponse",
    "FeedTransaction",
    "FeedUnreadable",
    "Header",
    "Identifier",
    "InstanceIdentifier",
    "Mistake",
    "Wrapper",
]
