"""What a caller may ask for, before anything else is judged, and what a change may touch, on the plan's own snapshot.

What a caller may not find is unknown to its request, so that the answer is the one for an id that was never given.
What it may find and may not change is refused, which tells nothing new.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from ..model import vocabulary as v
from ..model.errors import Finding, RequestRefused
from ..model.feeds import FeedMessage, Wrapper
from ..model.identifiers import parse_organization_id, parse_patient_id
from ..model.messages import ProvideRequest, RegisterRequest, Request
from ..model.metadata import Classification, DocumentEntry, Submission
from ..model.principal import Access, AccessFilter, Call, Pair
from ..rules.engine import Transaction
from ..rules.ihe import finding
from ..rules.patients import problem
from ..security.access import Document, permits
from .changes import Change, Changes, Named
from .ports import HeldDocument, Snapshot

#   transaction   what it does with documents
ACTIONS: Final = {
    "ITI-18":     "find",
    "ITI-41":     "submit",
    "ITI-42":     "submit",
    "ITI-43":     "retrieve",
    "ITI-44":     "feed",
    "ITI-51":     "find",
    "ITI-57":     "update",
    "ITI-61":     "submit",
    "ITI-62":     "remove",
    "ITI-86":     "remove",
    "ITI-92":     "update",
}  # fmt: skip
# Queries and retrieval have no rules of their own; their refusals have the codes of registry and repository.
_CODES_OF: Final[Mapping[str, Transaction]] = {"ITI-18": "ITI-42", "ITI-51": "ITI-42", "ITI-43": "ITI-41"}
_REPLACING: Final = (v.RPLC, v.XFRM_RPLC)


def documents_of(call: Call) -> AccessFilter | None:
    """The documents on which a caller may do what a request asks for; None for what is no matter of the matrix."""
    action = ACTIONS.get(call.transaction)
    return None if action is None else getattr(call.access, action)


def check_request(call: Call, request: Request | FeedMessage[Wrapper]) -> None:
    """Refuse what the caller may not do, whatever the registry holds. Raises RequestRefused."""
    documents: AccessFilter = getattr(call.access, ACTIONS[call.transaction])
    if isinstance(request, FeedMessage):
        if not documents.permits or call.access.patient:  # who acts for one patient does not say who the others are
            raise RequestRefused(problem("ihe.feed.v3.access", transaction="ITI-44"))
        return
    if not documents.permits:
        raise RequestRefused(_finding(call.transaction, "ihe.access.action", None, ACTIONS[call.transaction]))
    if isinstance(request, (ProvideRequest, RegisterRequest)) and isinstance(request.submission, Submission):
        found = (*_other_patients(call, request.submission), *_not_submitted(call, request.submission))
        if found:
            raise RequestRefused(*found)


def _other_patients(call: Call, submission: Submission) -> Iterator[Finding]:
    """Whatever names a patient names that of the assertion."""
    own = call.access.patient
    for item in submission.objects if own else ():
        if item.patient_id and own and parse_patient_id(item.patient_id) != own:
            yield _finding(call.transaction, "ihe.access.patient", item.id, item.patient_id, own.as_cx())


def _not_submitted(call: Call, submission: Submission) -> Iterator[Finding]:
    for entry in submission.document_entries:
        if not permits(call.access.submit, document_of(entry)):
            yield _finding(call.transaction, "ihe.access.submit", entry.id, None)


def document_of(entry: DocumentEntry) -> Document:
    """What an access matrix asks of a document."""
    authors = [xon for author in entry.codes(v.DE_AUTHOR) for xon in author.slot_values("authorInstitution")]
    return Document(
        class_code=next(map(_pair, entry.codes(v.DE_CLASS_CODE)), None),
        type_code=next(map(_pair, entry.codes(v.DE_TYPE_CODE)), None),
        confidentiality=frozenset(map(_pair, entry.codes(v.DE_CONFIDENTIALITY_CODE))),
        organizations=frozenset(key for xon in authors if (key := parse_organization_id(xon)) is not None),
    )


def _pair(code: Classification) -> Pair:
    return code.code or "", code.coding_scheme or ""


def named_in(submission: Submission) -> Named:
    """What a submission with final ids names: the registered ends of its associations."""
    own = {item.id for item in submission.objects}
    ends = [end for a in submission.associations for end in (a.source, a.target) if end not in own]
    replaced = [a.target for a in submission.associations if a.association_type in _REPLACING and a.target not in own]
    return Named(objects=tuple(dict.fromkeys(ends)), replaced=tuple(dict.fromkeys(replaced)))


def look(call: Call, named: Named, snapshot: Snapshot) -> tuple[Finding, ...]:
    """Let a plan see what its caller may see, and tell what of that the caller may not change."""
    access = call.access
    snapshot.look_as(access.find, named.objects)
    return (
        *_denied(call, "ihe.access.replace", access.replace, named.replaced, snapshot),
        *_denied(call, "ihe.access.update", access.update, named.updated, snapshot),
        *_denied(call, "ihe.access.remove", access.remove, named.removed, snapshot),
    )


def _denied(
    call: Call, rule: str, documents: AccessFilter, ids: Sequence[str], snapshot: Snapshot
) -> Iterator[Finding]:
    if not ids:
        return
    known = {**{i: i for i in snapshot.objects(ids)}, **{i: k.uuid for i, k in snapshot.latest_versions(ids).items()}}
    permitted = snapshot.permitted(known.values(), documents)
    for identifier in dict.fromkeys(ids):
        if identifier in known and known[identifier] not in permitted:
            yield _finding(call.transaction, rule, identifier, identifier)


def planned(call: Call, change: Change, snapshot: Snapshot) -> tuple[Changes, tuple[Finding, ...]]:
    """The plan of a change, as far as its caller sees and may change what it names."""
    denied = look(call, change.named, snapshot)
    return (Changes(), denied) if denied else change.plan(snapshot)


def as_shown(call: Call, change: Change, changes: Changes, snapshot: Snapshot) -> Changes:
    """Changes as a dry run may tell them: what they entail for hidden objects is left out."""
    own = {item.id for item in (*change.objects, *changes.associations)}
    concerned = (*changes.deprecated, *changes.touched_folders)
    shown = own | snapshot.permitted(concerned, call.access.find)
    return replace(
        changes,
        deprecated=tuple(item for item in changes.deprecated if item in shown),
        touched_folders=tuple(item for item in changes.touched_folders if item in shown),
    )


def removable(
    call: Call, held: Mapping[str, HeldDocument], snapshot: Snapshot
) -> tuple[Mapping[str, HeldDocument], frozenset[str]]:
    """Of documents by uniqueId, those that the caller knows of, and which of them it may remove.

    A document has the bytes of all its entries: each of them must be the caller's to remove. Where there are none left,
    because their metadata were removed, it is known to who may remove documents and acts for no single patient.
    """
    cleans = bool(call.access.remove.permits) and call.access.patient is None
    entries = [entry for document in held.values() for entry in document.entries]
    shown, may = (snapshot.permitted(entries, which) for which in (call.access.find, call.access.remove))
    known = {
        unique_id: document
        for unique_id, document in held.items()
        if not shown.isdisjoint(document.entries) or (cleans and not document.entries)
    }
    return known, frozenset(unique_id for unique_id, document in known.items() if may.issuperset(document.entries))


def own_act(call: Call, transaction: str) -> Call:
    """The call under which the gateway itself does something on the way of an answer."""
    return call._replace(transaction=transaction, access=Access.everything(call.access.domain))


def _finding(
    transaction: str, rule: str, item: str | None, received: str | None, expected: str | None = None
) -> Finding:
    told = _CODES_OF.get(transaction) or cast(Transaction, transaction)
    return finding(rule, object_id=item, received=received, expected=expected, transaction=told)
