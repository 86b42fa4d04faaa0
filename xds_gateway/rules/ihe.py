"""The international profile: its rows, and the checks of a submission against a profile (ITI TF-3 4.2, 4.3)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..model.errors import Finding
from ..model.messages import DocumentPart
from ..model.metadata import DocumentEntry, Submission
from . import associations, attributes, documents, objects, plans, reading, service, state, structure
from .engine import MORE, Actor, Evidence, MessageTest, Profile, Report, Rule, Transaction, make_finding

IHE: Final = Profile.of(
    "ihe",
    reading.RULES,
    structure.RULES,
    objects.RULES,
    attributes.attribute_rules(),
    associations.RULES,
    documents.RULES,
    state.RULES,
    service.RULES,
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


def check_submission(
    submission: Submission, *, actor: Actor, transaction: Transaction, profile: Profile = IHE
) -> tuple[Finding, ...]:
    """All findings about the metadata of a message, registered state apart; empty when it is good.

    A "repository" reports its own rules and the registry's, for both are one process here; a "registry" only its own.
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
    passed = [
        objects.check_object(item, object_plan, author, report)
        for item in items
        if (object_plan := plan.objects.get(item.KIND)) is not None
    ]
    structure.check_identity(passed, report)
    for seen in passed:
        if isinstance(seen.item, DocumentEntry):
            structure.check_entry(seen, report)
    associations.check_associations(submission, items, report)
    for test in plan.tests:
        test(submission, report)
    return report.findings()


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


__all__ = ["IHE", "check_content", "check_documents", "check_submission", "finding"]
