"""Anchors as JSON: one form, so that a signature is over bytes that anybody can read."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ..model.anchors import Anchor, ChainState


def render_anchor(anchor: Anchor) -> bytes:
    """ASCII without spaces, keys in order."""
    told = {
        "number": anchor.number,
        "at": anchor.at,
        "entry": anchor.entry,
        "previous": anchor.previous.hex() if anchor.previous else None,
        "chains": _rendered(anchor.chains),
        "cut": _rendered(anchor.cut),
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")


def parse_anchor(content: bytes) -> Anchor:
    """The anchor of its JSON. Raises ValueError, KeyError or TypeError when it is none."""
    told = json.loads(content)
    previous = told["previous"]
    return Anchor(
        number=int(told["number"]),
        at=str(told["at"]),
        entry=int(told["entry"]),
        previous=bytes.fromhex(previous) if previous else None,
        chains=_parsed(told["chains"]),
        cut=_parsed(told["cut"]),
    )


def anchor_digest(content: bytes, signature: bytes | None) -> bytes:
    """What the next anchor names: it covers the signature too."""
    return sha256(content + (signature or b"")).digest()


def _rendered(chains: Mapping[str, ChainState]) -> dict[str, list[Any]]:
    return {name: [state.position, state.events, state.chain.hex()] for name, state in chains.items()}


def _parsed(told: Mapping[str, Any]) -> dict[str, ChainState]:
    return {name: ChainState(int(p), int(n), bytes.fromhex(c)) for name, (p, n, c) in told.items()}
