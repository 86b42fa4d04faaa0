"""Whose identifiers a domain takes, what it is told to do with them, and how a message of a feed is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..model.datatypes import Code
from ..model.feeds import AnyFeedMessage, FeedProblem, Identifier
from ..model.identifiers import PatientId, is_oid
from ..rules.patients import problem

_LONGEST: Final = 256  # characters of an id (ITI TF-3 4.2.3.1.1)


class FeedRefused(Exception):
    """Ends the judgement of one message. Never leaves the actors."""

    def __init__(self, rule: str, *, received: str = "", expected: str | None = None) -> None:
        super().__init__(rule)
        self._broken: Final = rule, received, expected

    def problem(self, message: AnyFeedMessage) -> FeedProblem:
        """What the sender of the message is told, in the words of its form."""
        rule, received, expected = self._broken
        return problem(rule, received=received, expected=expected, transaction=message.header.transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolicy:
    """Whose identifiers a domain takes: OIDs of authorities (empty: any), and OIDs by the names that senders use.

    `link_change_code` is the contentTypeCode of the submission set that a changed link makes, `link_change_source` its
    sourceId when the sender does not name itself by an OID (ITI TF-2 3.64.4.1.3.1.1).
    """

    domain: str
    authorities: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    patients_open: bool = False
    link_change_code: Code
    link_change_source: str | None = None

    @property
    def wanted(self) -> str:
        """The authorities, as a refusal names them."""
        return " or ".join(sorted(self.authorities)) or "an assigning authority with an OID"

    def usable(self, identifiers: Sequence[Identifier], *, strict: bool = True) -> tuple[PatientId, ...]:
        """Those of the domain's authorities, each once; others are local to their sender and passed over.

        Raises FeedRefused.
        """
        found = (self.patient(identifier, strict=strict) for identifier in identifiers)
        return tuple(
            dict.fromkeys(
                patient
                for patient in found
                if patient is not None and (not self.authorities or patient.authority in self.authorities)
            )
        )

    def patient(self, identifier: Identifier, *, strict: bool = True) -> PatientId | None:
        """An identifier of any authority with an OID; None for what cannot be one. Raises FeedRefused."""
        authority = self._authority(identifier, strict=strict)
        if authority is None or len(identifier.id) > _LONGEST or not identifier.id.isprintable():
            return None
        return PatientId(identifier.id, authority)

    def _authority(self, identifier: Identifier, *, strict: bool) -> str | None:
        """The OID of an authority, by itself or by its name (ITI TF-2 3.8.4.1.2.3). Raises FeedRefused."""
        _, namespace, universal, kind = identifier
        named = self.names.get(namespace) if namespace else None
        if not universal:
            return named
        if kind not in ("ISO", "") or not is_oid(universal):
            return None
        if named is not None and named != universal and strict:
            raise FeedRefused(
                "ihe.feed.authority", received=f"{namespace}&{universal}", expected=f"{namespace}&{named}"
            )
        return universal
