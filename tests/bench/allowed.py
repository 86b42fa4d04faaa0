"""What value sets cost: ITI-42 judged by 5,000 codes for each attribute, and by none."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from xds_gateway.actors.value_sets import ValueSetLoading
from xds_gateway.model.messages import AuditEvent
from xds_gateway.model.metadata import DocumentEntry, RegistryObject, Submission
from xds_gateway.model.value_sets import ATTRIBUTES, AUTHORITIES, ListedCode, Pair, Place, ValueSet
from xds_gateway.rules.ihe import IHE
from xds_gateway.rules.value_sets import author_code

from . import messages
from .comparing import COUNT
from .in_process import Sender, open_gateway

CODES: Final = 5_000  # of each attribute
_NOW: Final = "20260101000000"
_TURN: Final = 10  # requests before the other gateway has its turn


def measure(folder: Path) -> dict[str, float]:
    """CPU of a request without and with lists, on two gateways that take turns; `cost` is what lists add, as a share.

    It is the middle one of the shares of all pairs of turns: what disturbs the machine for a while disturbs few pairs.
    """
    submissions = list(messages.submissions(messages.content(), 2 * COUNT, first=5_000_000))
    without, judging = open_gateway(folder / "without"), open_gateway(folder / "with")
    (storage,) = judging.storages.values()
    lists = {listed.attribute: listed for listed in _lists(submissions[0])}
    ValueSetLoading(storage.registry, IHE, lambda: _NOW).load(lists, _event)
    senders = (Sender(without), Sender(judging))
    sent = [messages.register(submission) for submission in submissions]
    turns: tuple[list[float], list[float]] = ([], [])  # the middle request of each
    for number, start in enumerate(range(0, len(sent), _TURN)):
        which = number % 2
        turns[which].append(median(senders[which].send(sent[start : start + _TURN]).cpus))
    without.close()
    judging.close()
    pairs = list(zip(*turns, strict=False))[1:]  # the first ones warm up
    return {
        "codes": CODES,
        "attributes": len(lists),
        "without_ms": round(median(free for free, _ in pairs) * 1000, 3),
        "with_ms": round(median(judged for _, judged in pairs) * 1000, 3),
        "cost": round(median(judged / free for free, judged in pairs) - 1, 3),
    }


def _lists(submission: Submission) -> Iterator[ValueSet]:
    """A full list for each attribute, which allows what the submission has."""
    for attribute in ATTRIBUTES:
        if attribute.name == AUTHORITIES:
            continue
        sent = {pair for item in submission.objects for pair in _sent(item, attribute.place, attribute.key)}
        scheme = next((scheme for _, scheme in sent), "1.2.3")
        made = {(f"code-{number}", scheme) for number in range(CODES - len(sent))}
        yield ValueSet(attribute.name, {pair: ListedCode(*pair, f"Code {pair[0]}") for pair in (*sent, *made)})


def _sent(item: RegistryObject, place: Place, key: str) -> Iterator[Pair]:
    if place is Place.CODE:
        yield from ((c.code or "", c.coding_scheme or "") for c in item.codes(key))
    elif place is Place.AUTHOR:
        yield from (author_code(value)[0] for c in item.classifications for value in c.slot_values(key))
    elif place is Place.SLOT:
        yield from ((value, "") for value in item.slot_values(key))
    elif isinstance(item, DocumentEntry):
        yield item.mime_type or "", ""


def _event(at: str, objects: tuple[str, ...]) -> AuditEvent:
    return AuditEvent(at, "vocabulary load", "success", "bench", "local", "default", "", objects=objects)
