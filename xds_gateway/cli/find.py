"""`xds-gateway find`."""

import re
from collections.abc import Sequence
from typing import Final

from ..client import Code, parse_code
from .connecting import NOTHING_CHANGED, connected, failing_well, patient_id
from .console import output, print_json, shown, working
from .failures import CommandFailed
from .listing import documents_table
from .options import ConnectionOptions, FilterOptions

KEYS: Final = {
    "patient_id": "as asked",
    "documents": "list of objects, one for each DocumentEntry, with the attributes of `DocumentSummary` in the SDK; "
    "codes are objects with code, scheme, display; times are DTM in UTC",
}
_STATUSES: Final = {"approved": ("Approved",), "deprecated": ("Deprecated",), "all": ("Approved", "Deprecated")}


def find(patient: str | None, wanted: FilterOptions, connection: ConnectionOptions, *, as_json: bool) -> None:
    """Ask for a patient's documents and list them."""
    patient = patient_id(patient)
    statuses = _statuses(wanted.status or ("approved",))
    with connected(connection, unsure=NOTHING_CHANGED) as gateway, working("Asking the registry", quiet=as_json):
        found = gateway.find(
            patient,
            status=statuses,
            class_codes=_codes(wanted.class_codes),
            type_codes=_codes(wanted.type_codes),
            format_codes=_codes(wanted.format_codes),
            healthcare_facility_type_codes=_codes(wanted.healthcare_facility_type_codes),
            practice_setting_codes=_codes(wanted.practice_setting_codes),
            confidentiality_codes=_codes(wanted.confidentiality_codes),
            event_codes=_codes(wanted.event_codes),
            authors=wanted.authors or (),
            created=(_time(wanted.created_from), _time(wanted.created_to)),
            service_started=(_time(wanted.service_from), _time(wanted.service_to)),
        )
    if as_json:
        print_json({"patient_id": patient, "documents": found})
        return
    console = output()
    if found:
        console.print(documents_table(found))
    count = {0: "No documents", 1: "1 document"}.get(len(found), f"{len(found)} documents")
    console.print(f"{count} of {shown(patient)}", soft_wrap=True)


def _statuses(names: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in names if name.lower() not in _STATUSES]
    if unknown:
        raise CommandFailed("usage", f"--status is {unknown[0]}: write approved, deprecated or all.")
    return tuple(dict.fromkeys(status for name in names for status in _STATUSES[name.lower()]))


def _codes(texts: Sequence[str] | None) -> tuple[Code, ...]:
    with failing_well():
        return tuple(parse_code(text) for text in texts or ())


def _time(text: str | None) -> str | None:
    """A time as DTM: 2024-03-01T10:30 without its punctuation."""
    if text is None:
        return None
    digits = re.sub(r"(?<=\d)[-:T ](?=\d)", "", text)
    if not re.fullmatch(r"\d{4}(\d\d){0,5}", digits):
        raise CommandFailed(
            "usage", f"{text} is no time: write it as 2024-03-01, 2024-03-01T10:30 or a DTM such as 202403."
        )
    return digits
