"""SOAP 1.2 envelopes with WS-Addressing, read and written (ITI TF-2 V.3)."""

from .namespaces import SOAP11, SOAP12, WSA, WSSE
from .soap_reading import (
    ANONYMOUS,
    DRY_RUN,
    NONE_ADDRESS,
    SOAP11_RULE,
    Envelope,
    action_mismatch,
    action_not_supported,
    dry_run_not_allowed,
    message_id_of,
    parse_envelope,
    security_fault,
)
from .soap_writing import (
    DRY_RUN_HEADER,
    ENVELOPE_END,
    FAULT_ACTION,
    SOAP_FAULT_ACTION,
    render_envelope_start,
    render_fault,
    render_request_envelope,
    render_security_header,
    render_soap11_version_mismatch,
)

__all__ = [
    "ANONYMOUS",
    "DRY_RUN",
    "DRY_RUN_HEADER",
    "ENVELOPE_END",
    "FAULT_ACTION",
    "NONE_ADDRESS",
    "SOAP11",
    "SOAP11_RULE",
    "SOAP12",
    "SOAP_FAULT_ACTION",
    "WSA",
    "WSSE",
    "Envelope",
    "action_mismatch",
    "action_not_supported",
    "dry_run_not_allowed",
    "message_id_of",
    "parse_envelope",
    "render_envelope_start",
    "render_fault",
    "render_request_envelope",
    "render_security_header",
    "render_soap11_version_mismatch",
    "security_fault",
]
