"""What the gateways of the tests make on demand: the URI of an entry says what becomes of it."""

import io
import time
from typing import Any

from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.metadata import DocumentEntry

LARGE = b"0123456789abcdef" * (160 << 10)  # 2.5 MiB: an answer that is streamed


def make(unique_id: str, entry: DocumentEntry, patient: PatientId | None) -> tuple[Any, str | None]:
    """A letter, a large file, or nothing."""
    match entry.slot_value("URI"):
        case "large":
            return io.BytesIO(LARGE), "application/octet-stream"
        case "failing":
            raise ValueError("the source of the data is not there")
        case "late":
            time.sleep(3600)
    return f"{unique_id} of {patient.id if patient else '?'}\n".encode(), None
