"""The gateway by its public door: bodies as on the wire, actors over the real storage, answers read by own code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree

from tests.unit.domains import Domain, make_call
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import Finding, RequestRefused
from xds_gateway.model.messages import AuditEvent, RetrievedDocument

_ROWS = {row.name: row for row in TRANSACTIONS}
_RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


class Seen(NamedTuple):
    """An object of an answer, as far as the registry may change it or two versions differ."""

    kind: str
    lid: str
    version: str
    status: str
    patient: str | None
    unique_id: str | None
    slots: tuple[tuple[str, tuple[str, ...]], ...]
    codes: tuple[tuple[str, str], ...]  # classification scheme, code
    ends: tuple[str, ...] = ()  # of an Association: type, source, target


@dataclass(frozen=True)
class Reply:
    """An answer: status, error codes, objects by id, ids in their order, documents by uniqueId."""

    status: str
    codes: frozenset[str]
    objects: Mapping[str, Seen]
    ids: tuple[str, ...]
    documents: Mapping[str, bytes]


class NoJournal:
    """An audit of reads that nobody reads."""

    def record(self, *events: AuditEvent) -> None:
        """Forget it."""


class Door:
    """The transactions of one domain."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def send(
        self, transaction: str, body: bytes, contents: Mapping[str, bytes] | None = None, *, dry: bool = False
    ) -> Reply:
        """Perform a request; `contents` are the documents of ITI-41 by the id of their entry."""
        row = _ROWS[transaction]
        findings: list[Finding] = []
        request = row.parse(etree.fromstring(body), findings)
        actor = getattr(self._domain.actors, row.actor)
        call = make_call(transaction, dry_run=dry)
        try:
            getattr(actor, f"admit_{row.actor_method}")(call, request, findings)
            received: tuple[Any, ...] = ()
            if transaction == "ITI-41":
                received = ({identifier: self._domain.spool(data) for identifier, data in (contents or {}).items()},)
            outcome = getattr(actor, row.actor_method)(call, request, *received)
        except RequestRefused as refused:
            outcome = row.outcome(findings=refused.findings)
        pieces = row.render(outcome)
        given = {
            piece.request.document_unique_id: b"".join(self._domain.storage.documents.open(piece.document))
            for piece in pieces
            if isinstance(piece, RetrievedDocument)
        }
        return _read(b"".join(piece for piece in pieces if isinstance(piece, bytes)), given)


def _read(body: bytes, documents: Mapping[str, bytes]) -> Reply:
    root = etree.fromstring(body)
    (status,) = root.xpath("/*[@status]/@status | //*[local-name()='RegistryResponse']/@status")
    errors = root.xpath("//*[local-name()='RegistryError']/@errorCode")
    items = root.xpath("//*[local-name()='RegistryObjectList']/*")
    return Reply(
        status=status.rpartition(":")[2],
        codes=frozenset(map(str, errors)),
        objects={item.get("id"): _seen(item) for item in items if item.tag != f"{_RIM}ObjectRef"},
        ids=tuple(item.get("id") for item in items),
        documents=documents,
    )


def _seen(item: etree._Element) -> Seen:
    identifiers = {
        (each.findtext(f"{_RIM}Name") or each.find(f"{_RIM}Name/{_RIM}LocalizedString").get("value")).rpartition(".")[
            2
        ]: each.get("value")
        for each in item.iterchildren(f"{_RIM}ExternalIdentifier")
    }
    classified = list(item.iterchildren(f"{_RIM}Classification"))
    codes = [(each.get("classificationScheme"), each.get("nodeRepresentation")) for each in classified]
    nodes = {each.get("classificationNode") for each in classified}
    kind = etree.QName(item).localname
    if kind == "RegistryPackage":
        kind = "SubmissionSet" if v.SUBMISSION_SET_NODE in nodes else "Folder"
    ends = (item.get("associationType"), item.get("sourceObject"), item.get("targetObject"))
    return Seen(
        kind=kind,
        lid=item.get("lid"),
        version=item.find(f"{_RIM}VersionInfo").get("versionName"),
        status=item.get("status"),
        patient=identifiers.get("patientId"),
        unique_id=identifiers.get("uniqueId"),
        slots=tuple(sorted(_slot(slot) for slot in item.iterchildren(f"{_RIM}Slot"))),
        codes=tuple(sorted((scheme, code) for scheme, code in codes if scheme and code)),
        ends=ends if kind == "Association" else (),
    )


def _slot(slot: etree._Element) -> tuple[str, tuple[str, ...]]:
    return slot.get("name"), tuple(value.text or "" for value in slot.iter(f"{_RIM}Value"))
