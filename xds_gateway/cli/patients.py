"""`xds-gateway patients`: an administrator at the machine of the gateway, in its database, while it serves or not."""

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from ..actors.administrator import PatientUnknown
from ..actors.patient_administration import PatientAdministration, PatientRefused
from ..actors.patient_ports import PatientMerge
from ..client.query_texts import patient_text
from ..model.errors import GatewayError, StorageBusy
from ..model.identifiers import PatientId, parse_patient_id
from .config import read_settings
from .console import output, print_json, shown, time_text
from .failures import CommandFailed

KEYS: Final = {
    "patient_id": "of the patient, as CX; not with `list`",
    "survivor": "who stands for it, as CX: itself while it is active",
    "merges": "`show`: list of objects with subsumed, surviving, at, by, message_id, undone_at, undone_by",
    "patients": "`list`: list of objects with patient_id, survivor",
    "more": "`list`: whether there are further patients",
}


def add(text: str, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Make a patient known."""
    patient = _patient(text)
    with _administration(config, domain) as administration:
        administration.add(patient)
    _tell(patient, patient, "is known", as_json=as_json)


def merge(subsumed: str, surviving: str, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Merge the first patient into the second."""
    old, new = _patient(subsumed), _patient(surviving)
    with _administration(config, domain) as administration:
        administration.merge(old, new)
    _tell(old, new, f"was merged into {new.as_cx()}", as_json=as_json)


def unmerge(text: str, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Undo the merge of a patient."""
    patient = _patient(text)
    with _administration(config, domain) as administration:
        before = administration.unmerge(patient)
    _tell(patient, patient, f"is separate again from {before.as_cx()}", as_json=as_json)


def show(text: str, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Show a patient and its merges."""
    with _administration(config, domain) as administration:
        found = administration.show(_patient(text))
    if as_json:
        merges = [
            {**merge._asdict(), "subsumed": merge.subsumed.as_cx(), "surviving": merge.surviving.as_cx()}
            for merge in found.merges
        ]
        told = {"patient_id": found.patient_id.as_cx(), "survivor": found.survivor.as_cx(), "merges": merges}
        print_json(told)
        return
    state = "active" if found.survivor == found.patient_id else f"merged into {found.survivor.as_cx()}"
    console = output()
    console.print(Text.assemble((shown(found.patient_id.as_cx()), "bold"), f"  {shown(state)}"), soft_wrap=True)
    if found.merges:
        console.print(_merges_table(found.merges))


def list_patients(after: str | None, limit: int, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """List the patients of a domain."""
    with _administration(config, domain) as administration:
        found = administration.list(_patient(after) if after else None, limit + 1)
    listed, more = found[:limit], len(found) > limit
    if as_json:
        patients = [
            {"patient_id": each.patient_id.as_cx(), "survivor": (each.survivor or each.patient_id).as_cx()}
            for each in listed
        ]
        print_json({"patients": patients, "more": more})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("patient", overflow="fold", style="bold")
    table.add_column("merged into", overflow="fold")
    for each in listed:
        table.add_row(shown(each.patient_id.as_cx()), shown(each.survivor.as_cx() if each.survivor else ""))
    output().print(table if listed else "no patients")
    if more:
        output().print(f"More with --after '{shown(listed[-1].patient_id.as_cx())}'.", soft_wrap=True)


def _merges_table(merges: Sequence[PatientMerge]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("merged", "into", "when", "by", "undone"):
        table.add_column(name, overflow="fold")
    for each in merges:
        undone = f"{time_text(each.undone_at)} by {each.undone_by}" if each.undone_at else ""
        names = (each.subsumed.as_cx(), each.surviving.as_cx(), time_text(each.at), each.by, undone)
        table.add_row(*map(shown, names))
    return table


def _tell(patient: PatientId, survivor: PatientId, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"patient_id": patient.as_cx(), "survivor": survivor.as_cx()})
    else:
        output().print(f"{shown(patient.as_cx())} {shown(sentence)}.", soft_wrap=True)


def _patient(text: str) -> PatientId:
    found = parse_patient_id(patient_text(text))
    if found is None:
        raise CommandFailed(
            "usage",
            f"{text} is no patient: write identifier and assigning authority, as 42@1.2.3 or '42^^^&1.2.3&ISO', "
            "in quotes, because & means something to the shell.",
        )
    return found


@contextmanager
def _administration(config: Path | None, domain: str | None) -> Iterator[PatientAdministration]:
    """The patients of a domain, by default the first. Raises CommandFailed for whatever goes wrong."""
    from ..administering import administration

    settings = read_settings(config)
    names = [each.name for each in settings.domains]
    if domain is not None and domain not in names:
        raise CommandFailed("usage", f"There is no domain {domain}: write one of {', '.join(names)}.")
    os.umask(0o077)  # journal files of this act are the gateway's
    try:
        with administration(settings, domain or names[0], getpass.getuser()) as found:
            yield found
    except PatientUnknown as unknown:
        raise CommandFailed("not_found", f"The patient {unknown} is not known in this domain.") from unknown
    except PatientRefused as refused:
        raise CommandFailed("refused", refused.problem.sentence) from refused
    except StorageBusy as busy:
        raise CommandFailed("timed_out", "The database was busy all the time, nothing was done: try again.") from busy
    except GatewayError as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong
