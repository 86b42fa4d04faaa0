"""`xds-gateway audit`: an administrator at the machine of the gateway."""

import getpass
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.table import Table

from ..actors.audit_ports import AuditEntry, Selection
from ..audit_wiring import audit_of, audit_site, record_audit_use, verifying
from ..client.query_texts import patient_text
from ..codec.atna import render_audit_message
from ..codec.audit_messages import audit_messages
from ..codec.fhir_audit import render_audit_event
from ..config import ConfigurationError, LoadedSettings
from ..model.audit_messages import AuditSite
from ..model.errors import GatewayError, StorageBusy
from ..model.identifiers import parse_patient_id
from ..storage.audit_opening import AuditStorage
from ..storage.events import event_json
from .config import misconfigured, read_settings
from .console import as_plain, output, print_json, shown, time_text
from .failures import CommandFailed, Status
from .listing import counted

KEYS: Final = {
    "events": "`verify`: how many there are; `list`: list of objects with id, number (null: not taken up yet), place, "
    "and the fields of an event",
    "anchored": "`verify`: how many an anchor covers",
    "anchors": "`verify`: how many there are",
    "last_anchor": "`verify`: its time, a DTM (UTC)",
    "signed": "`verify`: whether anchors were held against a key",
    "problems": "`verify`: list of objects with place, sentence",
    "patients": "`who-looked`: the identifiers of the patient, as CX",
    "looks": "`who-looked`: list of objects with id, at, patient, user, name, roles, organization, node, address, "
    "what, query, objects, purposes, break_glass, outcome (granted, refused), reasons, titles (object by document)",
    "repositories": "`outbox`: list of objects with name, sent (number of the last event that it has), waiting, "
    "failure, failing_since, set_aside (list of objects with number, at, reason)",
}
_SHOWN_ASIDE: Final = 100


class Wanted(NamedTuple):
    """The options that choose events, as they were typed."""

    patient: str | None
    since: str
    until: str
    user: str
    transaction: str
    outcome: str
    domain: str

    def selection(self) -> Selection:
        """The same as values. Raises CommandFailed."""
        if self.outcome not in ("", "success", "partial", "failure"):
            raise CommandFailed("usage", f"--outcome is {self.outcome}: write success, partial or failure.")
        return Selection(
            patients=(patient_cx(self.patient),) if self.patient else (),
            since=time_of(self.since),
            until=time_of(self.until),
            user=self.user,
            transaction=self.transaction.upper() if self.transaction.lower().startswith("iti") else self.transaction,
            outcome=self.outcome,
            domain=self.domain,
        )

    def note(self) -> str:
        """What the audit tells of the reading."""
        return " ".join(f"{name}={value}" for name, value in self._asdict().items() if value and name != "patient")


def verify(config: Path | None, *, as_json: bool) -> int:
    """Verify all; the exit status."""
    settings = read_settings(config)
    with opened(settings) as storage:
        run = storage.verification(verifying(settings))
        found = list(run.problems())
    signed = bool(settings.audit.anchor_key or settings.audit.anchor_public_keys)
    told = {"events": run.events, "anchored": run.anchored, "anchors": run.anchors, "last_anchor": run.last_anchor}
    if as_json:
        print_json({**told, "signed": signed, "problems": found})
        return Status.REFUSED if found else Status.DONE
    console = output()
    for each in found:
        console.print(f"{shown(each.place)}: {shown(each.sentence)}", soft_wrap=True)
    last = f", the last of {time_text(run.last_anchor)}" if run.last_anchor else ""
    console.print(
        f"{counted(run.events, 'event')}, {run.anchored} of them under {counted(run.anchors, 'anchor')}{last}; "
        f"{'signatures verified' if signed else 'anchors are not signed'}: {counted(len(found), 'problem')}.",
        soft_wrap=True,
    )
    return Status.REFUSED if found else Status.DONE


