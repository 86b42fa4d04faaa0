"""Registered things for the suites: builders of tests/unit with ids as the registry has them."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.databases import ready
from tests.unit import builders
from xds_gateway.actors.ports import Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.messages import AuditEvent
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, RegistryObject, SubmissionSet
from xds_gateway.model.principal import AccessFilter, Permit
from xds_gateway.storage.opening import Storage, open_storage

DOMAIN = "main"
EVERYTHING = AccessFilter.everything(DOMAIN)
PATIENT = PatientId(*(parse_patient_id(builders.PATIENT) or ()))
OTHER_PATIENT = PatientId(*(parse_patient_id(builders.OTHER_PATIENT) or ()))

NO_REUSE = ("NOREUSE", "2.16.840.1.113883.1.11.20471")  # the builders' entries have it beside N


def reading(*confidentiality: str) -> AccessFilter:
    """Who may read documents with these codes of HL7, with or without a handling instruction."""
    codes = tuple((code, "2.16.840.1.113883.5.25") for code in confidentiality)
    return AccessFilter(domain=DOMAIN, permits=(Permit(confidentiality=(*codes, NO_REUSE)),))


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/registry.db"


def open_in(folder: Path, writer_name: str = "w1", domain: str = DOMAIN, **changes: Any) -> Storage:
    """Storage over a folder, with a database of its own."""
    ready(url_of(folder))
    settings: dict[str, Any] = {"spool_quota": 64 << 20, "wait_seconds": 20.0, **changes}
    return open_storage(url_of(folder), folder / "data", domain, writer_name=writer_name, **settings)


def urn(name: object) -> str:
    """The UUID of a name: the same in every test."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, str(name))}"


def make_entry(number: int = 1, **changes: Any) -> DocumentEntry:
    return builders.make_entry(number, **{"id": urn(f"entry {number}"), **changes})


def make_set(number: int = 1, **changes: Any) -> SubmissionSet:
    return builders.make_set(number, **{"id": urn(f"set {number}"), **changes})


def make_folder(number: int = 1, **changes: Any) -> Folder:
    return builders.make_folder(number, **{"id": urn(f"folder {number}"), **changes})


def make_link(source: str, target: str, association_type: str = v.HAS_MEMBER, **changes: Any) -> Association:
    identifier = urn(f"{association_type} {source} {target}")
    return builders.make_association(source, target, association_type, **{"id": identifier, **changes})


def make_event(number: int = 1, **changes: Any) -> AuditEvent:
    fields: dict[str, Any] = {
        "at": f"2026-11-21T22:00:{number:02}Z",
        "transaction": "ITI-42",
        "outcome": "success",
        "node": "CN=Cabinet é",
        "address": "127.0.0.1",
        "domain": DOMAIN,
        "message_id": urn(f"message {number}"),
        "patient_ids": (builders.PATIENT,),
        "objects": (urn("set 1"),),
        "process": 4711,
    }
    return AuditEvent(**{**fields, **changes})


def register(storage: Storage, *objects: RegistryObject, **options: Any) -> None:
    """Register objects in one transaction, their patients made known."""
    submit(storage, objects, **options)


def submit(
    storage: Storage, objects: Sequence[RegistryObject], then: Callable[[Transaction], object] = lambda _: None
) -> None:
    prepared = storage.registry.prepare(objects)

    def work(transaction: Transaction) -> None:
        for patient in _patients(objects):
            transaction.add_patient(patient)
        transaction.add(prepared)
        then(transaction)

    storage.registry.write(work)


def _patients(objects: Iterable[RegistryObject]) -> set[PatientId]:
    found = (parse_patient_id(item.patient_id or "") for item in objects)
    return {patient for patient in found if patient is not None}


def submission(number: int, **entry_changes: Any) -> tuple[RegistryObject, ...]:
    """A set with one entry and its HasMember."""
    entry, submission_set = make_entry(number, **entry_changes), make_set(number)
    return entry, submission_set, make_link(submission_set.id, entry.id)
