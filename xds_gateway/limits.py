"""Limits: settings in, what each server enforces out."""

from .codec.mtom import MimeLimits
from .codec.xml import XmlLimits
from .config import Feed, Limits
from .server.edge import EdgeLimits
from .server.listening import ServingLimits
from .server.mllp import MllpLimits
from .server.pipeline import PipelineLimits
from .server.receiving import ReceivingLimits


def pipeline_limits(limits: Limits) -> PipelineLimits:
    """What is read of a SOAP message."""
    return PipelineLimits(
        xml=XmlLimits(
            size=limits.envelope_bytes,
            depth=limits.xml_depth,
            elements=limits.xml_elements,
            attributes=limits.xml_attributes,
            attribute_bytes=limits.xml_attribute_bytes,
            namespaces=limits.xml_namespaces,
        ),
        receiving=ReceivingLimits(
            envelope=limits.envelope_bytes,
            document=limits.document_bytes,
            body=limits.body_bytes,
            mime=MimeLimits(
                headers_per_part=limits.mime_headers, header_bytes=limits.mime_header_bytes, parts=limits.mime_parts
            ),
        ),
        inline_document=limits.inline_document,
    )


def serving_limits(limits: Limits) -> ServingLimits:
    """What the edge of every listener enforces."""
    return ServingLimits(
        edge=EdgeLimits(
            header_bytes=limits.http_header_bytes,
            header_seconds=limits.header_seconds,
            stall_seconds=limits.body_stall_seconds,
        ),
        connections=limits.connections,
        keep_alive_seconds=limits.keep_alive_seconds,
        shutdown_seconds=limits.shutdown_seconds,
    )


def mllp_limits(feed: Feed, limits: Limits) -> MllpLimits:
    """What a feed enforces."""
    return MllpLimits(
        message_bytes=feed.message_bytes,
        message_seconds=feed.message_seconds,
        idle_seconds=feed.idle_seconds,
        connections=feed.connections,
        handshakes=limits.connections,
        handshake_seconds=limits.header_seconds,
        shutdown_seconds=limits.shutdown_seconds,
    )
