"""What security costs: every transaction on a gateway that asks for users and on one that does not, in turn.

With everything on, a request carries a signed XUA assertion, which is verified, and the access matrix of a physician is
part of every statement. With everything off, callers are nodes and may do all. Both are audited. Feeds over MLLP
(ITI-8, ITI-64) carry no assertion and ask no matrix: they cost the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from xds_gateway.client.assertions import AssertionSource, read_assertion_profile
from xds_gateway.codec.capture_headers import insert_header
from xds_gateway.codec.soap import render_security_header
from xds_gateway.config import load as load_settings
from xds_gateway.pki import make_pki

from . import life, messages
from .comparing import TOTAL, WARM
from .in_process import Sender, open_gateway

_TURN: Final = 50
_AT_ONCE: Final = 16
_PHYSICIAN, _CLERK = "309343006^Physician^", "224608005^Clerk^"  # who may tell of patients (docs/access-matrix.md)
_BEFORE: Final = "what the later ones need"


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """CPU of each transaction with everything off and on, in milliseconds, and the ratio of both."""
    keys = make_pki(folder / "pki", now=datetime.now(UTC))
    asked = f'[{{"certificates": ["{keys.issuer_certificate}"]}}]'
    mounts = '[{"authentication": "none", "assertions": "required"}]'
    off = Sender(open_gateway(folder / "off"))
    on = Sender(open_gateway(folder / "on", {"XDS_GATEWAY_ISSUERS": asked, "XDS_GATEWAY_MOUNTS": mounts}))
    profile = folder / "pki" / "assertion.toml"
    clerk = profile.with_name("clerk.toml")
    clerk.write_text(profile.read_text().replace(_PHYSICIAN, _CLERK))
    physician, feeding = read_assertion_profile(profile), read_assertion_profile(clerk)
    costs = {}
    for name, plain in _sent().items():
        source = feeding if name == "ITI-44" else physician
        costs[name] = _compared(off, on, plain, [with_assertion(message, source) for message in plain])
    return {name: cost for name, cost in costs.items() if name != _BEFORE}


def with_assertion(message: messages.Message, source: AssertionSource) -> messages.Message:
    """The same request with the Security header of a user."""
    root = insert_header(message.root, render_security_header(source()).encode())
    assert root is not None
    return replace(message, root=root, body=message.body.replace(message.root, root, 1))


def _compared(
    off: Sender, on: Sender, plain: Sequence[messages.Message], secured: Sequence[messages.Message]
) -> dict[str, float]:
    """Both take turns, so that they meet the same neighbours on the machine."""
    off.cpu(plain[:WARM], at_once=_AT_ONCE)
    on.cpu(secured[:WARM], at_once=_AT_ONCE)
    spent = [0.0, 0.0]
    for start in range(WARM, len(plain), _TURN):
        spent[0] += off.cpu(plain[start : start + _TURN], at_once=_AT_ONCE)
        spent[1] += on.cpu(secured[start : start + _TURN], at_once=_AT_ONCE)
    count = len(plain) - WARM
    without, secured_cpu = (seconds / count * 1000 for seconds in spent)
    return {"off_ms": round(without, 3), "on_ms": round(secured_cpu, 3), "ratio": round(secured_cpu / without, 2)}


def _sent() -> Mapping[str, list[messages.Message]]:
    """The messages of each transaction, in the order in which they can be sent."""
    document = messages.content()
    repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
    provided = [messages.provide(s, document) for s in messages.submissions(document, TOTAL)]
    patients = range(TOTAL // messages.RESULTS)
    later = life.make()
    return {
        "ITI-41": provided,
        "ITI-42": [messages.register(s) for s in messages.submissions(document, TOTAL, first=1_000_000)],
        "ITI-18": [messages.find(n % len(patients)) for n in range(TOTAL)],
        "ITI-51": [_find_many(n % len(patients)) for n in range(TOTAL)],
        "ITI-43": [messages.retrieve(repository, message.unique_id) for message in provided],
        "ITI-44": [messages.feed(n) for n in range(5_000_000, 5_000_000 + TOTAL)],
        _BEFORE: later.before,
        **later.measured,
    }


def _find_many(number: int) -> messages.Message:
    parameters = {"patient_id": [messages.patient(number)], "status": "Approved"}
    return messages.ask("FindDocumentsForMultiplePatients", parameters)
