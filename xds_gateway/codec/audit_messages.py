"""Audit events as messages: one table row for each transaction (Security Considerations of ITI TF-2 3.x)."""

from typing import Final, NamedTuple
from uuid import UUID, uuid5

from ..model.audit_messages import AuditMessage, AuditSite, Participant, ParticipantObject
from ..model.messages import AuditEvent, QueryRequest
from ..model.principal import Coded
from .xdsb_queries import render_query_request

DCM: Final = "DCM"
_OURS: Final = "urn:xds-gateway:2026"
_QUERY: Final = Coded("110112", DCM, "Query")
_IMPORT: Final = Coded("110107", DCM, "Import")
_EXPORT: Final = Coded("110106", DCM, "Export")
_PATIENT_RECORD: Final = Coded("110110", DCM, "Patient Record")
_ALERT: Final = Coded("110113", DCM, "Security Alert")
_ACTIVITY: Final = Coded("110100", DCM, "Application Activity")
_AUTHENTICATION: Final = Coded("110114", DCM, "User Authentication")
_LOG_USED: Final = Coded("110101", DCM, "Audit Log Used")
_SOURCE: Final = Coded("110153", DCM, "Source Role ID")
_DESTINATION: Final = Coded("110152", DCM, "Destination Role ID")
_APPLICATION: Final = Coded("110150", DCM, "Application")
_PATIENT_NUMBER: Final = Coded("2", "RFC-3881", "Patient Number")
_REPORT_NUMBER: Final = Coded("9", "RFC-3881", "Report Number")
_URI: Final = Coded("12", "RFC-3881", "URI")
_NODE: Final = Coded("110182", DCM, "Node ID")
_SUBMISSION_SET: Final = Coded(
    "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "IHE XDS Metadata", "submission set classificationNode"
)
_OBJECT_REF: Final = Coded("urn:ihe:iti:2017:ObjectRef", "IHE XDS Metadata", "registry object reference")
_EVENT_ID: Final = Coded("event-id", _OURS, "Audit event and message")
_OUTCOMES: Final = {"success": 0, "partial": 4, "failure": 8}  # minor, serious failure (DICOM PS3.15 A.5.2)
_LINK_TYPE: Final = "urn:ihe:iti:xpid:2017:patientIdentifierType"
_CREATED: Final = 1  # life cycle: origination
_DELETED: Final = 14  # logical deletion; 15: permanent erasure
_ERASED: Final = 15
_MULTIPLE: Final = frozenset(("ITI-64",))  # one message names all its patients (3.64.5.1)


class Row(NamedTuple):
    """How a transaction is told: event, action ("" as the event says), type, endpoint, which side we are, objects."""

    event: Coded
    action: str
    type: Coded
    endpoint: str | None = None
    source: bool = False
    objects: str = ""


def _iti(number: int, name: str) -> Coded:
    return Coded(f"ITI-{number}", "IHE Transactions", name)


def _ours(name: str) -> Coded:
    return Coded(name, _OURS, name)


