"""Settings of what one caller may cost."""

from typing import Annotated

from pydantic import Field

from .values import ByteCount, Count, Seconds, Section, Unit


class Limits(Section):
    """What one caller may cost."""

    envelope_bytes: ByteCount = Field(
        default=8 * 2**20,
        description="Largest SOAP envelope, or root part of a multipart message.",
    )
    inline_document: ByteCount = Field(
        default=5 * 2**20,
        le=7 * 2**20,
        description="Largest document sent as base64 inside the envelope; larger ones need MTOM.",
    )
    document_bytes: ByteCount = Field(default=4 * 2**30, description="Largest document sent as an attachment.")
    body_bytes: ByteCount = Field(default=8 * 2**30, description="Largest request body.")
    spool_in_flight_bytes: ByteCount = Field(
        default=16 * 2**30, description="Most bytes of documents being received at one time, in each worker process."
    )
    xml_depth: Annotated[int, Field(ge=20, le=256), Unit("levels")] = Field(
        default=100,
        description="Deepest nesting of XML elements.",
    )
    xml_elements: Annotated[Count, Unit("elements")] = Field(
        default=200_000,
        description="Most XML elements in an envelope.",
    )
    xml_attributes: Annotated[Count, Unit("attributes")] = Field(
        default=500,
        description="Most attributes of one XML element.",
    )
    xml_namespaces: Annotated[Count, Unit("declarations")] = Field(
        default=1000, description="Most namespace declarations in an envelope."
    )
    remembered_assertions: Annotated[Count, Unit("assertions")] = Field(
        default=1_000_000,
        description="Most assertions for one use that are remembered until they expire; above it further ones are "
        "answered ...OutOfResources.",
    )
    xml_attribute_bytes: ByteCount = Field(default=64 * 2**10, description="Longest value of one XML attribute.")
    mime_parts: Annotated[Count, Unit("parts")] = Field(default=1000, description="Most parts of a multipart message.")
    mime_headers: Annotated[Count, Unit("headers")] = Field(default=50, description="Most headers of one part.")
    mime_header_bytes: ByteCount = Field(default=8 * 2**10, description="All headers of one part together.")
    http_header_bytes: ByteCount = Field(default=32 * 2**10, description="All HTTP headers of a request together.")
    header_seconds: Seconds = Field(
        default=10,
        description="Time for the TLS handshake and the HTTP headers to arrive.",
    )
    body_stall_seconds: Seconds = Field(
        default=30,
        description="Longest silence while a body is being sent or an answer taken.",
    )
    request_seconds: Seconds = Field(
        default=60, description="Longest time that a request waits for its turn to write; then the answer is Busy."
    )
    keep_alive_seconds: Seconds = Field(default=75, description="How long an idle connection is kept.")
    shutdown_seconds: Seconds = Field(
        default=30,
        description="How long running requests may take to end after SIGTERM.",
    )
    connections: Annotated[Count, Unit("connections")] = Field(
        default=1000, description="Most open connections in each worker process; further ones are answered 503."
    )
