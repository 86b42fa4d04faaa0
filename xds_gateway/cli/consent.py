"""`xds-gateway consent`: what patients permit and oppose, for an administrator at the machine of the gateway."""

import getpass
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from ..actors.administrator import PatientUnknown
from ..actors.consent_administration import ConsentAdministration, ConsentRefused, ConsentUnknown
from ..client.query_texts import patient_text
from ..model.consents import Consent, KeptConsent, Scope
from ..model.errors import GatewayError, StorageBusy
from ..model.identifiers import PatientId, parse_patient_id
from ..model.principal import Pair
from .config import read_settings
from .console import output, print_json, shown, time_text
from .failures import CommandFailed

KEYS: Final = {
    "number": "by which the consent is withdrawn; not with `list`",
    "patient_id": "as CX",
    "effect": "permit or oppose",
    "grantee": "everybody, role:CODE^^SCHEME, organization:OID or person:NAME",
    "scope": "all, confidentiality_code, class_code or type_code",
    "code": "of the documents, as code^^scheme; null for all",
    "until": "DTM (UTC) at which it ends; null for never",
    "break_glass": "whether an emergency overrides the opposition",
    "at": "when it was told (DTM, UTC)",
    "by": "who told it",
    "withdrawn_at": "null while it stands",
    "withdrawn_by": "null while it stands",
    "consents": "`list`: list of objects with the keys above",
}
_SCOPES: Final[dict[str, Scope]] = {
    "confidentiality": "confidentiality_code",
    "class": "class_code",
    "type": "type_code",
}


def add(
    effect: str,
    patient: str,
    grantee: str,
    documents: str | None,
    until: str | None,
    domain: str | None,
    config: Path | None,
    *,
    break_glass: bool,
    as_json: bool,
) -> None:
    """Keep a consent. Raises CommandFailed."""
    if effect not in ("permit", "oppose"):
        raise CommandFailed("usage", f"A patient can permit or oppose, not {effect}.")
    scope, code = _documents(documents)
    consent = Consent(
        patient_id=read_patient(patient),
        permits=effect == "permit",
        grantee=grantee,
        scope=scope,
        code=code,
        until=_end(until),
        break_glass=break_glass,
    )
    with _administration(config, domain) as administration:
        kept = administration.add(consent)
    _tell(kept, as_json=as_json)


def withdraw(number: int, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Let a consent count no more. Raises CommandFailed."""
    with _administration(config, domain) as administration:
        kept = administration.withdraw(number)
    _tell(kept, as_json=as_json)


def list_consents(patient: str, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Tell all consents of a patient. Raises CommandFailed."""
    with _administration(config, domain) as administration:
        found = administration.list(read_patient(patient))
    if as_json:
        print_json({"consents": [as_object(kept) for kept in found]})
        return
    output().print(_table(found) if found else "no consents")


def as_object(kept: KeptConsent) -> dict[str, Any]:
    """A consent as JSON has it."""
    consent = kept.consent
    return {
        "number": kept.number,
        "patient_id": consent.patient_id.as_cx(),
        "effect": _effect(consent),
        "grantee": consent.grantee,
        "scope": consent.scope,
        "code": None if consent.code is None else "^^".join(consent.code),
        "until": consent.until,
        "break_glass": consent.break_glass,
        "at": kept.at,
        "by": kept.by,
        "withdrawn_at": kept.withdrawn_at,
        "withdrawn_by": kept.withdrawn_by,
    }


def sentence(kept: KeptConsent) -> str:
    """A consent for people."""
    consent = kept.consent
    about = "all documents" if consent.code is None else f"documents with the {consent.scope} {'^^'.join(consent.code)}"
    verb = "permits" if consent.permits else "opposes"
    glass = ", but for emergencies" if consent.break_glass else ""
    end = f", until {time_text(consent.until)}" if consent.until else ""
    return f"{consent.patient_id.as_cx()} {verb} {consent.grantee}: {about}{glass}{end}"


def read_patient(text: str) -> PatientId:
    """A patient as options write it. Raises CommandFailed."""
    found = parse_patient_id(patient_text(text))
    if found is None:
        raise CommandFailed(
            "usage",
            f"{text} is no patient: write identifier and assigning authority, as 42@1.2.3 or '42^^^&1.2.3&ISO', "
            "in quotes, because & means something to the shell.",
        )
    return found


def read_domain(config: Path | None, domain: str | None) -> tuple[Any, str]:
    """The settings, and the domain of this name or the first. Raises CommandFailed."""
    settings = read_settings(config)
    names = [each.name for each in settings.domains]
    if domain is not None and domain not in names:
        raise CommandFailed("usage", f"There is no domain {domain}: write one of {', '.join(names)}.")
    return settings, domain or names[0]


@contextmanager
def failing_well() -> Iterator[None]:
    """Failures of storage as commands tell them."""
    os.umask(0o077)  # journal files of this act are the gateway's
    try:
        yield
    except PatientUnknown as unknown:
        raise CommandFailed(
            "not_found", f"The patient {unknown} is not known in this domain: add it with `patients add` first."
        ) from unknown
    except StorageBusy as busy:
        raise CommandFailed("timed_out", "The database was busy all the time, nothing was done: try again.") from busy
    except GatewayError as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong


def _effect(consent: Consent) -> str:
    return "permit" if consent.permits else "oppose"


def _documents(text: str | None) -> tuple[Scope, Pair | None]:
    """`confidentiality=R^^scheme` and the like; all documents without it."""
    if text is None:
        return "all", None
    kind, _, told = text.partition("=")
    code, _, scheme = told.partition("^^")
    if kind not in _SCOPES or not code or not scheme:
        raise CommandFailed(
            "usage", f"{text} names no documents: write confidentiality=, class= or type= and a code, as R^^1.2.3."
        )
    return _SCOPES[kind], (code, scheme)


def _end(text: str | None) -> str | None:
    """A day or a DTM to the second; of a day its first instant."""
    if text is None:
        return None
    digits = re.sub(r"[-: T]", "", text)
    if re.fullmatch(r"\d{8}(\d{6})?", digits) is None:
        raise CommandFailed("usage", f"{text} is no time: write a day as 2027-01-31, or a DTM as 20270131120000 (UTC).")
    return digits.ljust(14, "0")


def _tell(kept: KeptConsent, *, as_json: bool) -> None:
    if as_json:
        print_json(as_object(kept))
        return
    state = "withdrawn" if kept.withdrawn_at else "in force"
    output().print(f"consent {kept.number} is {state}: {shown(sentence(kept))}.", soft_wrap=True)


def _table(found: Sequence[KeptConsent]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("number", "consent", "told", "withdrawn"):
        table.add_column(name, overflow="fold")
    for kept in found:
        withdrawn = f"{time_text(kept.withdrawn_at)} by {kept.withdrawn_by}" if kept.withdrawn_at else ""
        told = f"{time_text(kept.at)} by {kept.by}"
        table.add_row(*map(shown, (str(kept.number), sentence(kept), told, withdrawn)))
    return table


@contextmanager
def _administration(config: Path | None, domain: str | None) -> Iterator[ConsentAdministration]:
    from ..administering import consents_of_domain

    settings, name = read_domain(config, domain)
    with failing_well():
        try:
            with consents_of_domain(settings, name, getpass.getuser()) as found:
                yield found
        except ConsentRefused as refused:
            raise CommandFailed("usage", str(refused)) from refused
        except ConsentUnknown as unknown:
            raise CommandFailed("not_found", f"No consent {unknown} is in force in this domain.") from unknown
