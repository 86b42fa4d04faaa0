"""An access filter bound to one snapshot: its codes as integers, and only what has to be asked there."""

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from ..model.principal import AccessFilter, Pair, Permit
from . import access_conditions as conditions
from .access_conditions import AccessShape, Condition, PermitShape
from .patient_statements import MERGED, PATIENT
from .statements import bind

Bound = list[Any]
Find = Callable[[Pair], int | None]  # the integer of a code, None when no object ever had it

# Whether a domain has consents at all: most have none, and pay for them with this look-up. Bind: domain
ANY_CONSENT: Final = "SELECT 1 FROM consent WHERE domain = ? AND withdrawn_at IS NULL LIMIT 1"


def patients_standing_for(
    execute: Callable[..., sqlite3.Cursor], domain: int, patient_id: tuple[str, str]
) -> list[int]:
    """The integers of a patient and of all that it stands for; none when it is unknown or subsumed."""
    row = execute(PATIENT, (domain, *patient_id)).fetchone()
    if row is None or row[1] is not None:
        return []
    number, _, survives = row
    return [number, *(merged for (merged,) in execute(MERGED, (number,)))] if survives else [number]


class BoundAccess:
    """What a filter asks of this snapshot; `shape` is None when it asks nothing."""

    def __init__(self, execute: Callable[..., sqlite3.Cursor], find: Find, domain: int, access: AccessFilter) -> None:
        """`execute` is of a connection or cursor; `find` looks codes up in the state that it sees."""
        self._values: Final[dict[str, Bound]] = {}
        heeds = any(permit.consent != "regardless" for permit in access.permits)
        consents = heeds and execute(ANY_CONSENT, (domain,)).fetchone() is not None
        if access.is_everything and not consents:
            self.shape: AccessShape | None = None
            return
        patients = None
        if access.patient is not None:
            patients = self._listed("patients", patients_standing_for(execute, domain, access.patient))
        if consents:
            self._values["at"] = [access.at]
        self.shape = AccessShape(
            permits=tuple(self._permit(number, permit, find) for number, permit in enumerate(access.permits)),
            patients=patients,
            grantees=self._listed("grantees", access.grantees) if consents else None,
            break_glass=consents and access.break_glass,
        )

    def entry(self, values: Bound) -> AccessShape | None:
        """Bind what the condition of entries asks."""
        return self._bind(values, conditions.entry)

    def container(self, values: Bound) -> AccessShape | None:
        """Bind what the condition of sets and folders asks."""
        return self._bind(values, conditions.container)

    def association(self, values: Bound) -> AccessShape | None:
        """Bind what the condition of associations asks."""
        return self._bind(values, conditions.association)

    def of(self, kind: int, keys: Bound) -> Bound:
        """What a statement about objects of a kind binds: keys, then what the condition asks."""
        values = [*keys]
        self._bind(values, partial(conditions.condition_of, kind))
        return values

    def _bind(self, values: Bound, condition: Callable[[AccessShape], Condition]) -> AccessShape | None:
        if self.shape is not None:
            for name in condition(self.shape).bound:
                values += self._values[name]
        return self.shape

    def _permit(self, number: int, permit: Permit, find: Find) -> PermitShape:
        def codes(name: str, pairs: Iterable[Pair]) -> int:
            return self._listed(f"{name} {number}", [code for pair in pairs if (code := find(pair)) is not None])

        organization = permit.organization
        if organization is not None:
            self._values[f"organization {number}"] = [find((organization, ""))]
        return PermitShape(
            confidentiality=None
            if permit.confidentiality is None
            else codes("confidentiality", permit.confidentiality),
            class_codes=codes("class_code", permit.class_codes) if permit.class_codes else None,
            type_codes=codes("type_code", permit.type_codes) if permit.type_codes else None,
            own=organization is not None,
            consent=permit.consent,
        )

    def _listed(self, name: str, items: Iterable[Any]) -> int:
        bound: Bound = []
        size = bind(bound, list(items))
        self._values[name] = bound
        return size
