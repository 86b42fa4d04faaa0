"""The gateway by its public door: bodies as on the wire, actors over the real storage, answers read by own code."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree

from tests.unit.domains import NOW, Domain, make_call
from xds_gateway.actors.administrator import Administrator, PatientUnknown
from xds_gateway.actors.feed_policy import FeedPolicy
from xds_gateway.actors.patient_administration import PatientAdministration, PatientRefused
from xds_gateway.actors.patients import PatientIdentityFeed
from xds_gateway.codec.hl7v2 import parse_adt, render_adt
from xds_gateway.codec.transactions import TRANSACTIONS, Stamp
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.errors import Finding, RequestRefused
from xds_gateway.model.feeds import FeedMessage
from xds_gateway.model.identifiers import parse_patient_id
from xds_gateway.model.messages import AuditEvent, RetrievedDocument
from xds_gateway.model.principal import Access, Principal

from .links import MOVED, SOURCE

EVERYTHING = Access.everything("main")
_ROWS = {row.name: row for row in TRANSACTIONS}
_STAMP = Stamp("urn:uuid:answer", NOW)
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


CALLERS = ("CN=Cabinet Nord", "CN=Cabinet Sud")
_HIS = Principal(node="CN=HIS", address="127.0.0.1")


class Door:
    """The transactions of one domain, its feed, and its administrator."""

    def __init__(self, domain: Domain, now: Callable[[], str], *, patients_open: bool) -> None:
        self._domain = domain
        self._now = now
        store = domain.storage.registry
        code, scheme = MOVED
        policy = FeedPolicy(
            domain="main",
            patients_open=patients_open,
            link_change_code=Code(code, scheme),
            link_change_source=SOURCE,
        )
        self._feed = PatientIdentityFeed(store=store, policy=policy, now=now, new_uuid=domain.new_uuid)
        administrator = Administrator(
            store=store, journal=NoJournal(), domain="main", caller=_HIS, now=now, new_id=domain.new_uuid
        )
        self._administration = PatientAdministration(administrator, policy)

    def feed(self, messages: Sequence[FeedMessage]) -> list[str]:
        """MSA-1 of messages of a feed that arrive together."""
        read = [parse_adt(render_adt(message, now="20260314083000")) for message in messages]
        return [problem.acknowledgment if problem else "AA" for problem in self._feed.feed(_HIS, read)]

    def unmerge(self, patient: str) -> bool:
        """Undo a merge; False when there is none."""
        identifier = parse_patient_id(patient)
        assert identifier is not None
        with suppress(PatientRefused, PatientUnknown):
            self._administration.unmerge(identifier)
            return True
        return False

    def survivors(self) -> dict[str, str]:
        """All patients that are known, and who stands for each."""
        listed = self._administration.list(None, 100)
        return {each.patient_id.as_cx(): (each.survivor or each.patient_id).as_cx() for each in listed}

    def send(
        self,
        transaction: str,
        body: bytes,
        contents: Mapping[str, bytes] | None = None,
        *,
        dry: bool = False,
        caller: str = CALLERS[0],
        access: Access = EVERYTHING,
    ) -> Reply:
        """Perform a request; `contents` are the documents of ITI-41 by the id of their entry."""
        row = _ROWS[transaction]
        findings: list[Finding] = []
        request = row.parse(etree.fromstring(body), findings)
        actor = getattr(self._domain.actors, row.actor)
        principal = Principal(node=caller, address="127.0.0.1")
        call = make_call(transaction, dry_run=dry, principal=principal, access=access)
        try:
            getattr(actor, f"admit_{row.actor_method}")(call, request, findings)
            received: tuple[Any, ...] = ()
            if transaction == "ITI-41":
                received = ({identifier: self._domain.spool(data) for identifier, data in (contents or {}).items()},)
            outcome = getattr(actor, row.actor_method)(call, request, *received)
        except RequestRefused as refused:
            outcome = row.outcome.refused(request, refused.findings)
        pieces = row.render(outcome, _STAMP)
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
