"""Who may do what: a matrix and a principal become the filters that every read and every change is held against.

What storage compiles into its statements is decided here, and nowhere else. `judged_by` decides the same for one
document that is at hand, row by row, for new documents and to explain.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ..model.consents import EVERYBODY, organization_grantee, person_grantee, role_grantee
from ..model.identifiers import PatientId, parse_organization_id
from ..model.principal import Access, AccessFilter, Coded, Pair, Permit, Principal, User
from .access_matrix import ACTIONS, ANY, NODE, NORMAL, AccessMatrix, AccessRow, Action, DocumentTypes

_NODE_GRANTEES: Final = (EVERYBODY, role_grantee(NODE))


class Caller(NamedTuple):
    """A principal as a matrix sees it; `organization` and `patient` are those of the assertion."""

    roles: tuple[str, ...]
    mode: str
    organization: str | None = None
    patient: PatientId | None = None
    grantees: tuple[str, ...] = _NODE_GRANTEES


class Document(NamedTuple):
    """What rows ask of a document; `organizations` are its authors'."""

    class_code: Pair | None = None
    type_code: Pair | None = None
    confidentiality: frozenset[Pair] = frozenset()
    organizations: frozenset[str] = frozenset()


def access_of(matrix: AccessMatrix, principal: Principal, domain: str, at: str) -> Access:
    """What a principal may do in a domain at a time (DTM to the second, UTC)."""
    caller = caller_of(matrix, principal)
    named, glass = caller.patient is not None, caller.mode != NORMAL
    return Access(
        *(
            AccessFilter(domain, permits, caller.patient, caller.grantees, glass, int(at), rows)
            for permits, rows in _permits(matrix, caller.roles, caller.mode, caller.organization, named)
        )
    )


def caller_of(matrix: AccessMatrix, principal: Principal) -> Caller:
    """Roles and mode in the words of the matrix; a caller without a user has the role `node`."""
    user = principal.user
    if user is None:
        return Caller(roles=(NODE,), mode=NORMAL)
    return Caller(
        roles=_named(matrix.roles.items(), user.roles),
        mode=next(iter(_named(matrix.modes.items(), user.purposes)), NORMAL),
        organization=_organization(user),
        patient=user.patient_id,
        grantees=_grantees(user),
    )


def rows_of(matrix: AccessMatrix, caller: Caller, action: Action) -> Sequence[AccessRow]:
    """The rows that are about this caller and action, in the order of the matrix."""
    return [
        row
        for row in matrix.rows
        if row.role in caller.roles
        and action in row.actions
        and row.mode in (ANY, caller.mode)
        and (row.owner == "anyone" or caller.organization is not None)
        and (row.patient == "any" or caller.patient is not None)
    ]


def judged_by(permit: Permit, document: Document) -> bool:
    """Whether a document has all that a permit asks of it; consents are another matter."""
    levels, codes = permit.confidentiality, (*permit.class_codes, *permit.type_codes)
    return (
        (levels is None or (bool(document.confidentiality) and document.confidentiality.issubset(levels)))
        and (not codes or document.class_code in permit.class_codes or document.type_code in permit.type_codes)
        and (permit.organization is None or permit.organization in document.organizations)
    )


def permits(documents: AccessFilter, document: Document) -> bool:
    """Whether a filter permits a new document, about which no patient has said anything yet."""
    return any(judged_by(permit, document) for permit in documents.permits if permit.consent != "if permitted")


def permit_of(matrix: AccessMatrix, row: AccessRow, organization: str | None) -> Permit:
    """A row for users of an organisation, as a filter has it."""
    levels = None
    if row.confidentiality != (ANY,):
        levels = tuple(code for level in row.confidentiality for code in matrix.confidentialities[level])
    types = DocumentTypes() if row.documents == ANY else matrix.documents[row.documents]
    own = organization if row.owner == "own" else None
    return Permit(levels, types.class_codes, types.type_codes, own, row.consent)


@lru_cache(maxsize=1024)
def _permits(
    matrix: AccessMatrix, roles: tuple[str, ...], mode: str, organization: str | None, named: bool
) -> tuple[tuple[tuple[Permit, ...], tuple[str, ...]], ...]:
    """The permits of each action, and their rows; callers of the same kind share them."""
    caller = Caller(roles, mode, organization, PatientId("", "") if named else None)
    chosen = [rows_of(matrix, caller, action) for action in ACTIONS]
    return tuple(
        (
            tuple(dict.fromkeys(permit_of(matrix, row, organization) for row in rows)),
            tuple(row.id for row in rows),
        )
        for rows in chosen
    )


def _named(names: Iterable[tuple[str, Sequence[Pair]]], codes: Sequence[Coded]) -> tuple[str, ...]:
    sent = {(code.code, code.scheme) for code in codes}
    return tuple(name for name, pairs in names if not sent.isdisjoint(pairs))


def _organization(user: User) -> str | None:
    text = (user.organization_id or "").strip()
    return parse_organization_id(text) if "^" in text else text.removeprefix("urn:oid:") or None


def _grantees(user: User) -> tuple[str, ...]:
    """The names that a consent may call a user by."""
    organization = _organization(user)
    return (
        EVERYBODY,
        *(role_grantee(role.code, role.scheme) for role in user.roles),
        *([organization_grantee(organization)] if organization else []),
        person_grantee(user.name_id),
    )
