"""Asking a gateway what it would make of a request: the request as it is, with the header DryRun and nothing else."""

from collections.abc import Mapping

from ..codec.capture_headers import with_assertion, with_dry_run
from ..codec.captures import Capture
from ..model.messages import QueryResponse, RetrieveResponse
from ..rules.explaining import Explanation, explain_answer, of_request
from .answers import ANSWER_LIMITS
from .errors import NOT_DRY, Misconfigured, UnexpectedAnswer
from .http import HttpAnswer, HttpChannel

NO_PLACE = (
    "the header DryRun cannot be put into this message with certainty, so that it was not sent: it must be a SOAP 1.2 "
    "envelope in UTF-8 that is well-formed, in a part without a transfer encoding"
)


def ask(
    capture: Capture, addresses: Mapping[str, str], channel: HttpChannel, assertion: bytes | None = None
) -> Explanation:
    """Send a captured request as a dry run and explain the answer; `addresses` are by endpoint.

    An `assertion` takes the place of one that was captured, which may have ended or been used.

    Raises Misconfigured for a message that could be taken for a real one, what HttpChannel.post raises, and
    UnexpectedAnswer for more bytes than an answer has.
    """
    fresh = with_assertion(capture, assertion) if assertion else capture
    dry = with_dry_run(fresh) if fresh else None
    if dry is None:
        raise Misconfigured(NO_PLACE)
    url = addresses.get(dry.endpoint or "registry", addresses["registry"])
    with channel.post(url, dry.body, dry.content_type) as answer:
        told = explain_answer(answer.status, answer.content_type, _whole(answer))
    if told.effects is None and told.outcome in ("accepted", "partly accepted") and _changes(dry):
        raise UnexpectedAnswer(NOT_DRY)
    return of_request(told, capture)


def _changes(capture: Capture) -> bool:
    """False for a request that only reads: it is answered as always."""
    return capture.row is None or capture.row.outcome not in (QueryResponse, RetrieveResponse)


def addresses_of(registry_url: str, repository_url: str) -> dict[str, str]:
    """The endpoints of a mount; those of ITI-92 and of ITI-44 are beside the registry."""
    mount, _, name = registry_url.rpartition("/")
    beside = {each: f"{mount}/{each}" if name == "registry" else registry_url for each in ("responder", "patients")}
    return {"registry": registry_url, "repository": repository_url, **beside}


def _whole(answer: HttpAnswer) -> bytes:
    pieces, size = [], 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size > ANSWER_LIMITS.size:
            raise UnexpectedAnswer(f"the answer is over {ANSWER_LIMITS.size} bytes")
    return b"".join(pieces)
