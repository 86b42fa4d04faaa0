"""What can go wrong for a caller of the SDK, as one tree.

GatewayClientError
  Misconfigured          a file, folder or address given to the client cannot be used
  KeyUnavailable         the key that signs assertions could not be used: nothing was sent
  NotACdaDocument        the file is no CDA R2 document
  IncompleteMetadata     required attributes are unknown: nothing was sent
  InvalidQuery           no such stored query, or its parameters are wrong: nothing was sent
  NotFound               the object that was named is not there, or not for this caller
  Unreachable            no connection, or it was cut
    TimedOut             the gateway did not answer in time; it may have done the work: submit again, same journal
    TlsRefused           the TLS handshake failed: certificate missing, not trusted or for another host
  UnexpectedAnswer       what came back is not the answer of this transaction
  Fault                  env:Fault: the gateway could not read or process the message
  Refused                RegistryErrorList: the message was understood and refused
  Damaged                a document came back with another size or hash than its entry says
"""

from typing import Final, NamedTuple

NOT_DRY: Final = (
    "the gateway did not say that this was a dry run: it may be another product that passed over the header DryRun, "
    "and may have done what was asked"
)


class RegistryError(NamedTuple):
    """One rs:RegistryError: code, the sentence that explains it, "Error" or "Warning", and where (ITI TF-3 4.2.4.1)."""

    code: str
    context: str
    severity: str = "Error"
    location: str | None = None


class GatewayClientError(Exception):
    """Any failure that the client reports; the subclasses carry their evidence as fields."""


class Misconfigured(GatewayClientError):
    """A file, folder or address given to the client cannot be used; the message says which and why."""


class KeyUnavailable(GatewayClientError):
    """The key that signs assertions could not be used, so that nothing was sent; the message says what to do."""


class NotACdaDocument(GatewayClientError):
    """The bytes are not a CDA R2 document that may be read: not XML, a DOCTYPE, or no ClinicalDocument."""


class IncompleteMetadata(GatewayClientError):
    """Required attributes are unknown, nothing was sent: (document, attributes) of each (ITI TF-3 Table 4.3.1-3)."""

    def __init__(self, missing: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        super().__init__("; ".join(f"{document} lacks {', '.join(names)}" for document, names in missing))
        self.missing = missing


class InvalidQuery(GatewayClientError):
    """A stored query that cannot be asked, nothing was sent: its name, and a sentence for each mistake."""

    def __init__(self, query: str, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.query = query
        self.problems = problems


class NotFound(GatewayClientError):
    """An object that was named is not in the registry, or is not shown to this caller."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"there is no {kind} {identifier} for this caller")
        self.kind = kind
        self.identifier = identifier


class Unreachable(GatewayClientError):
    """No connection to the gateway, or it was cut before the whole answer came."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class TimedOut(Unreachable):
    """No answer within the timeout; whether the work was done is unknown."""


class TlsRefused(Unreachable):
    """The TLS handshake failed on either side."""


class UnexpectedAnswer(GatewayClientError):
    """The answer is not one of this transaction; `status` is the HTTP status."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason if status is None else f"{reason} (HTTP {status})")
        self.reason = reason
        self.status = status


class Fault(GatewayClientError):
    """A SOAP fault: local names of code and subcodes, and the reason text (SOAP 1.2 part 1, 5.4)."""

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'/'.join((code, *subcodes))}: {reason}")
        self.code = code
        self.subcodes = subcodes
        self.reason = reason


class Refused(GatewayClientError):
    """The registry or repository refused: all its errors, in answer order (ITI TF-3 4.2.4)."""

    def __init__(self, status: str, errors: tuple[RegistryError, ...]) -> None:
        super().__init__("; ".join(f"{e.code}: {e.context}" for e in errors) or status)
        self.status = status
        self.errors = errors


class Damaged(GatewayClientError):
    """Received bytes differ from what the entry declares; `what` is "size" or "hash"."""

    def __init__(self, what: str, expected: str, received: str) -> None:
        super().__init__(f"the document's {what} is {received}, its entry says {expected}")
        self.what = what
        self.expected = expected
        self.received = received