# fmt: off
#   transaction            EventID          action  EventTypeCode
ROWS: Final = {
    "ITI-8":           Row(_PATIENT_RECORD, "",     _iti(8, "Patient Identity Feed")),                     # 3.8.5.1
    "ITI-44":          Row(_PATIENT_RECORD, "",     _iti(44, "Patient Identity Feed"), "patients"),        # 3.44.5.1
    "ITI-64":          Row(_PATIENT_RECORD, "U",    _iti(64, "Notify XAD-PID Link Change"), objects="set"),
    "ITI-18":          Row(_QUERY,          "E",    _iti(18, "Registry Stored Query"), "registry"),        # 3.18.5.1
    "ITI-51":          Row(_QUERY,          "E",    _iti(51, "Multi-Patient Stored Query"), "registry"),   # 3.51.5.1
    "ITI-41":          Row(_IMPORT,         "C",    _iti(41, "Provide and Register Document Set-b"), "repository",
                           objects="set"),                                                                 # 3.41.5.1
    "ITI-42":          Row(_IMPORT,         "C",    _iti(42, "Register Document Set-b"), "registry", objects="set"),
    "ITI-61":          Row(_IMPORT,         "C",    _iti(61, "Register On-Demand Document Entry"), "registry",
                           objects="set"),                                                                 # 3.61.5.1
    "ITI-43":          Row(_EXPORT,         "R",    _iti(43, "Retrieve Document Set"), "repository", source=True,
                           objects="documents"),                                                           # 3.43.6.1
    "ITI-57":          Row(_IMPORT,         "U",    _iti(57, "Update Document Set"), "registry", objects="set"),
    "ITI-92":          Row(_IMPORT,         "U",    _iti(92, "Restricted Update Document Set"), "responder",
                           objects="set"),
    "ITI-62":          Row(_PATIENT_RECORD, "D",    _iti(62, "Remove Metadata"), "registry", objects="references"),
    "ITI-86":          Row(_PATIENT_RECORD, "D",    _iti(86, "Remove Documents"), "repository", objects="erased"),
    "node-authentication": Row(_ALERT,      "E",    Coded("110126", DCM, "Node Authentication"), objects="node"),
    "user-authentication": Row(_AUTHENTICATION, "E", Coded("110122", DCM, "Login")),
    "application-start": Row(_ACTIVITY,     "E",    Coded("110120", DCM, "Application Start")),
    "application-stop": Row(_ACTIVITY,      "E",    Coded("110121", DCM, "Application Stop")),
    "administration":  Row(_PATIENT_RECORD, "",     _ours("administration")),
    "audit":           Row(_LOG_USED,       "R",    _ours("audit"), objects="log"),
    "reset":           Row(_ALERT,          "D",    Coded("110132", DCM, "Use of Restricted Function")),
    "vocabulary load": Row(_ALERT,          "U",    Coded("110131", DCM, "Software Configuration")),
    "vocabulary check": Row(_ALERT,         "R",    Coded("110132", DCM, "Use of Restricted Function")),
    "consent":         Row(_ALERT,          "U",    Coded("110135", DCM, "Object Security Attributes Changed")),
}
# fmt: on


def row_of(transaction: str) -> Row:
    """The row of a transaction; what has none is a security alert of that name."""
    return ROWS.get(transaction) or Row(_ALERT, "E", _ours(transaction))


def for_patient(event: AuditEvent, patient: str) -> AuditEvent:
    """The event as it is told of one of its patients: a query names no other one."""
    query = event.query
    if query is not None and len(event.patient_ids) > 1:
        query = _narrowed(query, patient)
    return event._replace(patient_ids=(patient,), patient_types=(), query=query)


def audit_messages(identifier: str, event: AuditEvent, site: AuditSite) -> tuple[AuditMessage, ...]:
    """The messages of an event, which has this id: one for each patient (ITI TF-2 3.20.7.1, 3.51.5.1)."""
    if len(event.patient_ids) < 2 or event.transaction in _MULTIPLE:
        return (_message(identifier, event, site),)
    return tuple(
        _message(_id_for(identifier, patient), for_patient(event, patient), site) for patient in event.patient_ids
    )


def _id_for(identifier: str, patient: str) -> str:
    """The id of the message of one patient among several, always the same (RFC 9562, 5.5)."""
    return f"urn:uuid:{uuid5(UUID(identifier), patient)}"


def _narrowed(query: QueryRequest, patient: str) -> QueryRequest:
    parameters = tuple(
        (name, (f"('{patient}')",)) if name.lower().endswith("patientid") else (name, values)
        for name, values in query.parameters
    )
    return QueryRequest(query_id=query.query_id, return_type=query.return_type, parameters=parameters, home=query.home)


def _message(identifier: str, event: AuditEvent, site: AuditSite) -> AuditMessage:
    row = row_of(event.transaction)
    told = [*event.codes, *([event.note] if event.note else ()), *([event.decision] if event.decision else ())]
    user = event.user
    return AuditMessage(
        id=identifier,
        event=row.event,
        action=row.action or event.action or "E",
        at=_time(event.at),
        outcome=_OUTCOMES.get(event.outcome, 8),
        outcome_description=", ".join(told) or None,
        types=(row.type,),
        purposes=user.purposes if user else (),
        participants=tuple(_participants(event, row, site)),
        source_id=site.source_id,
        site_id=site.site_id,
        objects=(*_patients(event), *_objects(event, row, site), _own(identifier, event)),
    )


def _time(at: str) -> str:
    """A DTM to the second, which is UTC, with its zone; another time as it is."""
    if len(at) != 14 or not at.isdigit():
        return at
    return f"{at[:4]}-{at[4:6]}-{at[6:8]}T{at[8:10]}:{at[10:12]}:{at[12:]}Z"


