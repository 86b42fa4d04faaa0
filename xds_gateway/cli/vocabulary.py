"""`xds-gateway vocabulary`."""

import getpass
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from ..actors.value_sets import ValueSetLoading
from ..administering import value_sets_of_domain
from ..clock import now
from ..codec.value_sets import NotValueSets, value_sets_of
from ..config import LoadedSettings
from ..domains import prepare
from ..model.errors import Finding, GatewayError, StorageBusy
from ..model.messages import AuditEvent
from ..model.metadata import RegistryObject
from ..model.value_sets import ATTRIBUTES, BY_NAME, ListedCode, ValueSet
from ..storage.database import sqlite_path
from .config import read_settings
from .console import output, print_json, shown, time_text, working
from .failures import CommandFailed, Status
from .listing import counted

KEYS: Final = {  # what another subcommand tells is null
    "domain": "name of the domain",
    "version": "number of its value sets: the present one, or the one that was asked for; each load that changes "
    "something makes it one more",
    "changed": "`load`: list of objects with attribute, codes (in force), added, retired",
    "ignored": "`load`: names of lists that are for no attribute",
    "lists": "`list`: list of objects with attribute, since (version), codes (in force), retired, sources (objects "
    "with file, id, name, version)",
    "codes": "`show`: list of objects with code, scheme, display, active, since, until (DTMs, UTC), in_force; null "
    "when the attribute has no list",
    "failing": "`check`: list of objects with kind, id, unique_id, status, findings (objects with rule, attribute, "
    "received, sentence, hint)",
}
_SHOWN: Final = 50  # objects that `check` tells to people


