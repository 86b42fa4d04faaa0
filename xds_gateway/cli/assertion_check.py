"""`xds-gateway assertion check`: what the gateway of these settings makes of an assertion."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from rich.table import Table

from ..access_files import access_matrix
from ..codec.captures import NotACapture, parse_capture, root_part
from ..codec.namespaces import SAML
from ..codec.soap import parse_envelope
from ..codec.xml import XmlLimits, parse
from ..config import LoadedSettings
from ..model.errors import SoapFault
from ..model.principal import Coded, Principal, User
from ..security.access import caller_of
from ..security.keys import UnusableKey, read_certificate
from ..security.refusals import RULES, SENTENCES, AuthenticationRefused
from ..security.wss import SecuredMessage
from ..users import IssuersUnusable, judge_user
from .assertion import read
from .consent import read_domain
from .console import output, print_json, shown
from .failures import CommandFailed, Status


def check(path: Path, domain: str | None, certificate: Path | None, config: Path | None, *, as_json: bool) -> int:
    """Judge the assertion of a file as the gateway would; the exit status says whether it is taken."""
    settings, name = read_domain(config, domain)
    try:
        user = judge_user(settings, name, _message(path), _certificate(certificate), datetime.now(UTC))
    except AuthenticationRefused as refused:
        return _refused(refused, as_json=as_json)
    except IssuersUnusable as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong
    if user is None:
        raise CommandFailed("usage", f"{path} holds no assertion in its Security header.")
    told = _told(settings, name, user)
    if as_json:
        print_json({"accepted": True, "refusal": None, "user": told})
    else:
        _show("accepted", told)
    return Status.DONE


def _message(path: Path) -> SecuredMessage | etree._Element:
    """A request, or an assertion alone. Raises CommandFailed."""
    data = read(path)
    try:
        if data.lstrip()[:1] == b"<" and (root := parse(data, XmlLimits())).tag == f"{{{SAML}}}Assertion":
            return root
        capture = parse_capture(data)
        envelope = root_part(capture.content_type, capture.body)
        return SecuredMessage(parse_envelope(parse(envelope, XmlLimits())).security, envelope)
    except (SoapFault, NotACapture) as wrong:
        raise CommandFailed("usage", f"{path} holds neither an assertion nor a request: {wrong}.") from wrong


def _certificate(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_certificate(read(path)).public_bytes(Encoding.DER)
    except UnusableKey as wrong:
        raise CommandFailed("usage", f"{path}: {wrong}.") from wrong


def _refused(refused: AuthenticationRefused, *, as_json: bool) -> int:
    row = RULES[refused.rule]
    told = {
        "rule": refused.rule,
        "fault": f"{row.fault.value}: {SENTENCES[row.fault]}",
        "sentence": row.sentence,
        "received": refused.received,
        "expected": refused.expected,
        "clause": row.clause,
    }
    if as_json:
        print_json({"accepted": False, "refusal": told, "user": None})
    else:
        _show("refused", told)
    return Status.REFUSED


def _told(settings: LoadedSettings, domain: str, user: User) -> dict[str, Any]:
    caller = caller_of(access_matrix(settings.domain(domain)), Principal(node="", address="", user=user))
    return {
        "name_id": user.name_id,
        "issuer": user.issuer,
        "name": user.name,
        "organization_id": user.organization_id,
        "patient": user.patient_id.as_cx() if user.patient_id else None,
        "roles": [_code(each) for each in user.roles],
        "purposes": [_code(each) for each in user.purposes],
        "rights": caller.roles,
        "mode": caller.mode,
    }


def _code(coded: Coded) -> str:
    return f"{coded.code}^^{coded.scheme}"


def _show(verdict: str, told: dict[str, Any]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    table.add_row("verdict", verdict)
    for name, value in told.items():
        text = ", ".join(value) or "none" if isinstance(value, (list, tuple)) else value
        if text:
            table.add_row(name.replace("_", " "), shown(text))
    output().print(table)
