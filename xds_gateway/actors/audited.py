"""What the audit tells of a request: who, whom it is about, which objects, what was asked (ITI TF-2 3.20.7.1)."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

from ..model.feeds import AnyFeedMessage, FeedMessage
from ..model.messages import (
    AuditEvent,
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    RegisterRequest,
    RemoveRequest,
    Request,
)
from ..model.metadata import Submission
from ..model.principal import Call
from .permissions import documents_of

_LONGEST: Final = 256  # characters of an id of a refused request, which nobody has judged
_MOST: Final = 200  # of its objects


def event_of(call: Call, at: str, outcome: str, **told: Any) -> AuditEvent:
    """The event of a call at a time, a DTM."""
    principal, documents = call.principal, documents_of(call)
    return AuditEvent(
        at=at,
        transaction=call.transaction,
        outcome=outcome,
        node=principal.node,
        address=principal.address,
        domain=call.access.domain,
        message_id=call.message_id,
        user=principal.user,
        decision=" ".join(documents.rows) or None if documents else None,
        break_glass=documents is not None and documents.break_glass,
        **told,
    )


def subjects(request: Request | AnyFeedMessage | None) -> Mapping[str, Any]:
    """Whom and what a request names that was refused, as fields of its event; lists and texts are bounded."""
    told = _named(request)
    return {name: _bounded(value) if isinstance(value, tuple) else value for name, value in told.items()}


def patients_asked(request: QueryRequest) -> tuple[str, ...]:
    """The patients that a query names, as CX, each once (ITI TF-2 3.18.4.1.2.3.7)."""
    values = [values for name, values in request.parameters if name.lower().endswith("patientid")]
    found = [part.strip().strip("()'").strip() for value in chain(*values) for part in value.split(",")]
    return tuple(dict.fromkeys(part for part in found if part))


def patients_told(message: AnyFeedMessage) -> tuple[str, ...]:
    """The identifiers that a message of a feed tells of, as CX, the subsumed ones first."""
    told = (*message.subsumed, *message.patients)
    return tuple(f"{each.id}^^^{'&'.join(each[1:])}" for each in told)


def document_names(documents: Sequence[DocumentRequest]) -> tuple[str, ...]:
    """Documents as the audit names them: repositoryUniqueId, space, uniqueId."""
    return tuple(f"{d.repository_unique_id} {d.document_unique_id}" for d in documents)


def submission_objects(submission: Submission) -> tuple[str, ...]:
    """The set by its uniqueId, then the entries by their ids."""
    sets = submission.submission_sets[:1]
    return (*(each.unique_id or each.id for each in sets), *(e.id for e in submission.document_entries))


def _named(request: Request | AnyFeedMessage | None) -> Mapping[str, Any]:
    if isinstance(request, (ProvideRequest, RegisterRequest)):
        sets = request.submission.submission_sets[:1]
        patients = tuple(each.patient_id for each in sets if each.patient_id)
        return {"patient_ids": patients, "objects": submission_objects(request.submission)}
    if isinstance(request, QueryRequest):
        return {"patient_ids": patients_asked(request), "query": request}
    if isinstance(request, FeedMessage):
        return {"patient_ids": patients_told(request), "sender": request.header.sender[:_LONGEST], "action": "U"}
    if isinstance(request, RemoveRequest):
        return {"objects": request.references}
    return {"objects": document_names(request.documents)} if request else {}


def _bounded(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value[:_LONGEST] for value in values[:_MOST])
