"""`xds-gateway assertion`: sign an assertion, put one into a captured request, show what one says."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lxml import etree
from rich.table import Table

from ..client import AssertionSource, Misconfigured
from ..client.assertions import SignedAssertion
from ..codec.capture_headers import with_assertion
from ..codec.captures import NotACapture, parse_capture, root_part
from ..codec.namespaces import SAML
from ..codec.saml import parse_assertion, render_instant
from ..codec.xml import XmlLimits, parse
from ..model import assertions as a
from ..model.assertions import Assertion, AttributeValue, NotAnAssertion
from ..model.errors import SoapFault
from .config import read_settings
from .connecting import assertion_source, destination, failing_well, patient_id
from .console import output, print_json, shown
from .failures import CommandFailed
from .options import ConnectionOptions

KEYS: Final = {
    "assertion": "`new`: the XML, without --output and --into",
    "file": "`new`: where it was written; `show`: as given",
    "id": "of the assertion",
    "issuer": "who signed it, as it says",
    "name_id": "of the user",
    "not_before": "in UTC, as 2026-03-01T12:00:00Z, or null",
    "not_on_or_after": "the same; the assertion has ended then",
    "audiences": "list of lists: one of each must be the gateway's",
    "confirmation": "list of methods",
    "one_time_use": "whether it may be used once only",
    "attributes": "object of lists: texts, or objects with code, scheme, display, or with extension, root, authority",
    "accepted": "`check`: whether the gateway would take it now; one use is not counted",
    "refusal": "`check`: null, or object with rule, fault (what the caller is told), sentence, received, expected, "
    "clause",
    "user": "`check`: null, or object with name_id, issuer, name, organization_id, patient, roles and purposes "
    "(CODE^^SCHEME), rights (roles of the access matrix that these are), mode (normal, or that of an emergency)",
}

_NAMES: Final = {
    a.SUBJECT_ID: "name",
    a.ORGANIZATION: "organization",
    a.ORGANIZATION_ID: "organization id",
    a.HOME_COMMUNITY_ID: "home community",
    a.NPI: "provider id",
    a.PROVIDER_ID: "provider id",
    a.ROLE: "role",
    a.PURPOSE_OF_USE: "purpose of use",
    a.RESOURCE_ID: "only for patient",
}


def new(
    profile: Path | None,
    patient: str | None,
    purpose: str | None,
    certificate: Path | None,
    into: Path | None,
    path: str,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Sign an assertion and write it, or a request that holds it."""
    if as_json and into and path == "-":
        raise CommandFailed("usage", "--json and --into would both be written to standard output: say --output FILE.")
    signed = _signed(profile, patient, purpose, certificate, config)
    data = _put_into(into, signed.xml) if into else signed.xml
    if path != "-":
        _write(Path(path), data)
    elif not as_json:
        sys.stdout.buffer.write(data if into else data + b"\n")
        sys.stdout.buffer.flush()
    if as_json:
        text = signed.xml.decode() if path == "-" else None
        print_json({"assertion": text, "file": None if path == "-" else path, **_told(signed.assertion)})


def _signed(
    profile: Path | None, patient: str | None, purpose: str | None, certificate: Path | None, config: Path | None
) -> SignedAssertion:
    settings = read_settings(config)
    to = destination(ConnectionOptions(config=config, url="https://", cert=certificate, assertion=profile), settings)
    with failing_well():
        source: AssertionSource | None = assertion_source(to, purpose)
        if source is None:
            raise Misconfigured("say the assertion profile with --profile, or make test keys with `xds-gateway pki`")
        return (source.changed(patient=patient_id(patient)) if patient else source).new()


def _put_into(path: Path, assertion: bytes) -> bytes:
    try:
        changed = with_assertion(parse_capture(read(path)), assertion)
    except NotACapture as wrong:
        raise CommandFailed("usage", f"{path} is no captured request: {wrong}.") from wrong
    if changed is None:
        raise CommandFailed(
            "usage",
            f"The assertion cannot be put into {path} with certainty: it must be a SOAP 1.2 envelope in UTF-8 that is "
            "well-formed, in a part without a transfer encoding.",
        )
    return changed.body


