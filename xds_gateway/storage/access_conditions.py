"""The access filter as conditions of statements (`model.principal.AccessFilter`).

A condition is SQL and the names of what is bound in it, in their order: it is made once for each shape of filter, and
put together from smaller ones, in which a value may stand several times.

Whatever a condition does not say yes to is hidden: NULL never permits.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from ..model.principal import Consent
from .rows import AUTHOR_ORGANIZATION, CODE_LISTS, KINDS, SCOPES
from .statements import in_list

_ENTRY, _ASSOCIATION = KINDS["DocumentEntry"], KINDS["Association"]
_CONFIDENTIALITY: Final = CODE_LISTS["confidentiality_code"]


class PermitShape(NamedTuple):
    """What a permit asks, without the values; sizes are those of `inline_size`, None where it asks nothing."""

    confidentiality: int | None
    class_codes: int | None
    type_codes: int | None
    own: bool
    consent: Consent


class AccessShape(NamedTuple):
    """What a filter asks, without the values; `grantees` is None where no consent has to be looked at."""

    permits: tuple[PermitShape, ...]
    patients: int | None = None
    grantees: int | None = None
    break_glass: bool = False


class Condition(NamedTuple):
    """SQL that is true or not, and what is bound in it."""

    sql: str
    bound: tuple[str, ...] = ()


_NEVER: Final = Condition("0")
_ALWAYS: Final = Condition("1")


def _joined(word: str, conditions: Iterable[Condition], nothing: Condition) -> Condition:
    told = list(conditions)
    if len(told) < 2:  # SQLite's parser takes only so many parentheses in each other
        return told[0] if told else nothing
    text = f" {word} ".join(condition.sql for condition in told)
    return Condition(f"({text})", tuple(name for condition in told for name in condition.bound))


def _all(*conditions: Condition) -> Condition:
    return _joined("AND", [condition for condition in conditions if condition is not _ALWAYS], _ALWAYS)


def _any(conditions: Iterable[Condition]) -> Condition:
    return _joined("OR", conditions, _NEVER)


# --- what statements ask ------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def entry(shape: AccessShape, alias: str = "e") -> Condition:
    """A version of an entry is there when it is permitted, and so is the latest version of its document."""
    version, latest = _version(shape, alias), _version(shape, "n")
    sql = (
        f"({version.sql} AND ({alias}.latest = 1 OR EXISTS (SELECT 1 FROM document_entry n"
        f" WHERE n.lid = coalesce({alias}.lid, {alias}.uuid) AND n.domain = {alias}.domain AND n.latest = 1"
        f" AND {latest.sql})))"
    )
    return Condition(sql, version.bound + latest.bound)


@lru_cache(maxsize=256)
def container(shape: AccessShape, alias: str = "e") -> Condition:
    """A set or folder is there when one of its documents is; without any, when the patient's documents may be."""
    version, latest, bare = _version(shape, "d"), _version(shape, "n"), _bare(shape, alias)
    held = "FROM association m CROSS JOIN document_entry d ON d.id = m.target"
    any_member = Condition(
        f"EXISTS (SELECT 1 {held} CROSS JOIN document_entry n ON n.id = d.id OR n.lid = coalesce(d.lid, d.uuid)"
        f" WHERE m.source = {alias}.id AND n.domain = d.domain AND n.latest = 1 AND {version.sql} AND {latest.sql})",
        version.bound + latest.bound,
    )
    none = Condition(f"(NOT EXISTS (SELECT 1 {held} WHERE m.source = {alias}.id) AND {bare.sql})", bare.bound)
    return _all(_patient(shape, alias), _any((any_member, none)))


