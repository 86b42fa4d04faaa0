"""Submissions that are sent again after their answer was lost (docs/retry-safely.md)."""

from collections.abc import Mapping
from typing import NamedTuple

from xds_gateway.model.metadata import Submission

from .registry import Registry


class Request(NamedTuple):
    """A submission or an update: all that may not differ when it is sent again."""

    caller: str
    transaction: str
    message: Submission
    contents: Mapping[str, bytes]  # documents by entryUUID

    @property
    def set_unique_id(self) -> str:
        return self.message.submission_sets[0].unique_id or ""


class Accepted(NamedTuple):
    """A request that was performed, and the places of what it registered."""

    request: Request
    numbers: Mapping[str, int]


def remember(registry: Registry, request: Request) -> None:
    """Note a request that has just been performed."""
    things = registry.things
    numbers = {item.id: things[item.id].number for item in request.message.objects if item.id in things}
    registry.accepted[request.set_unique_id] = Accepted(request, numbers)


def was_performed(registry: Registry, request: Request) -> bool:
    """Whether this very request was performed, and nothing that it registered was removed since.

    An update is known by its digest: its set is enough.
    """
    first = registry.accepted.get(request.set_unique_id)
    if not registry.policy.safe_retries or first is None or first.request != request:
        return False
    needed = [request.message.submission_sets[0].id] if request.transaction in ("ITI-57", "ITI-92") else first.numbers
    things = registry.things
    return all(each in things and things[each].number == first.numbers[each] for each in needed)