def read(path: Path) -> bytes:
    """The bytes of a file, or of standard input. Raises CommandFailed."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as wrong:
        raise CommandFailed("usage", f"{path} cannot be read: {wrong.strerror}.") from wrong


def _write(path: Path, data: bytes) -> None:
    """For this user only: who has it can act as its subject until it ends."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
    except OSError as wrong:
        raise CommandFailed("usage", f"{path} cannot be written: {wrong.strerror}.") from wrong


# ---- show ----


def show(path: Path, config: Path | None, *, as_json: bool) -> None:
    """Show the assertion in a file."""
    try:
        found = parse_assertion(_assertion_in(path, read(path)))
    except NotAnAssertion as wrong:
        raise CommandFailed(
            "usage", f"The assertion of {path} cannot be read: {wrong.reason} ({wrong.rule})."
        ) from wrong
    if as_json:
        print_json({"file": path, **_told(found)})
    else:
        output().print(_table(found))


def _assertion_in(path: Path, data: bytes) -> etree._Element:
    """The Assertion element of a file that is one, or of a request. Raises CommandFailed."""
    try:
        root = parse(data, XmlLimits()) if data.lstrip()[:1] == b"<" else _envelope(data)
    except (SoapFault, NotACapture) as wrong:
        raise CommandFailed("usage", f"{path} holds neither an assertion nor a request: {wrong}.") from wrong
    found = list(root.iter(f"{{{SAML}}}Assertion"))
    if len(found) != 1:
        raise CommandFailed("usage", f"{path} holds {len(found) or 'no'} assertions.")
    return found[0]


def _envelope(data: bytes) -> etree._Element:
    capture = parse_capture(data)
    return parse(root_part(capture.content_type, capture.body), XmlLimits())


def _told(found: Assertion) -> dict[str, Any]:
    attributes: dict[str, list[AttributeValue]] = {}
    for attribute in found.attributes:
        attributes.setdefault(attribute.name, []).extend(attribute.values)
    return {
        "id": found.id,
        "issuer": found.issuer,
        "name_id": found.name_id,
        "not_before": found.not_before and render_instant(found.not_before),
        "not_on_or_after": found.not_on_or_after and render_instant(found.not_on_or_after),
        "audiences": found.audiences,
        "confirmation": [each.method for each in found.confirmations],
        "one_time_use": found.one_time_use,
        "attributes": attributes,
    }


def _table(found: Assertion) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, text in _lines(found):
        table.add_row(name, shown(text))
    return table


def _lines(found: Assertion) -> list[tuple[str, str]]:
    lines = [
        ("user", f"{found.name_id} ({found.sp_provided_id})" if found.sp_provided_id else found.name_id),
        ("issuer", found.issuer),
        ("id", found.id),
        ("valid", f"{_time(found.not_before)} to {_time(found.not_on_or_after)}, {_state(found)}"),
        *(("audience", " or ".join(audiences)) for audiences in found.audiences),
        *(("confirmation", each.method.rpartition(":")[2]) for each in found.confirmations),
        *([("use", "once")] if found.one_time_use else []),
    ]
    for attribute in found.attributes:
        lines += [(_NAMES.get(attribute.name, attribute.name), _value(value)) for value in attribute.values]
    return lines


def _time(instant: datetime | None) -> str:
    return render_instant(instant) if instant else "any time"


def _state(found: Assertion) -> str:
    now = datetime.now(UTC)
    if found.not_before and now < found.not_before:
        return "not yet"
    return "ended" if found.not_on_or_after and now >= found.not_on_or_after else "now"


def _value(value: AttributeValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, a.InstanceId):
        return f"{value.extension} ({value.root})"
    return f"{value.display or value.code} ({value.code}, {value.scheme})"