@lru_cache(maxsize=256)
def association(shape: AccessShape, alias: str = "a") -> Condition:
    """No end is a hidden object, nor an association with such an end, however far down."""
    hidden = [
        Condition(f"SELECT 1 FROM reached CROSS JOIN {table} e ON e.id = reached.id WHERE {asked.sql} IS NOT TRUE",
                  asked.bound)
        for table, asked in (
            ("document_entry", entry(shape)),
            ("submission_set", container(shape)),
            ("folder", container(shape)),
        )
    ]  # fmt: skip
    reached = (
        f"WITH RECURSIVE reached(id) AS (SELECT {alias}.source UNION SELECT {alias}.target"
        " UNION SELECT n.source FROM reached CROSS JOIN association n ON n.id = reached.id"
        " UNION SELECT n.target FROM reached CROSS JOIN association n ON n.id = reached.id)"
    )
    selects = " UNION ALL ".join(condition.sql for condition in hidden)
    return Condition(f"NOT EXISTS ({reached} {selects})", tuple(name for c in hidden for name in c.bound))


# --- what plans ask: objects that are known by their ids ----------------------------------------------------------

_TABLES: Final = {1: "document_entry", 2: "submission_set", 3: "folder", 4: "association"}


def condition_of(kind: int, shape: AccessShape) -> Condition:
    """The condition of objects of a kind (`rows.KINDS`), as `e`."""
    if kind == _ENTRY:
        return entry(shape)
    return association(shape, "e") if kind == _ASSOCIATION else container(shape)


@lru_cache(maxsize=256)
def permitted(kind: int, keys: int, shape: AccessShape) -> str:
    """Those of these ids that are permitted. Bind: ids, access."""
    return f"SELECT e.id FROM {_TABLES[kind]} e WHERE {in_list('e.id', keys)} AND {condition_of(kind, shape).sql}"


@lru_cache(maxsize=64)
def any_entry(shape: AccessShape) -> str:
    """Whether an entry with a uniqueId is permitted. Bind: id of the uniqueId, access."""
    return f"SELECT 1 FROM document_entry e WHERE e.unique_id = ? AND {entry(shape).sql} LIMIT 1"


# --- one version of an entry --------------------------------------------------------------------------------------


def _version(shape: AccessShape, alias: str) -> Condition:
    ways: dict[Consent, list[Condition]] = {"regardless": [], "unless opposed": [], "if permitted": []}
    for number, permit in enumerate(shape.permits):
        ways[permit.consent].append(_permit(number, permit, alias))
    return _all(_patient(shape, alias), _by_consent(shape, ways, _opposed(shape, alias), _granted(shape, alias)))


def _by_consent(
    shape: AccessShape, ways: dict[Consent, list[Condition]], opposed: Condition, granted: Condition
) -> Condition:
    """Some ways are open whatever the patient says, others unless there is an opposition, others by permission."""
    heeding = ways["unless opposed"]
    if shape.grantees is not None and ways["if permitted"]:
        heeding = [*heeding, _all(granted, _any(ways["if permitted"]))]
    if shape.grantees is not None and heeding:
        heeding = [_all(_any(heeding), opposed)]
    return _any((*ways["regardless"], *heeding))


def _patient(shape: AccessShape, alias: str) -> Condition:
    if shape.patients is None:
        return _ALWAYS
    return Condition(in_list(f"+{alias}.patient", shape.patients), ("patients",))


def _permit(number: int, permit: PermitShape, alias: str) -> Condition:
    asked = []
    if permit.confidentiality is not None:
        codes = f"FROM object_code k WHERE k.object = {alias}.id AND k.attribute = {_CONFIDENTIALITY}"
        other = f"({in_list('k.code', permit.confidentiality)}) IS NOT TRUE"
        asked.append(Condition(f"EXISTS (SELECT 1 {codes})"))
        asked.append(Condition(f"NOT EXISTS (SELECT 1 {codes} AND {other})", (f"confidentiality {number}",)))
    asked += _documents(number, permit, alias)
    if permit.own:
        asked.append(
            Condition(
                f"EXISTS (SELECT 1 FROM object_code k WHERE k.object = {alias}.id"
                f" AND k.attribute = {AUTHOR_ORGANIZATION} AND k.code = ?)",
                (f"organization {number}",),
            )
        )
    return _all(*asked)


