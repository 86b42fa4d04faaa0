"""`xds-gateway explain`: what a gateway makes of a captured request, without a gateway or as a dry run of one."""

import re
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..codec.capture_headers import with_dry_run
from ..codec.captures import Capture, NotACapture, parse_capture
from ..codec.transactions import TRANSACTIONS
from ..model.messages import PlannedEffect
from ..rules.explaining import Explanation, explain_answer, of_request, without_registry
from .config import read_settings
from .connecting import assertion_source, destination, failing_well
from .console import output, print_json, shown, working
from .explaining import explanation
from .failures import CommandFailed, Status
from .options import AgainstOptions, ConnectionOptions

_ERROR_KEYS: Final = "code, severity, sentence, rule, object, attribute, received, expected, clause, hint, source"
KEYS: Final = {
    "file": "as given",
    "transaction": "what the message seems to be, as ITI-41, or null",
    "endpoint": "registry, repository, responder or patients",
    "action": "wsa:Action, or null",
    "against": "address of the gateway that was asked, null for none",
    "outcome": '"accepted", "partly accepted", "refused" or "unreadable"',
    "findings": f"list of objects with {_ERROR_KEYS}",
    "open": "list of the same: what depends on the real registry, or on documents that the capture left out",
    "effects": "list of objects with effect, object_id, detail; null when nothing is told of effects",
}

_CONNECT_SECONDS: Final = 10.0
_MOUNT: Final = re.compile(r"/(?:registry|repository|responder|patients)?/*$")
_EFFECTS: Final = {
    "register": "registered",
    "associate": "associated by the registry",
    "deprecate": "becomes Deprecated",
    "approve": "becomes Approved",
    "supersede": "no longer the latest version",
    "touch": "folder with a new lastUpdateTime",
    "remove": "metadata deleted",
    "erase": "document deleted",
    "know": "patient becomes known",
    "merge": "patient is merged",
}
_DETAILED: Final = ("register", "associate", "merge")  # the words for the others say it all


def explain(path: Path, transaction: str | None, options: AgainstOptions, *, as_json: bool) -> Status:
    """Explain one captured request; the status tells whether it would be accepted."""
    capture = _read(path, transaction)
    against = options.against and _MOUNT.sub("", options.against)
    found = _online(capture, against, options) if against else _offline(capture, options)
    if as_json:
        print_json(_as_json(path, capture, against, found))
    else:
        output().print(page(path.name or str(path), capture, against, found))
    return Status.DONE if found.outcome == "accepted" else Status.REFUSED


def _read(path: Path, transaction: str | None) -> Capture:
    if transaction and transaction.upper() not in {row.name for row in TRANSACTIONS}:
        known = ", ".join(dict.fromkeys(row.name for row in TRANSACTIONS))
        raise CommandFailed("usage", f"--transaction is one of {known}.")
    file = path / "request" if path.is_dir() else path
    try:
        return parse_capture(file.read_bytes(), transaction and transaction.upper())
    except OSError as wrong:
        raise CommandFailed("usage", f"{file} cannot be read: {wrong.strerror}.") from wrong
    except NotACapture as wrong:
        raise CommandFailed(
            "usage",
            f"{file} is no captured request: {wrong}.",
            "It may be an HTTP request with its head, a MIME message, a SOAP envelope, the element of a Body, or a "
            "folder of the wire log.",
        ) from wrong


def _offline(capture: Capture, options: AgainstOptions) -> Explanation:
    from .offline import answer

    settings = read_settings(options.config)
    told = explain_answer(*answer(with_dry_run(capture) or capture, settings))
    if told.outcome == "unreadable":  # places in the message are then those of the file
        told = explain_answer(*answer(capture, settings))
    return of_request(without_registry(told), capture)


def _online(capture: Capture, against: str, options: AgainstOptions) -> Explanation:
    from ..client.explaining import addresses_of, ask
    from ..client.http import HttpChannel, Timeouts, TlsFiles

    caller = ConnectionOptions(
        config=options.config,
        url=against,
        cert=options.cert,
        key=options.key,
        ca=options.ca,
        assertion=options.assertion,
    )
    to = destination(caller, read_settings(options.config))
    with failing_well(to), working(f"Asking {against}", quiet=False):
        source = assertion_source(to)
        tls = TlsFiles(certificate=to.certificate, key=to.key, ca=to.ca)
        channel = HttpChannel(tls, Timeouts(min(_CONNECT_SECONDS, options.timeout), options.timeout))
        try:
            return ask(capture, addresses_of(to.registry_url, to.repository_url), channel, source() if source else None)
        finally:
            channel.close()


def _as_json(path: Path, capture: Capture, against: str | None, found: Explanation) -> dict[str, Any]:
    return {
        "file": path,
        "transaction": capture.row.name if capture.row else None,
        "endpoint": capture.endpoint,
        "action": capture.action,
        "against": against,
        "outcome": found.outcome,
        "findings": found.findings,
        "open": found.open,
        "effects": found.effects,
    }


# ---- the page ----


def page(name: str, capture: Capture, against: str | None, found: Explanation) -> RenderableType:
    """The whole explanation for people."""
    parts: list[RenderableType] = [_head(name, capture, against), _verdict(found), Text()]
    if found.findings:
        parts.append(explanation(found.findings))
    if found.open:
        parts += [Text("Left open, since it depends on what is not here:", "bold"), Text(), explanation(found.open)]
    if found.effects:
        parts += [Text("What would happen:", "bold"), _effects(found.effects), Text()]
    if found.open and not against:
        parts.append(Text("A gateway knows what is registered there: --against URL", "dim"))
    return Group(*parts)


def _head(name: str, capture: Capture, against: str | None) -> Text:
    what = f"{capture.row.name} {capture.row.operation.partition('_')[2]}" if capture.row else "an unknown transaction"
    where = f"asked of {shown(against)}" if against else "judged here, by an empty registry"
    naked = ", in an envelope made here" if capture.naked else ""
    return Text(f"{shown(name)}: {what}{naked}, {where}")


_VERDICTS: Final = {
    "accepted": ("Would be accepted", "bold green"),
    "partly accepted": ("Would be done in part", "bold yellow"),
    "refused": ("Would be refused", "bold red"),
    "unreadable": ("Could not be processed", "bold red"),
}


def _verdict(found: Explanation) -> Text:
    words, style = _VERDICTS[found.outcome]
    errors = sum(finding.severity == "Error" for finding in found.findings)
    warnings = len(found.findings) - errors
    counts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    unsettled = ", as far as can be told here" if found.open else ""
    return Text(f"{words}{unsettled}" + (f": {', '.join(counts)}" if counts else ""), style)


def _effects(effects: tuple[PlannedEffect, ...]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for effect in effects:
        what = Text(shown(effect.object_id))
        if effect.effect in _DETAILED or effect.effect not in _EFFECTS:
            what.append(f"  {shown(effect.detail)}", "dim")
        table.add_row(f"  {_EFFECTS.get(effect.effect, shown(effect.effect))}", what)
    return table
