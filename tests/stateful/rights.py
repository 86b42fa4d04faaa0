"""Who may do what, worked out from the page docs/access-matrix.md and the sentences of docs/decide-access.md alone.

A model of its own: it reads the printed table, knows no filter and no SQL, and looks at the small registry's objects.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry

from .registry import Registry, Thing

PAGE = Path(__file__).parents[2] / "docs" / "access-matrix.md"
Pair = tuple[str, str]


class Row(NamedTuple):
    """A line of the table."""

    name: str
    role: str
    actions: tuple[str, ...]
    documents: str
    levels: tuple[str, ...]
    mode: str
    owner: str
    consent: str
    patient: str


class Words(NamedTuple):
    """The codes that a word stands for, by column and word."""

    codes: Mapping[tuple[str, str], frozenset[Pair]]

    def of(self, column: str, word: str) -> frozenset[Pair]:
        return self.codes[column, word]


def _cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines]


def read_page() -> tuple[tuple[Row, ...], Words]:
    """The rows and the words of the page."""
    table, words = PAGE.read_text(encoding="utf-8").split("## What the words stand for")
    rows = [Row(c[0], c[1], tuple(c[2].split(", ")), c[3], tuple(c[4].split(", ")), *c[5:]) for c in _cells(table)[1:]]
    codes = {
        (column, word): frozenset((code.strip("` "), scheme) for code in listed.split(","))
        for column, word, listed, scheme in _cells(words)[1:]
    }
    return tuple(rows), Words(codes)


class Who(NamedTuple):
    """A caller: roles and purposes as codes, organisation, patient of the assertion; a node without `user`."""

    roles: tuple[Pair, ...] = ()
    purposes: tuple[Pair, ...] = ()
    organization: str | None = None
    patient: str | None = None
    name: str = "john"
    user: bool = True


class Said(NamedTuple):
    """A consent: whose, permitting or not, to whom, about documents with a code of a kind, or all."""

    patient: str
    permits: bool
    grantee: str
    kind: str = ""
    code: Pair = ("", "")
    break_glass: bool = False


_NEAR = ("everybody", "role:", "organization:", "person:")
_CONTAINED = ("SubmissionSet", "Folder")


@dataclass
class Rights:
    """The matrix, one caller, and what patients have said."""

    who: Who
    said: Sequence[Said] = ()
    rows: tuple[Row, ...] = field(default_factory=lambda: read_page()[0])
    words: Words = field(default_factory=lambda: read_page()[1])

    # -- the caller

    def roles(self) -> list[str]:
        if not self.who.user:
            return ["node"]
        return [
            word
            for (column, word), codes in self.words.codes.items()
            if column == "role" and codes & set(self.who.roles)
        ]

    def mode(self) -> str:
        chosen = [
            w for (column, w), codes in self.words.codes.items() if column == "mode" and codes & set(self.who.purposes)
        ]
        return chosen[0] if chosen else "normal"

    def called(self) -> set[str]:
        if not self.who.user:
            return {"everybody", "role:node"}
        names = {"everybody", f"person:{self.who.name}", *(f"role:{code}^^{scheme}" for code, scheme in self.who.roles)}
        return names | ({f"organization:{self.who.organization}"} if self.who.organization else set())

    def about(self, action: str) -> list[Row]:
        """The rows for this caller and action."""
        return [
            row
            for row in self.rows
            if row.role in self.roles()
            and action in row.actions
            and row.mode in ("any", self.mode())
            and not (row.patient == "named" and self.who.patient is None)
            and not (row.owner == "own" and self.who.organization is None)
        ]

    # -- one document

    def may(self, action: str, entry: DocumentEntry) -> bool:
        """Whether a version as it is permitted by a row."""
        if self.who.patient is not None and entry.patient_id != self.who.patient:
            return False
        return any(self._fits(row, entry) and self._agreed(row, entry) for row in self.about(action))

    def may_submit(self, entry: DocumentEntry) -> bool:
        return any(self._fits(row, entry) for row in self.about("submit") if row.consent != "if permitted")

    def _fits(self, row: Row, entry: DocumentEntry) -> bool:
        levels = {(c.code, c.coding_scheme) for c in entry.codes(v.DE_CONFIDENTIALITY_CODE)}
        types = {(c.code, c.coding_scheme) for s in (v.DE_CLASS_CODE, v.DE_TYPE_CODE) for c in entry.codes(s)}
        allowed: set[Pair] = set().union(
            *(self.words.of("confidentiality", level) for level in row.levels if level != "any")
        )
        return (
            (row.levels == ("any",) or (bool(levels) and levels <= allowed))
            and (row.documents == "any" or bool(types & self.words.of("documents", row.documents)))
            and (row.owner == "anyone" or self.who.organization in authors_of(entry))
        )

    def _agreed(self, row: Row, entry: DocumentEntry | None, patient: str | None = None) -> bool:
        if row.consent == "regardless":
            return True
        of = entry.patient_id if entry is not None else patient
        standing = [each for each in self.said if each.patient == of and self._covers(each, entry)]
        if self._opposed(standing):
            return False
        return row.consent == "unless opposed" or any(each.permits for each in standing)

    def _covers(self, said: Said, entry: DocumentEntry | None) -> bool:
        if said.grantee not in self.called():
            return False
        if not said.kind:
            return True
        return entry is not None and said.code in {(c.code, c.coding_scheme) for c in entry.codes(said.kind)}

    def _opposed(self, standing: Iterable[Said]) -> bool:
        told = list(standing)
        return any(
            not each.permits
            and not (each.break_glass and self.mode() != "normal")
            and not any(other.permits and _near(other) > _near(each) for other in told)
            for each in told
        )

    # -- the registry, as far as this caller may see it

    def seen(self, registry: Registry, action: str = "find") -> Registry:
        """The registry with nothing in it that is hidden."""
        shown = {thing.id for thing in registry.entries() if self.sees_entry(registry, thing, action)}
        shown |= {
            t.id for t in (*registry.sets(), *registry.folders()) if self._sees_container(registry, t, shown, action)
        }
        pending = registry.associations()
        while found := [link for link in pending if {link.source, link.target} <= shown]:
            shown |= {link.id for link in found}
            pending = [link for link in pending if link.id not in shown]
        return replace(registry, things={key: thing for key, thing in registry.things.items() if key in shown})

    def sees_entry(self, registry: Registry, thing: Thing, action: str = "find") -> bool:
        """A version is there when it and the latest version are."""
        latest = next(each for each in registry.versions(thing.lid, DocumentEntry) if each.latest)
        return all(isinstance(each.sent, DocumentEntry) and self.may(action, each.sent) for each in (thing, latest))

    def _sees_container(self, registry: Registry, thing: Thing, shown: set[str], action: str) -> bool:
        if self.who.patient is not None and thing.patient != self.who.patient:
            return False
        members = {link.target for link in registry.from_(thing.id)} & {entry.id for entry in registry.entries()}
        if members:
            return bool(members & shown)
        return any(self._agreed(row, None, thing.patient) for row in self.about(action) if row.owner == "anyone")


def _near(said: Said) -> int:
    return next(number for number, prefix in enumerate(_NEAR) if said.grantee.startswith(prefix))


def authors_of(entry: DocumentEntry) -> set[str]:
    """The organisations of authors by the last component of their XON."""
    texts = [xon for author in entry.codes(v.DE_AUTHOR) for xon in author.slot_values("authorInstitution")]
    return {text.rpartition("^")[2] for text in texts}