def list_events(wanted: Wanted, limit: int, config: Path | None, *, as_json: bool) -> None:
    """List the last events that are wanted."""
    settings, selection = read_settings(config), wanted.selection()
    with opened(settings) as storage:
        record_use(settings, "list", wanted.note(), selection.patients)
        entries = deque(storage.log.selected(selection), limit)
    if as_json:
        print_json({"events": [_event_json(entry) for entry in entries]})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("when", "transaction", "who", "patients", "outcome"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        event = entry.event
        who = event.user.audited if event.user else event.node
        outcome = " ".join((event.outcome, *event.codes, event.note or ""))
        cells = (time_text(event.at), event.transaction, who, "\n".join(event.patient_ids), outcome)
        table.add_row(*map(shown, cells))
    output().print(table if entries else "no events")


def _event_json(entry: AuditEntry) -> dict[str, Any]:
    return {"id": entry.id, "number": entry.number, "place": entry.place, **as_plain(entry.event)}


def export(wanted: Wanted, form: str, config: Path | None) -> None:
    """Write events line by line."""
    settings, selection = read_settings(config), wanted.selection()
    render = FORMS.get(form)
    if render is None:
        raise CommandFailed("usage", f"--format is {form}: write {', '.join(FORMS)}.")
    site = audit_site(settings)
    with opened(settings) as storage:
        record_use(settings, f"export {form}", wanted.note(), selection.patients)
        for entry in storage.log.selected(selection):
            for line in render(entry, site):
                sys.stdout.write(line.decode() + "\n")
        sys.stdout.flush()


def _dicom(entry: AuditEntry, site: AuditSite) -> Iterator[bytes]:
    return map(render_audit_message, audit_messages(entry.id, entry.event, site))


def _fhir(entry: AuditEntry, site: AuditSite) -> Iterator[bytes]:
    return map(render_audit_event, audit_messages(entry.id, entry.event, site))


def _json(entry: AuditEntry, site: AuditSite) -> Iterator[bytes]:
    yield f'{{"id":"{entry.id}",{event_json(entry.event)[1:]}'.encode()


FORMS: Final[dict[str, Callable[[AuditEntry, AuditSite], Iterator[bytes]]]] = {
    "json": _json,
    "dicom": _dicom,
    "fhir": _fhir,
}


def outbox(config: Path | None, *, as_json: bool) -> None:
    """Show what is to be sent."""
    settings = read_settings(config)
    with opened(settings) as storage:
        found = [storage.told_of(each.name, _SHOWN_ASIDE) for each in settings.audit_repositories]
    if as_json:
        print_json({"repositories": found})
        return
    for each in found:
        failure = f"; since {time_text(each.failing_since)}: {each.failure}" if each.failure else ""
        told = f"{each.name}: has all up to event {each.sent}, {counted(each.waiting, 'event')} waiting{failure}"
        output().print(shown(told), soft_wrap=True)
        for aside in each.set_aside:
            output().print(shown(f"  set aside: event {aside.number}, {time_text(aside.at)}: {aside.reason}"))
    if not found:
        output().print("No audit_repositories are set: nothing is sent.")


# -- shared with who-looked


@contextmanager
def opened(settings: LoadedSettings) -> Iterator[AuditStorage]:
    """The audit. Raises CommandFailed for whatever goes wrong."""
    os.umask(0o077)  # journal files of this act are the gateway's
    try:
        with audit_of(settings) as storage:
            yield storage
    except ConfigurationError as wrong:
        raise misconfigured(wrong) from wrong
    except StorageBusy as busy:
        raise CommandFailed("timed_out", "The database was busy all the time, nothing was done: try again.") from busy
    except GatewayError as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong


def record_use(settings: LoadedSettings, command: str, note: str, patients: tuple[str, ...]) -> None:
    """Tell the audit who reads it, before anything is shown."""
    record_audit_use(settings, f"{_user()}, process {os.getpid()}", command, note, patients)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return f"user {os.getuid()}"


def patient_cx(text: str) -> str:
    """A patient as the audit compares it. Raises CommandFailed."""
    found = parse_patient_id(patient_text(text))
    if found is None:
        raise CommandFailed(
            "usage",
            f"{text} is no patient: write identifier and assigning authority, as 42@1.2.3 or '42^^^&1.2.3&ISO', "
            "in quotes, because & means something to the shell.",
        )
    return found.as_cx()


def time_of(text: str) -> str:
    """A time as the beginning of a DTM: digits of a date and perhaps a time. Raises CommandFailed."""
    digits = re.sub(r"[-:T \tZ]", "", text)
    if text and re.fullmatch(r"\d{4}(?:\d\d){0,5}", digits) is None:
        raise CommandFailed("usage", f"{text} is no time: write 2026-03-14, or 2026-03-14T09:30 (UTC).")
    return digits
