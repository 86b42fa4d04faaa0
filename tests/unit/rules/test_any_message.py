"""Whatever a message holds, the rules answer with findings: they never fail and never run away."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import ENTRY_CODES, ENTRY_SLOTS, make_entry, make_folder, make_set, make_submission
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import Finding
from xds_gateway.model.metadata import (
    Association,
    Classification,
    ExternalIdentifier,
    LocalizedString,
    Slot,
    Submission,
)
from xds_gateway.rules.engine import LIMIT
from xds_gateway.rules.ihe import check_content, check_documents, check_submission, read_update

IDS = st.sampled_from(("", " ", "Document01", "SubmissionSet01", "Folder01", "urn:uuid:x", "ä")) | st.text(max_size=5)
TEXTS = st.text(max_size=300) | st.text("0123456789.^&|~ISOPID-", max_size=60)
SLOTS = st.builds(
    Slot,
    st.sampled_from((*ENTRY_SLOTS, "submissionTime", "intendedRecipient", "PreviousVersion", "codingScheme")) | TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
)
NAMES = st.lists(st.builds(LocalizedString, TEXTS), max_size=2).map(tuple)
SCHEMES = st.sampled_from((*ENTRY_CODES, v.DE_AUTHOR, v.SS_AUTHOR, v.SS_CONTENT_TYPE_CODE, v.ASSOCIATION_DOCUMENTATION))
CLASSIFICATIONS = st.builds(
    Classification,
    IDS,
    IDS,
    st.none() | SCHEMES | TEXTS,
    st.none() | st.sampled_from((v.SUBMISSION_SET_NODE, v.LIMITED_DOCUMENT_ENTRY)),
    st.none() | TEXTS,
    st.lists(SLOTS, max_size=3).map(tuple),
    NAMES,
)
IDENTIFIERS = st.builds(
    ExternalIdentifier,
    IDS,
    IDS,
    st.none() | st.sampled_from((v.DE_PATIENT_ID, v.DE_UNIQUE_ID, v.SS_SOURCE_ID, v.FD_UNIQUE_ID)),
    st.none() | TEXTS,
    NAMES,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "lid": st.none() | IDS,
        "home": st.none() | TEXTS,
        "slots": st.lists(SLOTS, max_size=4).map(tuple),
        "name": NAMES,
        "classifications": st.lists(CLASSIFICATIONS, max_size=4).map(tuple),
        "external_identifiers": st.lists(IDENTIFIERS, max_size=4).map(tuple),
    },
)
ASSOCIATIONS = st.builds(
    Association,
    id=IDS,
    association_type=st.sampled_from((*v.ASSOCIATION_TYPES, *v.UPDATE_ASSOCIATION_TYPES)) | TEXTS,
    source=IDS,
    target=IDS,
    slots=st.lists(SLOTS, max_size=2).map(tuple),
)


def _submission(entry: dict, package: dict, folder: dict, associations: list[Association]) -> Submission:
    return replace(
        make_submission(
            entries=(replace(make_entry(1), **entry), make_entry(2)),
            submission_set=replace(make_set(), **package),
            folders=(replace(make_folder(), **folder),),
        ),
        associations=tuple(associations),
    )


SUBMISSIONS = st.builds(_submission, PARTS, PARTS, PARTS, st.lists(ASSOCIATIONS, max_size=5))


@given(
    SUBMISSIONS, st.sampled_from(("ITI-41", "ITI-42", "ITI-57", "ITI-92")), st.sampled_from(("registry", "repository"))
)
def test_any_message_is_judged(submission, transaction, actor):
    findings = check_submission(submission, actor=actor, transaction=transaction)
    assert all(isinstance(found, Finding) for found in findings)
    for found in findings:
        told = (found.sentence, found.received, found.expected, found.attribute, found.object_id)
        assert all(text is None or text.isprintable() for text in told)
    assert len(findings) <= LIMIT + 1


@given(SUBMISSIONS, st.sampled_from(("ITI-57", "ITI-92")))
def test_any_message_is_read_as_an_update_or_refused(submission, transaction):
    operations, findings = read_update(submission, transaction=transaction)
    assert findings or operations.versions or operations.statuses or operations.submitted
    assert len(findings) <= LIMIT + 1


@given(SUBMISSIONS, TEXTS)
def test_any_document_is_compared(submission, sha1):
    assert all(found.rule.startswith("ihe.document.") for found in check_documents(submission, ()))
    for entry in submission.document_entries:
        assert all(found.rule.startswith("ihe.document.") for found in check_content(entry, 1, sha1))
