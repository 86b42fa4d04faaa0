"""Messages of patient identity feeds as values (ITI TF-2 3.8, 3.64)."""

from typing import Final, NamedTuple

from .errors import GatewayError
from .identifiers import is_oid

SEPARATORS: Final = "|^~\\&"  # of fields, components, repetitions, escapes, subcomponents (HL7 v2.5, 2.5.4)


class Identifier(NamedTuple):
    """A CX as far as a registry reads it: the id and its assigning authority, each part "" when absent."""

    id: str
    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""


class Header(NamedTuple):
    """What an acknowledgment needs of MSH; values are as sent, in the sender's separators."""

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


class FeedMessage(NamedTuple):
    """An ADT message: identifiers of PID-3 and MRG-1 in their order; `digest` tells it from others of the same id."""

    header: Header
    patients: tuple[Identifier, ...]
    subsumed: tuple[Identifier, ...] = ()
    digest: bytes = b""


class FeedProblem(NamedTuple):
    """Why a message is not accepted: what MSA-1 and ERR say (HL7 v2.5 tables 0008 and 0357)."""

    rule: str
    acknowledgment: str  # AE: its content, AR: its kind, or we cannot now
    location: str  # ERR-2, such as PID^1^3
    code: str  # ERR-3, table 0357
    sentence: str


class FeedUnreadable(GatewayError):
    """A message that cannot be read further than its header; `rule` says why, of a row of rules/patients.py."""

    def __init__(self, header: Header | None, rule: str, received: str = "") -> None:
        super().__init__(rule)
        self.header = header
        self.rule = rule
        self.received = received


__all__ = ["SEPARATORS", "FeedMessage", "FeedProblem", "FeedUnreadable", "Header", "Identifier"]
