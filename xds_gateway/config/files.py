"""Whether the files and folders that the settings name can be used."""

import os
from collections.abc import Iterator
from pathlib import Path

from .conflicts import ports
from .listeners import Port
from .mistakes import ConfigurationError
from .settings import Settings


def check_files(settings: Settings) -> None:
    """See that keys, certificates and folders can be used. Raises ConfigurationError with all that cannot."""
    problems = [*_unreadable(settings), *_unwritable(settings)]
    if problems:
        raise ConfigurationError(*problems)


def _unreadable(settings: Settings) -> Iterator[str]:
    for table, listener in ports(settings):
        for setting, path in _wanted(listener):
            if not path.is_file():
                yield (
                    f"{table}.{setting} is {path}, which does not exist: "
                    "correct it, or make test keys with `xds-gateway pki`."
                )
            yield from _forbidden(f"{table}.{setting}", path)
    yield from _unreadable_of_audit(settings)
    for number, domain in enumerate(settings.domains):
        for position, path in enumerate(domain.value_sets):
            place = f"domains[{number}].value_sets[{position}]"
            if not path.is_file():
                yield f"{place} is {path}, which does not exist: correct it, or leave it out."
            yield from _forbidden(place, path)
    for number, issuer in enumerate(settings.issuers):
        for path in issuer.certificates:
            if not path.is_file():
                yield (
                    f"issuers[{number}].certificates names {path}, which does not exist: "
                    "correct it, or make test keys with `xds-gateway pki`."
                )
            yield from _forbidden(f"issuers[{number}].certificates", path)


def _unreadable_of_audit(settings: Settings) -> Iterator[str]:
    named: list[tuple[str, Path | None]] = [("audit.anchor_key", settings.audit.anchor_key)]
    named += [(f"audit.anchor_public_keys[{n}]", path) for n, path in enumerate(settings.audit.anchor_public_keys)]
    for number, each in enumerate(settings.audit_repositories):
        encrypted = each.protocol == "syslog" or each.url.startswith("https:")
        wanted = ("ca", "certificate", "key") if encrypted else ()
        named += [(f"audit_repositories[{number}].{setting}", getattr(each, setting)) for setting in wanted]
    for place, path in named:
        if path is not None and not path.is_file():
            yield f"{place} is {path}, which does not exist: correct it, or make test keys with `xds-gateway pki`."
        elif path is not None:
            yield from _forbidden(place, path)


def _forbidden(place: str, path: Path) -> Iterator[str]:
    if path.is_file() and not os.access(path, os.R_OK):
        yield f"{place} is {path}, which cannot be read: give this user the right to read it."


def _wanted(listener: Port) -> Iterator[tuple[str, Path]]:
    """The files that a listener reads, with the settings that name them."""
    if listener.tls != "off":
        yield from (("certificate", listener.certificate), ("key", listener.key))
    if listener.wants_certificates:
        if listener.needs_authorities:
            yield "client_ca", listener.client_ca
        yield from (("pinned_certificates", path) for path in listener.pinned_certificates)
        yield from (("crls", path) for path in listener.crls)


def _unwritable(settings: Settings) -> Iterator[str]:
    folders = {
        "data_folder": settings.data_folder,
        "The folder of database_url": _database_folder(settings),
        "wire_log.folder": settings.wire_log.folder,
    }
    for place, folder in folders.items():
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            yield f"{place} is {folder}, which cannot be made ({error.strerror}): correct it or make the folder."
            continue
        if not os.access(folder, os.W_OK | os.X_OK):
            yield f"{place} is {folder}, which cannot be written to: give this user the right to write there."


def _database_folder(settings: Settings) -> Path | None:
    """The folder of an embedded database that lies elsewhere than the data."""
    if not settings.database_url.startswith("sqlite:///"):
        return None
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    return None if folder == settings.data_folder else folder
