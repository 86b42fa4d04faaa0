"""Who does something at the machine of the gateway, with what it works on, and how the audit is told of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..model.errors import GatewayError
from ..model.messages import AuditEvent
from ..model.principal import Principal
from .ports import AccessJournal, RegistryStore

_TRANSACTION: Final = "administration"  # what the audit has in place of a transaction


class PatientUnknown(GatewayError):
    """A patient that the domain does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """An administrator of one domain; `now` gives a DTM to the second (UTC), `new_id` what the audit calls an act."""

    store: RegistryStore
    journal: AccessJournal
    domain: str
    caller: Principal
    now: Callable[[], str]
    new_id: Callable[[], str]

    def event(
        self, action: str, patients: Sequence[str], objects: Sequence[str] = (), note: str | None = None
    ) -> AuditEvent:
        """What the audit is told: C, R, U or D, the patients as CX, and which objects (ITI TF-2 3.20.7.1)."""
        return AuditEvent(
            at=self.now(),
            transaction=_TRANSACTION,
            outcome="success",
            node=self.caller.node,
            address=self.caller.address,
            domain=self.domain,
            message_id=self.new_id(),
            patient_ids=tuple(patients),
            objects=tuple(objects),
            action=action,
            note=note,
        )
