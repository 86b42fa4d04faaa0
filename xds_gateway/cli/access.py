"""`xds-gateway access explain`: who may do what with a document, and which row or consent decided."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from ..access_files import access_matrix
from ..actors.access_explanation import ExplainedVersion
from ..config import Settings
from ..model.identifiers import is_uuid_urn
from ..model.principal import Coded, Principal, User
from ..security.access_explaining import ConsideredRow
from ..security.access_matrix import ACTIONS, AccessMatrix
from .consent import as_object, failing_well, read_domain, read_patient, sentence
from .console import output, print_json, shown
from .failures import CommandFailed

KEYS: Final = {
    "action": "what was asked about",
    "versions": "list of objects with uuid, version, status, patient_id, permitted, rows (objects with row, permits, "
    "why_not, consent: the number of the one that decided), consents (as `consent list` has them)",
}


def explain(
    document: str,
    action: str,
    roles: Sequence[str],
    purposes: Sequence[str],
    organization: str | None,
    person: str | None,
    patient: str | None,
    domain: str | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Tell whether a caller may do something with a document, and why. Raises CommandFailed."""
    from ..administering import access_of_domain

    settings, name = read_domain(config, domain)
    if action not in ACTIONS:
        raise CommandFailed("usage", f"{action} is no action: write one of {', '.join(ACTIONS)}.")
    principal = _principal(_matrix(settings, name), roles, purposes, organization, person, patient)
    asked = _identifier(document)
    with failing_well(), access_of_domain(settings, name, getpass.getuser()) as explanation:
        found = explanation.explain(principal, action, asked)
    if not found:
        raise CommandFailed("not_found", f"There is no document {document} in this domain.")
    if as_json:
        print_json({"action": action, "versions": [_as_object(version) for version in found]})
        return
    for version in found:
        _print(version, action)


def _matrix(settings: Settings, name: str) -> AccessMatrix:
    return access_matrix(settings.domain(name))


def _principal(
    matrix: AccessMatrix,
    roles: Sequence[str],
    purposes: Sequence[str],
    organization: str | None,
    person: str | None,
    patient: str | None,
) -> Principal:
    """The caller that an assertion with all this would make; a node without any of it."""
    node = Principal(node="explained", address="local")
    if not (roles or purposes or organization or person or patient):
        return node
    user = User(
        name_id=person or "",
        issuer="",
        assertion_id="",
        roles=tuple(_coded(text, matrix.roles) for text in roles),
        purposes=tuple(_coded(text, matrix.modes) for text in purposes),
        organization_id=organization,
        patient_id=None if patient is None else read_patient(patient),
    )
    return node._replace(user=user)


def _coded(text: str, words: Any) -> Coded:
    """A word of the matrix, or a code as code^^scheme."""
    if text in words:
        return Coded(*words[text][0])
    code, _, scheme = text.partition("^^")
    if not scheme:
        known = ", ".join(words) or "none"
        raise CommandFailed("usage", f"{text} is no word of the matrix ({known}): write one, or code^^scheme.")
    return Coded(code, scheme)


def _identifier(text: str) -> str:
    """An entryUUID with or without its prefix, or a uniqueId."""
    return f"urn:uuid:{text}" if is_uuid_urn(f"urn:uuid:{text}") else text


def _as_object(version: ExplainedVersion) -> dict[str, Any]:
    return {
        "uuid": version.uuid,
        "version": version.version,
        "status": version.status,
        "patient_id": version.patient_id,
        "permitted": version.permitted,
        "rows": [
            {"row": each.row.id, "permits": not each.why_not, "why_not": each.why_not, "consent": each.consent}
            for each in version.rows
        ],
        "consents": [as_object(kept) for kept in version.consents],
    }


def _print(version: ExplainedVersion, action: str) -> None:
    console = output()
    verdict = ("permitted", "bold green") if version.permitted else ("not permitted", "bold red")
    told = f"{action} {version.uuid}, version {version.version}, {version.status.rpartition(':')[2]}: "
    console.print(Text.assemble(shown(told), verdict), soft_wrap=True)
    if version.rows:
        console.print(_table(version.rows))
    else:
        console.print("  No row of the matrix is about this role and action.")
    if not version.permitted and any(not each.why_not for each in version.rows):
        console.print("  A row permits this version, and none the latest version of the document.")
    for kept in version.consents:
        state = "withdrawn" if kept.withdrawn_at else "told"
        console.print(f"  consent {kept.number}, {state}: {shown(sentence(kept))}", soft_wrap=True)


def _table(rows: Sequence[ConsideredRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column("row", no_wrap=True)
    table.add_column("", overflow="fold")
    for each in rows:
        by_consent = f" (consent {each.consent})" if each.consent is not None else ""
        table.add_row(each.row.id, "no: " + "; ".join(each.why_not) if each.why_not else f"permits{by_consent}")
    return table
