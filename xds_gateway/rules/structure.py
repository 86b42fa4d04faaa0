"""The message as a whole: one set, its packages and ids, one patient, no uniqueId twice (ITI TF-3 4.1.4, 4.2.1)."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..model import vocabulary as v
from ..model.errors import ErrorCode
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import RegistryObject, Submission
from .datatypes import is_dtm
from .engine import NOT_ON_DEMAND, ONLY_ON_DEMAND, PATIENT, Codes, Report, not_in_updates, row
from .objects import Seen

_DUPLICATE: Final = Codes(
    ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE, ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE
)


RULES: Final = (
    row("ihe.submission.set", "Submission", "SubmissionSet",
         "Send exactly one RegistryPackage classified as SubmissionSet: {received} were received.",
         "one SubmissionSet", "ITI TF-3 4.1.4", "no SubmissionSet, or two"),
    not_in_updates(row("ihe.submission.content", "Submission", "SubmissionSet",
         "Put a document, a folder or a folder membership into the submission: the set has no member.",
         "at least one member of the set", "ITI TF-3 4.1.4, 4.1.1.1", "only a SubmissionSet", NOT_ON_DEMAND)),
    row("ihe.submission.onDemand", "Submission", "DocumentEntry",
         "Put an on-demand DocumentEntry into the submission: it has none.",
         "at least one on-demand DocumentEntry", "ITI TF-2 3.61.4.1.2", "only a SubmissionSet and a Folder",
         ONLY_ON_DEMAND),
    row("ihe.package.kind", "RegistryPackage", "classificationNode",
         "Classify the RegistryPackage as SubmissionSet or as Folder, by one Classification with that node.",
         f"{v.SUBMISSION_SET_NODE} (SubmissionSet) or {v.FOLDER_NODE} (Folder)", "ITI TF-3 4.2.1.2.1, 4.2.1.3.1",
         "neither of the two, or both"),
    row("ihe.classification.stray", "Classification", "classifiedObject",
         "Let classifiedObject name a RegistryPackage of this message, or remove the Classification.",
         "the id of a RegistryPackage of the message", "ITI TF-3 4.2.1.5, Table 4.2.1.2.1-1",
         "an id that is not in the message"),
    row("ihe.id.blank", "any object", "id",
         "Give the {object} an id: a symbolic id or urn:uuid: and a UUID.",
         "a symbolic id or a UUID", "ITI TF-3 4.2.3.1.5, Table 4.3.1-3", 'id=" "'),
    row("ihe.id.unique", "any object", "id",
         "Give every object of the message an id of its own: {received} is used more than once.",
         "an id that occurs once", "ITI TF-3 4.2.3.1.5", "two entries called Document01"),
    row("ihe.id.nested.unique", "any object", "id",
         "Give every Classification and ExternalIdentifier an id of its own: {received} is used more than once.",
         "an id that occurs once", "ITI TF-3 4.2.3.1.5", "two classifications called cl01"),
    row("ihe.id.uuid", "any object", "id",
         "Write the id as urn:uuid: and lower-case digits in groups of 8-4-4-4-12, or as a symbolic id.",
         "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3, or an id that does not begin with urn:uuid:",
         "ITI TF-3 4.2.3.1.5", "urn:uuid:10B545EA-725C-446D-9B95-8AEB444EDDF3"),
    not_in_updates(row("ihe.lid", "any object", "lid",
         "Leave out lid, or let it equal the id: only a metadata update may name another logical object.",
         "no lid, or the id of the object", "ITI TF-2 3.42.4.1.2", "the lid of a registered entry")),
    row("ihe.patient.same", "any object", "patientId",
         "Send the patientId of the SubmissionSet in the {object}: {received} is not {expected}.",
         "the patientId of the SubmissionSet", "ITI TF-2 3.42.4.1.3.3.2", "an entry of another patient", PATIENT),
    row("ihe.uniqueId.unique", "any object", "uniqueId",
         "Use the uniqueId {received} once in the message.",
         "a uniqueId that occurs once", "ITI TF-3 Table 4.2.4.1-2", "two entries with one uniqueId", _DUPLICATE),
    row("ihe.de.serviceTime.order", "DocumentEntry", "serviceStartTime",
         "Correct the times of the service: serviceStartTime {received} is after serviceStopTime {expected}.",
         "a serviceStartTime before or equal to serviceStopTime", "ITI TF-2 3.42.4.1.3.3.6",
         "from 20260102 to 20260101"),
    row("ihe.de.sourcePatientInfo.once", "DocumentEntry", "sourcePatientInfo",
         "Send one value of {received} in sourcePatientInfo.",
         "at most one value of PID-7 and one of PID-8", "ITI TF-3 4.2.3.2.23", "PID-8|M and PID-8|F"),
)  # fmt: skip


def check_structure(submission: Submission, objects: tuple[RegistryObject, ...], report: Report) -> None:
    """Packages and ids of the message."""
    if not submission.document_entries:
        report.add("ihe.submission.onDemand", object_id=next((s.id for s in submission.submission_sets), None))
    if len(submission.submission_sets) != 1:
        _report_sets(submission, report)
    elif not (submission.document_entries or submission.folders or submission.associations):
        report.add("ihe.submission.content", object_id=submission.submission_sets[0].id)
    for package in submission.unclassified:
        report.add("ihe.package.kind", object_id=package.id, received=" and ".join(package.nodes) or None)
    for c in submission.stray_classifications:
        report.add("ihe.classification.stray", object_id=c.id, received=c.classified_object)
    _check_ids(objects, report)


def _report_sets(submission: Submission, report: Report) -> None:
    sets = submission.submission_sets
    if not sets and submission.unclassified:
        return  # the package that misses its classification is probably the set, and is reported as such
    report.add("ihe.submission.set", object_id=sets[1].id if sets else None, received=str(len(sets)))


_LOWER_UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _check_ids(objects: tuple[RegistryObject, ...], report: Report) -> None:
    ids = [item.id for item in objects]
    nested = [c.id for item in objects for c in item.classifications if c.id]
    nested += [e.id for item in objects for e in item.external_identifiers if e.id]
    for item in objects:
        if item.id.isspace():
            report.add("ihe.id.blank", object=item.KIND)
        if item.lid and item.lid != item.id:
            report.add("ihe.lid", object_id=item.id, received=item.lid, expected=item.id)
    for identifier in (*ids, *nested):
        if identifier[:9] == "urn:uuid:" and _LOWER_UUID.fullmatch(identifier) is None:
            report.add("ihe.id.uuid", object_id=identifier, received=identifier)
    if len({*ids, *nested}) != len(ids) + len(nested):
        _report_repeated(ids, nested, report)


def _report_repeated(ids: list[str], nested: list[str], report: Report) -> None:
    own = Counter(ids)
    for identifier, count in own.items():
        if count > 1 and identifier:
            report.add("ihe.id.unique", object_id=identifier, received=identifier)
    for identifier, count in Counter(nested).items():
        if count > 1 or identifier in own:
            report.add("ihe.id.nested.unique", object_id=identifier, received=identifier)


def check_identity(passed: Sequence[Seen], report: Report) -> None:
    """No uniqueId occurs twice, and every object has the patient of the set.

    Sets come first. A patientId that cannot be read has been reported already and is left out.
    """
    unique_ids: set[str] = set()
    expected: PatientId | None = None
    shared: str | None = None
    for item, _, identifiers in passed:
        unique_id = identifiers.get(item.UNIQUE_ID_SCHEME)
        if unique_id is not None:
            if unique_id in unique_ids:
                report.add("ihe.uniqueId.unique", object=item.KIND, object_id=item.id, received=unique_id)
            unique_ids.add(unique_id)
        sent = identifiers.get(item.PATIENT_ID_SCHEME)
        if sent is None or sent == shared or (patient := parse_patient_id(sent)) is None:
            continue
        if expected is None:
            expected, shared = patient, sent
        elif patient != expected:
            right = expected.as_cx()
            report.add("ihe.patient.same", object=item.KIND, object_id=item.id, received=sent, expected=right)


_EARLIEST: Final = "00000101000000"
_LATEST: Final = "99991231235959"


def check_entry(passed: Seen, report: Report) -> None:
    """What one attribute of an entry says about another, or about itself as a whole."""
    start, stop = passed.slots.get("serviceStartTime"), passed.slots.get("serviceStopTime")
    if start and stop and is_dtm(start[0]) and is_dtm(stop[0]):
        _check_order(passed.item, start[0], stop[0], report)
    fields = [value[:6] for value in passed.slots.get("sourcePatientInfo", ())]
    for once in ("PID-7|", "PID-8|"):
        if fields.count(once) > 1:
            report.add("ihe.de.sourcePatientInfo.once", object_id=passed.item.id, received=once[:-1])


def _check_order(item: RegistryObject, start: str, stop: str, report: Report) -> None:
    """The service does not start after it stops, whatever the precision of the times."""
    if start + _EARLIEST[len(start) :] > stop + _LATEST[len(stop) :]:
        report.add("ihe.de.serviceTime.order", object_id=item.id, received=start, expected=stop)