def load(
    files: Sequence[Path],
    attributes: Sequence[str],
    none: Sequence[str],
    domain: str | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make files the lists of their attributes. Raises CommandFailed."""
    settings = read_settings(config)
    name = _domain(settings, domain)
    lists, ignored = _read(files, tuple(map(_attribute, attributes)))
    dropped = tuple(map(_attribute, none))
    if not lists and not dropped:
        raise CommandFailed("usage", "Name a FILE to load, or an attribute with --none.")
    twice = sorted(lists.keys() & set(dropped))
    if twice:
        raise CommandFailed("usage", f"{twice[0]} gets a list and --none: leave one of them out.")
    with _failing_well():
        _make_database(settings)
        with value_sets_of_domain(settings, name) as domain_lists, working("Loading", quiet=as_json):
            number, changed = domain_lists.load({**lists, **dict.fromkeys(dropped)}, _event("vocabulary load", name))
    if as_json:
        _print(name, number, changed=changed, ignored=ignored)
        return
    for each in changed:
        told = f"{counted(each.codes, 'code')}, {each.added} added, {each.retired} retired"
        output().print(f"{each.attribute}: {told if each.attribute in lists else 'no list any more'}", soft_wrap=True)
    for other in ignored:
        output().print(f"{shown(other)}: ignored, it is for no attribute", soft_wrap=True)
    output().print(f"Version {number} of the value sets of {name}{'' if changed else ': nothing has changed'}.")


def show_lists(domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Tell which attributes have a list."""
    with _opened(domain, config) as (name, domain_lists):
        present = domain_lists.present()
    at = now()
    counts = {a: sum(code.in_force(at) for code in each.codes.values()) for a, each in present.lists.items()}
    if as_json:
        lists = [
            {
                "attribute": each.attribute,
                "since": each.number,
                "codes": counts[each.attribute],
                "retired": len(each.codes) - counts[each.attribute],
                "sources": each.sources,
            }
            for each in present.lists.values()
        ]
        _print(name, present.number, lists=lists)
        return
    table = _table("attribute", "codes", "retired", "since version", "from")
    for attribute in (a.name for a in ATTRIBUTES):
        each = present.lists.get(attribute)
        if each is None:
            table.add_row(attribute, "any", "", "", "")
        else:
            retired = len(each.codes) - counts[attribute]
            table.add_row(attribute, str(counts[attribute]), str(retired), str(each.number), shown(each.name))
    output().print(table)
    output().print(f"Version {present.number} of the value sets of {name}.")


def show(attribute: str, number: int | None, domain: str | None, config: Path | None, *, as_json: bool) -> None:
    """Show one list. Raises CommandFailed for a version that does not exist."""
    wanted = _attribute(attribute)
    with _opened(domain, config) as (name, domain_lists):
        present = domain_lists.present()
        if number is not None and not 0 <= number <= present.number:
            raise CommandFailed("not_found", f"There is no version {number}: the present one is {present.number}.")
        value_sets = present if number is None else domain_lists.earlier(number)
    listed = value_sets.lists.get(wanted)
    if as_json:
        _print(name, value_sets.number, codes=_codes_json(listed))
    elif listed is None:
        output().print(f"{wanted} has no list: any code is accepted.")
    else:
        output().print(_codes_table(listed))
        output().print(f"{counted(len(listed.codes), 'code')} of {shown(listed.name)}, since version {listed.number}.")


def check(domain: str | None, config: Path | None, *, as_json: bool) -> int:
    """Tell which stored objects would be refused today; the exit status."""
    with _opened(domain, config) as (name, domain_lists), working("Checking what is stored", quiet=as_json):
        version = domain_lists.present().number
        domain_lists.audit(_event("vocabulary check", name))
        if as_json:  # of the objects, of which there may be very many, only what is told stays in memory
            found = [_failing_json(*each) for each in domain_lists.failing()]
            count, some = len(found), []
        else:
            failing = domain_lists.failing()
            some = list(islice(failing, _SHOWN))
            count = len(some) + sum(1 for _ in failing)
    if as_json:
        _print(name, version, failing=found)
    else:
        _tell_failing(some, count)
    return Status.REFUSED if count else Status.DONE


def _tell_failing(some: Sequence[tuple[RegistryObject, tuple[Finding, ...]]], count: int) -> None:
    table = _table("object", "attribute", "code")
    for item, findings in some:
        label = Text(f"{item.KIND} {shown(item.unique_id)}".strip(), style="bold").append(f"\n{item.id}", style="dim")
        retired = [" (retired)" if each.rule.endswith(".retired") else "" for each in findings]
        codes = [f"{shown(each.received)}{after}" for each, after in zip(findings, retired, strict=True)]
        table.add_row(label, "\n".join(each.attribute or "" for each in findings), "\n".join(codes))
    if some:
        output().print(table)
    if count > len(some):
        output().print(f"... and {count - len(some)} more: --json tells all.")
    output().print(f"{counted(count, 'stored object').capitalize()} would be refused today.")


# --- what they share ----------------------------------------------------------------------------------------------


def _print(domain: str, version: int, **told: Any) -> None:
    """One JSON document with all keys; what another subcommand tells is null."""
    print_json({**dict.fromkeys(KEYS), "domain": domain, "version": version, **told})


@contextmanager
def _opened(domain: str | None, config: Path | None) -> Iterator[tuple[str, ValueSetLoading]]:
    settings = read_settings(config)
    name = _domain(settings, domain)
    with _failing_well(), value_sets_of_domain(settings, name) as domain_lists:
        yield name, domain_lists


@contextmanager
def _failing_well() -> Iterator[None]:
    """Failures of the database in the words of commands."""
    try:
        yield
    except StorageBusy as wrong:
        raise CommandFailed("timed_out", f"Others write to the database all the time ({wrong}): try again.") from wrong
    except GatewayError as wrong:  # each is a sentence that says what to do
        raise CommandFailed("configuration", str(wrong)) from wrong


def _make_database(settings: LoadedSettings) -> None:
    """A domain may get its lists before its gateway starts for the first time."""
    if not sqlite_path(settings.database_url).exists():
        os.umask(0o077)
        prepare(settings)


def _domain(settings: LoadedSettings, name: str | None) -> str:
    names = [domain.name for domain in settings.domains]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise CommandFailed("usage", f"Say --domain with one of the domains: {', '.join(names)}.")
    return name


def _attribute(name: str) -> str:
    exact = {each.lower(): each for each in BY_NAME}.get(name.lower())
    if exact is None:
        near = get_close_matches(name, BY_NAME, 1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise CommandFailed("usage", f"{name} is no coded attribute. {meant}They are {', '.join(BY_NAME)}.")
    return exact


def _read(files: Sequence[Path], attributes: Sequence[str]) -> tuple[dict[str, ValueSet], tuple[str, ...]]:
    if len(attributes) not in (0, 1, len(files)):
        raise CommandFailed("usage", "Say --attribute once, or once for each FILE.")
    try:
        lists, ignored = value_sets_of([(str(file), file.read_bytes()) for file in files], attributes)
    except OSError as wrong:
        raise CommandFailed("usage", f"{wrong.filename} cannot be read: {wrong.strerror}.") from wrong
    except NotValueSets as wrong:
        raise CommandFailed("usage", shown(str(wrong)), "Say what a file is for with --attribute.") from wrong
    return dict(lists), ignored


def _event(command: str, domain: str) -> Callable[[str, tuple[str, ...]], AuditEvent]:
    """The audit row of a command, once it is known when it was and what it was about (ITI TF-2 3.20)."""

    def event(at: str, objects: tuple[str, ...]) -> AuditEvent:
        return AuditEvent(
            at=at,
            transaction=command,
            outcome="success",
            node=_user(),
            address="local",
            domain=domain,
            message_id="",
            objects=objects,
        )

    return event


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return f"user {os.getuid()}"


def _codes_json(listed: ValueSet | None) -> list[dict[str, Any]] | None:
    at = now()
    return None if listed is None else [{**c._asdict(), "in_force": c.in_force(at)} for c in listed.codes.values()]


def _codes_table(listed: ValueSet) -> Table:
    table, at = _table("code", "display name", "scheme", "state"), now()
    for code in listed.codes.values():
        style = "" if code.in_force(at) else "dim"
        cells = (shown(code.code), shown(code.display), shown(code.scheme), _state(code, at))
        table.add_row(*cells, style=style)
    return table


def _state(code: ListedCode, at: str) -> str:
    if code.in_force(at):
        return f"until {time_text(code.until[:8])}" if code.until else ""
    if code.since and at < code.since:
        return f"from {time_text(code.since[:8])}"
    return f"retired {time_text(code.until[:8])}" if code.until else "retired"


def _failing_json(item: RegistryObject, findings: Sequence[Finding]) -> dict[str, Any]:
    told = ("rule", "attribute", "received", "sentence", "hint")
    return {
        "kind": item.KIND,
        "id": item.id,
        "unique_id": item.unique_id,
        "status": item.status,
        "findings": [{name: getattr(each, name) for name in told} for each in findings],
    }


def _table(*names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", justify="right" if name in ("codes", "retired") else "left")
    return table