def _participants(event: AuditEvent, row: Row, site: AuditSite) -> tuple[Participant, ...]:
    """The caller, we, and the user if there is one; an application tells of itself alone."""
    process = str(event.process) if event.process is not None else None
    if row.event in (_ACTIVITY, _LOG_USED):
        who = event.node if row.event == _LOG_USED else site.source_id
        return (Participant(who, row.event == _LOG_USED, (_APPLICATION,), process, address=site.host),)
    theirs, ours = (_DESTINATION, _SOURCE) if row.source else (_SOURCE, _DESTINATION)
    own = f"{site.url}{site.paths.get(event.domain, '')}/{row.endpoint}" if row.endpoint else site.source_id
    caller = Participant(event.sender or event.node, not row.source, (theirs,), address=event.address or None)
    us = Participant(own, requestor=False, roles=(ours,), alternative_id=process, address=site.host)
    user = event.user
    if user is None:
        return (us, caller) if row.source else (caller, us)
    human = Participant(user.audited, True, user.roles, user.name, user.audited)
    return (us, caller, human) if row.source else (caller, human, us)


def _patients(event: AuditEvent) -> tuple[ParticipantObject, ...]:
    feed = {"ITI-8": "MSH-10", "ITI-64": "MSH-10", "ITI-44": "II"}.get(event.transaction)
    details = ((feed, event.message_id),) if feed and event.message_id else ()
    if event.patient_types:
        return tuple(
            _linked(event, details, *each) for each in zip(event.patient_ids, event.patient_types, strict=True)
        )
    return tuple(ParticipantObject(p, 1, 1, _PATIENT_NUMBER, details=details) for p in event.patient_ids)


def _linked(event: AuditEvent, details: tuple[tuple[str, str], ...], patient: str, kind: str) -> ParticipantObject:
    """An identifier of a link change, what it is, and whether it begins or ends (3.64.5.1.2)."""
    of_kind = dict(zip(event.patient_types, event.patient_ids, strict=True))
    moved = of_kind.get("newPatientId") != of_kind.get("previousPatientId")
    cycles = {
        "localPatientId": _CREATED if "subsumedPatientId" in of_kind else None,
        "subsumedPatientId": _DELETED,
        "newPatientId": _CREATED,
        "previousPatientId": _DELETED if moved else None,
    }
    told = (*details, (_LINK_TYPE, kind))
    return ParticipantObject(patient, 1, 1, _PATIENT_NUMBER, cycles.get(kind), details=told)


def _objects(event: AuditEvent, row: Row, site: AuditSite) -> tuple[ParticipantObject, ...]:
    home = site.homes.get(event.domain)
    if event.query is not None:
        return (_query(event.query, row.type, home),)
    if row.objects == "set":
        details = (("urn:ihe:iti:xca:2010:homeCommunityId", home),) if home and event.transaction == "ITI-92" else ()
        return tuple(ParticipantObject(each, 2, 20, _SUBMISSION_SET, details=details) for each in event.objects[:1])
    if row.objects in ("documents", "erased"):
        erased = _ERASED if row.objects == "erased" else None
        return tuple(_document(each, erased, home) for each in event.objects)
    if row.objects == "references":
        return tuple(ParticipantObject(each, 2, 3, _OBJECT_REF, _ERASED) for each in event.objects)
    if row.objects == "node":
        return (ParticipantObject(event.node, 2, 13, _NODE),)
    if row.objects == "log":
        return (ParticipantObject("Security Audit Log", 2, 13, _URI),)
    return tuple(ParticipantObject(each, 2, 13, _URI) for each in event.objects)


def _query(query: QueryRequest, kind: Coded, home: str | None) -> ParticipantObject:
    """What was asked, as it is sent (3.18.5.1.2)."""
    details = [("QueryEncoding", "UTF-8")]
    if query.home or home:
        details.append(("urn:ihe:iti:xca:2010:homeCommunityId", query.home or home or ""))
    return ParticipantObject(
        query.query_id, 2, 24, kind, query=render_query_request(query).decode(), details=tuple(details)
    )


def _document(named: str, life_cycle: int | None, home: str | None) -> ParticipantObject:
    """A document, named by repositoryUniqueId and uniqueId (3.43.6.1.2, which writes the home in its own way)."""
    repository, _, unique_id = named.partition(" ")
    details = (("Repository Unique Id", repository), *((("ihe:homeCommunityID", home),) if home else ()))
    return ParticipantObject(unique_id, 2, 3, _REPORT_NUMBER, life_cycle, details=details)


def _own(identifier: str, event: AuditEvent) -> ParticipantObject:
    """The event's own id and the id of the message that it tells of: whoever has it twice sees that it is one."""
    details = (("MessageID", event.message_id),) if event.message_id else ()
    return ParticipantObject(identifier, 4, 26, _EVENT_ID, details=details)