def _documents(number: int, permit: PermitShape, alias: str) -> list[Condition]:
    """A plus keeps an index of many rows out of queries of a patient."""
    kinds = [
        Condition(in_list(f"+{alias}.{column}", size), (f"{column} {number}",))
        for column, size in (("class_code", permit.class_codes), ("type_code", permit.type_codes))
        if size is not None
    ]
    return [_any(kinds)] if kinds else []


def _bare(shape: AccessShape, alias: str) -> Condition:
    """Whether the caller may see what a patient has without a document: by no right to documents of its own alone."""
    ways: dict[Consent, list[Condition]] = {"regardless": [], "unless opposed": [], "if permitted": []}
    for consent in dict.fromkeys(permit.consent for permit in shape.permits if not permit.own):
        ways[consent].append(_ALWAYS)
    return _by_consent(shape, ways, _opposed(shape, alias, documents=False), _granted(shape, alias, documents=False))


# --- consents of the patient --------------------------------------------------------------------------------------

# The consents of a patient are those of all that were merged with it.
_OF_PATIENT: Final = (
    "FROM patient p CROSS JOIN patient g ON g.id = coalesce(p.survivor, p.id)"
    " OR g.survivor = coalesce(p.survivor, p.id) CROSS JOIN consent c ON c.patient = g.id{more}"
    " WHERE p.id = {alias}.patient AND c.withdrawn_at IS NULL"
)


def _opposed(shape: AccessShape, alias: str, *, documents: bool = True) -> Condition:
    """No opposition stands, but for one that the same identifier lifts by a permission to somebody nearer."""
    if shape.grantees is None:
        return _ALWAYS
    against, lifted = _in_force(shape, alias, "c", documents), _in_force(shape, alias, "x", documents)
    glass = " AND c.break_glass = 0" if shape.break_glass else ""
    nearer = (
        " LEFT JOIN consent x ON x.patient = c.patient AND x.withdrawn_at IS NULL AND x.permits = 1"
        f" AND x.nearness > c.nearness AND {lifted.sql}"
    )
    consents = _OF_PATIENT.format(alias=alias, more=nearer)
    sql = f"NOT EXISTS (SELECT 1 {consents} AND c.permits = 0{glass} AND {against.sql} AND x.id IS NULL)"
    return Condition(sql, lifted.bound + against.bound)


def _granted(shape: AccessShape, alias: str, *, documents: bool = True) -> Condition:
    if shape.grantees is None:
        return _NEVER
    granted = _in_force(shape, alias, "c", documents)
    consents = _OF_PATIENT.format(alias=alias, more="")
    return Condition(f"EXISTS (SELECT 1 {consents} AND c.permits = 1 AND {granted.sql})", granted.bound)


def _in_force(shape: AccessShape, alias: str, consent: str, documents: bool) -> Condition:
    """A consent about the caller, in force, that covers this version; of what is no document only one about all."""
    size = shape.grantees or 0
    scope = f"{consent}.scope = 0"
    if documents:
        scope = (
            f"({scope} OR ({consent}.scope = {SCOPES['class_code']} AND {consent}.code = {alias}.class_code)"
            f" OR ({consent}.scope = {SCOPES['type_code']} AND {consent}.code = {alias}.type_code)"
            f" OR ({consent}.scope = {SCOPES['confidentiality_code']} AND EXISTS (SELECT 1 FROM object_code k"
            f" WHERE k.object = {alias}.id AND k.attribute = {_CONFIDENTIALITY} AND k.code = {consent}.code)))"
        )
    sql = f"{in_list(f'{consent}.grantee', size)} AND ({consent}.until IS NULL OR {consent}.until > ?) AND {scope}"
    return Condition(f"({sql})", ("grantees", "at"))
