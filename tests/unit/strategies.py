"""Any metadata that a sender may write, as hypothesis strategies."""

from base64 import b64encode

from hypothesis import strategies as st

from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import DocumentPart, DocumentRequest
from xds_gateway.model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    ObjectRef,
    RegistryObject,
    Slot,
    Submission,
    SubmissionSet,
    UnclassifiedPackage,
)

XML_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | (
    st.sampled_from("\t\n\r\x7f\x85&<>\"' ")
)
XML_TEXT = st.text(XML_CHARACTERS, max_size=12)
SOME_TEXT = st.text(XML_CHARACTERS, min_size=1, max_size=12)
OPTIONAL = st.none() | XML_TEXT
UUIDS = st.uuids().map(lambda uuid: f"urn:uuid:{uuid}")
_WHITE_SPACE = " \t\r\n"


def _as_kept(value: str) -> str:
    """A slot value that is written over several lines loses the white space around it."""
    return value.strip(_WHITE_SPACE) if "\n" in value else value


def tuples(items: st.SearchStrategy, size: int = 3) -> st.SearchStrategy:
    """So many or fewer, in a tuple."""
    return st.lists(items, max_size=size).map(tuple)


SLOT_VALUES = XML_TEXT.map(_as_kept)
SLOTS = st.builds(Slot, SOME_TEXT, tuples(SLOT_VALUES), OPTIONAL)
STRINGS = tuples(st.builds(LocalizedString, XML_TEXT, OPTIONAL, OPTIONAL), 2)
NODES = st.none() | st.sampled_from([v.LIMITED_DOCUMENT_ENTRY, "urn:example:node"])
CLASSIFICATIONS = st.builds(
    Classification, XML_TEXT, XML_TEXT, OPTIONAL, NODES, OPTIONAL, tuples(SLOTS, 2), STRINGS, STRINGS
)
IDENTIFIERS = st.builds(
    ExternalIdentifier,
    XML_TEXT,
    XML_TEXT,
    st.none() | st.sampled_from([v.DE_PATIENT_ID, v.DE_UNIQUE_ID, v.SS_PATIENT_ID, v.FD_PATIENT_ID]) | XML_TEXT,
    OPTIONAL,
    STRINGS,
    STRINGS,
    tuples(SLOTS, 1),
)
_COMMON = {
    "lid": OPTIONAL,
    "home": OPTIONAL,
    "status": OPTIONAL,
    "object_type": OPTIONAL,
    "version": OPTIONAL,
    "slots": tuples(SLOTS),
    "name": STRINGS,
    "description": STRINGS,
    "classifications": tuples(CLASSIFICATIONS),
    "external_identifiers": tuples(IDENTIFIERS),
}


def _node(node: str, owner: str) -> Classification:
    return Classification(id="", classified_object=owner, node=node)


@st.composite
def _packages(draw: st.DrawFn, kind: type[RegistryObject], nodes: tuple[str, ...]) -> RegistryObject:
    common = {name: draw(strategy) for name, strategy in _COMMON.items()}
    identifier = draw(SOME_TEXT)
    common["classifications"] += tuple(_node(node, identifier) for node in nodes)
    extra = {"nodes": nodes} if kind is UnclassifiedPackage else {}
    return kind(id=identifier, **common, **extra)


ENTRIES = st.builds(DocumentEntry, id=SOME_TEXT, mime_type=OPTIONAL, is_opaque=OPTIONAL, **_COMMON)
SETS = _packages(SubmissionSet, (v.SUBMISSION_SET_NODE,))
FOLDERS = _packages(Folder, (v.FOLDER_NODE,))
UNCLASSIFIED = _packages(UnclassifiedPackage, ()) | _packages(
    UnclassifiedPackage, (v.SUBMISSION_SET_NODE, v.FOLDER_NODE)
)
ASSOCIATIONS = st.builds(
    Association,
    id=SOME_TEXT,
    association_type=st.sampled_from([*v.ASSOCIATION_TYPES, *v.UPDATE_ASSOCIATION_TYPES, "urn:example:type"]),
    source=SOME_TEXT,
    target=SOME_TEXT,
    **_COMMON,
)
OBJECTS = st.one_of(ENTRIES, SETS, FOLDERS, ASSOCIATIONS)


def _unlike_packages(submission: Submission) -> bool:
    """A classification beside its package is taken into it: only others stay stray, in the order of their owners."""
    packages = {p.id for p in (*submission.submission_sets, *submission.folders, *submission.unclassified)}
    owners = [c.classified_object for c in submission.stray_classifications]
    return not packages & set(owners) and len(owners) == len(set(owners))


SUBMISSIONS = st.builds(
    Submission,
    submission_sets=tuples(SETS, 2),
    document_entries=tuples(ENTRIES, 2),
    folders=tuples(FOLDERS, 2),
    associations=tuples(ASSOCIATIONS),
    unclassified=tuples(UNCLASSIFIED, 1),
    object_refs=tuples(st.builds(ObjectRef, XML_TEXT, OPTIONAL), 2),
    stray_classifications=tuples(CLASSIFICATIONS, 2),
    request_slots=tuples(SLOTS, 2),
).filter(_unlike_packages)

CONTENT_IDS = st.text("abcXYZ019.-@+é /%", min_size=1, max_size=20).map(str.strip).filter(bool)
BASE64 = st.binary(max_size=40).map(lambda data: b64encode(data).decode())
PARTS = st.builds(DocumentPart, XML_TEXT, CONTENT_IDS, st.none()) | st.builds(DocumentPart, XML_TEXT, st.none(), BASE64)
REQUESTED = st.builds(
    DocumentRequest,
    *[SOME_TEXT.map(str.strip).filter(bool)] * 2,
    st.none() | SOME_TEXT.map(str.strip).filter(bool),
)
