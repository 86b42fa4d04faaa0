"""Messages to audit repositories, in the words of DICOM PS3.15 A.5 (ITI TF-2 3.20.7.1)."""

from collections.abc import Mapping
from typing import NamedTuple

from .principal import Coded


class Participant(NamedTuple):
    """ActiveParticipant: a person or a program that took part; `address` is an IP address or a host's name."""

    user_id: str
    requestor: bool
    roles: tuple[Coded, ...] = ()
    alternative_id: str | None = None
    name: str | None = None
    address: str | None = None


class ParticipantObject(NamedTuple):
    """ParticipantObjectIdentification: whom or what it was about; the query and values of details are plain here."""

    id: str
    type: int  # 1 person, 2 system object, 4 other
    role: int
    id_type: Coded
    life_cycle: int | None = None
    query: str | None = None
    details: tuple[tuple[str, str], ...] = ()


class AuditMessage(NamedTuple):
    """One event about one patient at most; `at` is a time with zone, `outcome` 0, 4, 8 or 12.

    `id` is that of the event: messages that are sent again have it again.
    """

    id: str
    event: Coded
    action: str
    at: str
    outcome: int
    outcome_description: str | None
    types: tuple[Coded, ...]
    purposes: tuple[Coded, ...]
    participants: tuple[Participant, ...]
    source_id: str
    site_id: str | None
    objects: tuple[ParticipantObject, ...]


class AuditSite(NamedTuple):
    """Who tells: ids of the audit source, its host and address, and of each domain mount path and home community."""

    source_id: str
    site_id: str | None
    host: str
    url: str
    paths: Mapping[str, str]
    homes: Mapping[str, str | None]
