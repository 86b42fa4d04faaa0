"""Anchors of the audit: how far each chain went at a moment, signed together (docs/decisions/0010)."""

from collections.abc import Mapping
from typing import NamedTuple


class ChainState(NamedTuple):
    """A chain up to one event: `position` is the end of its line in bytes, or the id of its row; `events` counts."""

    position: int
    events: int
    chain: bytes


class Anchor(NamedTuple):
    """What is tied together: the chains that grew since the anchor before, by name, and that anchor's digest.

    `entry` is the number of the last event that is covered. `cut` tells what retention has removed: chains of segments
    that are gone as a whole, and the table up to a row.
    """

    number: int
    at: str
    entry: int
    previous: bytes | None
    chains: Mapping[str, ChainState]
    cut: Mapping[str, ChainState]
