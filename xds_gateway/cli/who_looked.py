"""`xds-gateway audit who-looked`: the answer that a patient is owed."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from ..actors.audit_ports import Selection
from ..actors.audit_reading import Look, identifiers_of, looks, titles_of
from ..config import LoadedSettings
from ..model.identifiers import parse_patient_id
from ..storage.opening import open_registry
from .audit import opened, patient_cx, record_use, time_of
from .config import read_settings
from .console import as_plain, output, print_json, shown, time_text
from .listing import counted

_AT_ONCE: Final = 200  # ids whose titles are looked up together


def who_looked(patient: str, since: str, until: str, config: Path | None, *, titles: bool, as_json: bool) -> None:
    """Tell all accesses to the record of a patient, under all its identifiers."""
    settings = read_settings(config)
    patients = _identifiers(settings, patient_cx(patient))
    found = _looks(settings, patients, since, until)
    named = _titles(settings, found) if titles else {}
    if as_json:
        told = [{**as_plain(each), "titles": _of(each, named)} for each in found]
        print_json({"patients": patients, "looks": told})
        return
    console = output()
    console.print(Text.assemble(("Who looked at the record of ", ""), (shown(", ".join(patients)), "bold")))
    console.print(looks_table(found, named))
    console.print(f"{counted(len(found), 'access', 'accesses')}; times are UTC.")


def looked(settings: LoadedSettings, patient: str) -> Sequence[Look]:
    """All accesses to the record of a patient, a CX, under all its identifiers."""
    return _looks(settings, _identifiers(settings, patient), "", "")


def _looks(settings: LoadedSettings, patients: tuple[str, ...], since: str, until: str) -> Sequence[Look]:
    with opened(settings) as storage:
        record_use(settings, "who-looked", "", patients)
        selection = Selection(patients=patients, since=time_of(since), until=time_of(until))
        return list(looks(storage.log.selected(selection), frozenset(patients)))


def _of(look: Look, named: Mapping[str, str]) -> dict[str, str]:
    return {each: named[each] for each in look.objects if each in named}


def looks_table(found: Sequence[Look], named: Mapping[str, str]) -> Table:
    """Accesses as people read them; documents have the titles of `named`, by id."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("when", "who", "did what", "purpose", "outcome"):
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(time_text(each.at), _who(each), _what(each, named), _purpose(each), _outcome(each))
    return table


def _who(look: Look) -> Text:
    """The person, with role and organisation; without an assertion, the node."""
    told = Text(shown(look.name or look.user or look.node), style="bold")
    lines = [*look.roles, *([look.organization] if look.organization else ())]
    lines += [look.user] if look.user and look.name else []
    lines += [f"at {look.node}"] if look.user else []
    return told.append("".join(f"\n{shown(line)}" for line in (*lines, look.address)), style="not bold dim")


def _what(look: Look, named: Mapping[str, str]) -> str:
    objects = [f"{named[each]} ({each})" if each in named else each for each in look.objects]
    return shown("\n".join((f"{look.what}{f' by {look.query}' if look.query else ''}", *objects)))


def _purpose(look: Look) -> str:
    return shown("\n".join((*look.purposes, *(["break-glass"] if look.break_glass else ()))))


def _outcome(look: Look) -> str:
    return shown("\n".join((look.outcome, *look.reasons)))


def _identifiers(settings: LoadedSettings, patient: str) -> tuple[str, ...]:
    """The patient and all that were merged with it, in any domain."""
    known = parse_patient_id(patient)
    found: dict[str, None] = {patient: None}
    for domain in settings.domains:
        with open_registry(settings.database_url, settings.data_folder, domain.name) as (store, _):
            of_domain = store.inspect(lambda snapshot: identifiers_of(snapshot, known) if known else ())
        found |= dict.fromkeys(each.as_cx() for each in of_domain)
    return tuple(found)


def _titles(settings: LoadedSettings, found: Sequence[Look]) -> Mapping[str, str]:
    """What the documents are called now, where they are still registered."""
    ids = sorted({each for look in found for each in look.objects})
    named: dict[str, str] = {}
    for domain in settings.domains:
        with open_registry(settings.database_url, settings.data_folder, domain.name) as (store, _):
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                named |= store.inspect(partial(titles_of, repository=domain.repository_unique_id, ids=some))
    return named
