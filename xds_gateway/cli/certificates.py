"""`xds-gateway certificates`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from ..config import Settings, check_files, ports
from ..config.mistakes import ConfigurationError
from ..nodes import expiry_warnings, tls_files
from ..server.live_files import Ending, Unusable
from ..server.tls import load_tls
from ..users import live_issuers
from .config import misconfigured, read_settings
from .console import output, print_json, shown
from .failures import CommandFailed, Status

KEYS: Final = {
    "certificates": "list of objects with place (the listener's table, or the domain of an issuer), "
    "what (certificate, authority, pinned certificate, revocation list, issuer), file, subject, until, days (left), "
    "state (good, ends soon, has ended)",
}


def certificates(config: Path | None, *, as_json: bool) -> int:
    """Tell until when each certificate and list of the settings is good; the exit status says whether one has ended."""
    settings = read_settings(config)
    try:
        check_files(settings)
    except ConfigurationError as wrong:
        raise misconfigured(wrong) from wrong
    rows = list(_rows(settings))
    if as_json:
        print_json({"certificates": rows})
    else:
        _show(rows)
    return Status.REFUSED if any(row["state"] == "has ended" for row in rows) else Status.DONE


def _rows(settings: Settings) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for place, listener in ports(settings):
        try:
            endings = load_tls(tls_files(listener)).endings
        except Unusable as wrong:
            raise CommandFailed("configuration", f"{place}: {wrong}.") from wrong
        yield from (_row(settings, place, ending, now) for ending in endings)
    try:
        issuers = live_issuers(settings)
    except Unusable as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong
    for live in issuers.values():
        yield from (_row(settings, live.place, ending, now) for ending in live.current.endings)


def _row(settings: Settings, place: str, ending: Ending, now: datetime) -> dict[str, Any]:
    warnings = expiry_warnings(settings)
    left = (ending.until - now).total_seconds() / 86_400
    warned = warnings.lists if ending.what == "revocation list" else warnings.certificates
    return {
        "place": place,
        "what": ending.what,
        "file": ending.path,
        "subject": ending.subject,
        "until": ending.until.isoformat(),
        "days": round(left, 1),
        "state": "has ended" if left < 0 else "ends soon" if left <= warned else "good",
    }


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("place", "what", "file", "subject", "days left", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            row["place"], row["what"], shown(str(row["file"])), shown(row["subject"]), str(row["days"]), row["state"]
        )
    output().print(table)
