"""A function that makes on-demand documents for tests: what the entry says of itself, the same at each retrieval."""

from ..model.identifiers import PatientId
from ..model.metadata import DocumentEntry


def make(unique_id: str, entry: DocumentEntry, patient: PatientId | None) -> tuple[bytes, str]:
    """The content and media type of the document of an on-demand entry."""
    title = entry.name[0].value if entry.name else "without a title"
    of = patient.as_cx() if patient else "nobody"
    return f"Made on demand: {title}, document {unique_id} of {of}\n".encode(), "text/plain"
