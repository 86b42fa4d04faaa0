"""A domain emptied for the next test run: registry, repository, patients, outbox; the audit stays and tells of it."""

from collections.abc import Mapping, Sequence

from ..model.messages import AuditEvent
from .ports import Cleared, DocumentStore, RegistryStore, Transaction
from .removals import erase

_AT_ONCE = 500  # documents that are deleted between two short transactions


def reset(
    store: RegistryStore, documents: DocumentStore, event: AuditEvent, outboxes: Sequence[str] = ()
) -> Mapping[str, int]:
    """Remove everything that a domain holds, in one transaction with its audit row; how much of what there was.

    What waits for the audit repositories that `outboxes` names is not sent any more: they are of the whole gateway.

    The bytes of documents go afterwards; what is interrupted is finished at the next start or sweep, and given out by
    nobody until then. Raises StorageBusy, StorageFull: nothing has happened.
    """

    def work(transaction: Transaction) -> Cleared:
        cleared = transaction.clear(outboxes)
        told = tuple(f"{count} {name}" for name, count in cleared.counts.items())
        transaction.audit(event._replace(objects=told))
        return cleared

    cleared = store.write(work)
    for start in range(0, len(cleared.keys), _AT_ONCE):
        erase(store, documents, cleared.keys[start : start + _AT_ONCE])
    return cleared.counts
