"""The international profile: its rows, and the checks of a submission against a profile (ITI TF-3 4.2, 4.3)."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.messages import DocumentPart
from ..model.metadata import DocumentEntry, Folder, RegistryObject, Submission, SubmissionSet
from ..model.value_sets import NO_VALUE_SETS, ValueSets
from . import (
    access,
    associations,
    attributes,
    documents,
    objects,
    operations,
    plans,
    reading,
    removal,
    service,
    state,
    structure,
    updates,
    value_sets,
)
from .engine import MORE, Actor, Evidence, MessageTest, Profile, Report, Rule, Transaction, make_finding

IHE: Final = Profile.of(
    "ihe",
    reading.RULES,
    structure.RULES,
    objects.RULES,
    attributes.attribute_rules(),
    associations.RULES,
    documents.RULES,
    value_sets.RULES,
    state.RULES,
    updates.RULES,
    removal.RULES,
    service.RULES,
    access.RULES,
    (MORE,),
)


class _Plan(NamedTuple):
    """A profile compiled for one transaction and actor."""

    rules: dict[str, Rule]
    objects: dict[str, plans.ObjectPlan]
    tests: tuple[MessageTest, ...]


def _plan(profile: Profile, transaction: Transaction, actor: Actor) -> _Plan:
    plan = profile.compiled.get((transaction, actor))
    if not isinstance(plan, _Plan):
        rules = dict(profile.applicable(transaction, actor))
        tests = tuple(rule.test for rule in rules.values() if callable(rule.test))
        plan = profile.compiled[transaction, actor] = _Plan(rules, plans.compile_objects(rules), tests)
    return plan


_FLAGS: Final = {
    DocumentEntry.KIND: v.LIMITED_DOCUMENT_ENTRY,
    SubmissionSet.KIND: v.LIMITED_SUBMISSION_SET,
    Folder.KIND: v.LIMITED_FOLDER,
}
_UPDATES: Final = ("ITI-57", "ITI-92")


def is_limited(item: RegistryObject) -> bool:
    """True for an object that carries the flag of limited metadata (ITI TF-3 4.2.3.2.29, 4.2.3.3.13, 4.2.3.4.10)."""
    flag = _FLAGS.get(item.KIND)
    return flag is not None and item.has_node(flag)


def _column(item: RegistryObject, transaction: Transaction, *, limited: bool) -> Transaction:
    """The column of ITI TF-3 Table 4.3.1-3 that an object is judged by.

    A new version of an on-demand entry is one too (ITI TF-2 3.61.4.1.2).
    """
    if limited and transaction == "ITI-41" and is_limited(item):
        return "ITI-41 limited"
    if transaction in _UPDATES and item.KIND == DocumentEntry.KIND and item.object_type == v.ON_DEMAND_DOCUMENT:
        return "ITI-61"
    return transaction


def check_submission(
    submission: Submission,
    *,
    actor: Actor,
    transaction: Transaction,
    profile: Profile = IHE,
    limited: bool = False,
    allowed: ValueSets = NO_VALUE_SETS,
    now: str = "",
) -> tuple[Finding, ...]:
    """All findings about the metadata of a message, registered state apart; empty when it is good.

    A "repository" reports its own rules and the registry's, for both are one process here; a "registry" only its own.
    With `limited`, ITI-41 may have objects flagged as limited metadata: each is judged by its own flag. `allowed` are
    the value sets of the domain, judged at `now`, a DTM to the second (UTC).
    """
    plan = _plan(profile, transaction, actor)
    report = Report(plan.rules, transaction)
    items = (
        *submission.submission_sets,
        *submission.document_entries,
        *submission.folders,
        *submission.associations,
        *submission.unclassified,
    )
    structure.check_structure(submission, items, report)
    author = plan.objects["author"]
    passed = []
    for item in items:
        column = _column(item, transaction, limited=limited)
        judge = plan if column == transaction else _plan(profile, column, actor)
        object_plan = judge.objects.get(item.KIND)
        if object_plan is not None:
            passed.append(objects.check_object(item, object_plan, author, report.by(judge.rules)))
    structure.check_identity(passed, report)
    for seen in passed:
        if isinstance(seen.item, DocumentEntry):
            structure.check_entry(seen, report)
    associations.check_associations(submission, items, report)
    if allowed.lists:
        value_sets.check_value_sets(items, allowed, now, report)
    for test in plan.tests:
        test(submission, report)
    return report.findings()


def check_value_sets(
    items: Iterable[RegistryObject],
    allowed: ValueSets,
    now: str,
    *,
    transaction: Transaction,
    profile: Profile = IHE,
) -> tuple[Finding, ...]:
    """Only the findings about codes of objects that the domain does not allow at `now`, a DTM to the second (UTC)."""
    report = Report(_plan(profile, transaction, "repository").rules, transaction)
    value_sets.check_value_sets(items, allowed, now, report)
    return report.findings()


def read_update(
    submission: Submission, *, transaction: Transaction, profile: Profile = IHE
) -> tuple[operations.Operations, tuple[Finding, ...]]:
    """The operations of ITI-57 or ITI-92, and the findings about what is none; their metadata are not judged yet."""
    report = Report(_plan(profile, transaction, "registry").rules, transaction)
    read = operations.read_operations(submission, transaction, report)
    return read, report.findings()


def check_documents(
    submission: Submission, parts: Sequence[DocumentPart], *, profile: Profile = IHE
) -> tuple[Finding, ...]:
    """Findings about documents without entry and entries without document (ITI TF-2 3.41.4.1.3)."""
    report = Report(_plan(profile, "ITI-41", "repository").rules, "ITI-41")
    documents.report_documents(submission, parts, report)
    return report.findings()


def check_content(entry: DocumentEntry, size: int, sha1: str, *, profile: Profile = IHE) -> tuple[Finding, ...]:
    """Findings about the hash and the size that an entry declares for a document of `size` bytes and this SHA-1."""
    report = Report(_plan(profile, "ITI-41", "repository").rules, "ITI-41")
    documents.report_content(entry, size, sha1, report)
    return report.findings()


def finding(
    rule_id: str,
    *,
    object_id: str | None = None,
    attribute: str | None = None,
    received: str | None = None,
    expected: str | None = None,
    transaction: Transaction = "ITI-41",
    profile: Profile = IHE,
) -> Finding:
    """A finding of a row, with its code, sentence and clause. Raises KeyError for an id that the profile has not."""
    evidence = Evidence(object_id=object_id, attribute=attribute, received=received, expected=expected)
    return make_finding(profile.rules[rule_id], evidence, transaction)


__all__ = [
    "IHE",
    "check_content",
    "check_documents",
    "check_submission",
    "check_value_sets",
    "finding",
    "is_limited",
    "read_update",
]
