"""Rules of patient identity feeds: why a message is refused, and what its answer says (ITI TF-2 3.8, 3.44, 3.64).

docs/divergences.md says which of these rules are choices; docs/feed-patients.md shows them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..model.errors import AckCode
from ..model.feeds import FeedProblem, FeedTransaction


class FeedRule(NamedTuple):
    """One row: MSA-1, ERR-2 and ERR-3 (HL7 table 0357) of the acknowledgment, and what to do.

    In ITI-44 the place is that of `PLACES`, the code that of `V3_CODES`, and AE and AR are CE and CR. A sentence calls
    places by `WORDS` or `V3_WORDS`.
    """

    id: str
    acknowledgment: str
    location: str
    code: str
    sentence: str
    expected: str
    clause: str
    example: str


_EVENT: Final = "controlActProcess/subject/registrationEvent"
_PRIOR: Final = f"{_EVENT}/replacementOf/priorRegistration"
# Places of the rules that both transactions have: ERR-2 of ITI-8, XPath of ITI-44
PLACES: Final[Mapping[str, str]] = {
    "": "",
    "MSH^1^10": "id",
    "PID^1^3": f"{_EVENT}/subject1/patient/id",
    "PID^1^3^1^4": f"{_EVENT}/subject1/patient/id",
    "MRG^1^1": f"{_PRIOR}/subject1/priorRegisteredRole/id",
}
# AcknowledgementDetailCode (2.16.840.1.113883.5.1100) for a code of table 0357
V3_CODES: Final[Mapping[str, AckCode]] = {
    "100": AckCode.V3_ASSOCIATIONS,
    "101": AckCode.V3_REQUIRED_ATTRIBUTE,
    "204": AckCode.V3_UNKNOWN_KEY,
    "207": AckCode.V3_INTERNAL,
}
# What sentences call the places of rules that both have
WORDS: Final = {"id": "MSH-10", "patient": "PID-3", "subsumed": "MRG-1"}
V3_WORDS: Final = {"id": "id", "patient": "patient/id", "subsumed": "priorRegisteredRole/id"}
_QUOTED: Final = 128  # characters of a received value in a sentence
_KIND: Final = "HL7 v2.5 2.9.2; ITI TF-2 3.8.4.1.3"
_FEED: Final = "ITI TF-2 3.8.4.1, 3.44.4.1"
_MERGE: Final = "ITI TF-2 3.8.4.2, 3.44.4.2"
_WRAPPER: Final = "ITI TF-2 Table 3.44.4.1.2.3-1, 3.44.4.2.2.3"
_LINK: Final = "ITI TF-2 3.64.4.1.2"

# What only a message of ITI-8 or ITI-64 can break
V2_RULES: Final = (
    FeedRule("ihe.feed.header", "AR", "MSH^1", "100",
             "Begin the message with MSH and five different separators.",
             "MSH|^~\\&", _KIND, "a message that begins with PID"),
    FeedRule("ihe.feed.type", "AR", "MSH^1^9^1^1", "200",
             "Send ADT messages to this port: {received} is not taken here.",
             "ADT", _KIND, "ORU^R01"),
    FeedRule("ihe.feed.query", "AR", "MSH^1^9^1^1", "200",
             "Ask a patient manager: this port takes identity feeds (ADT), {received} asks for demographics or for "
             "identifiers, and PDQ and PIX are not served here.",
             "ADT", _KIND, "QBP^Q22 (ITI-21), QBP^Q23 (ITI-9), QBP^ZV1 (ITI-22)"),
    FeedRule("ihe.feed.event", "AR", "MSH^1^9^1^2", "201",
             "Send one of the events {expected}: {received} is not taken here.",
             "A01, A04, A05, A08, A40, A43", _KIND, "ADT^A37"),
    FeedRule("ihe.feed.version", "AR", "MSH^1^12", "203",
             "Send one of the versions {expected}: {received} is not taken here.",
             "2.3, 2.3.1, 2.4, 2.5, 2.5.1", _KIND, "2.8"),
    FeedRule("ihe.feed.charset", "AE", "MSH^1^18", "103",
             "Name the character set of the message in MSH-18 and keep to it: {received} cannot be read.",
             "a character set of HL7 table 0211 other than UTF-16 and UTF-32", "HL7 v2.5 2.15.9.18", "UNICODE UTF-16"),
    FeedRule("ihe.feed.segment", "AE", "PID^1", "100",
             "Send the PID segment of the patient.",
             "MSH, EVN, PID", _FEED, "a message without PID"),
    FeedRule("ihe.feed.segment.merge", "AE", "MRG^1", "100",
             "Send the MRG segment with the identifier that is merged.",
             "MSH, EVN, PID, MRG", _MERGE, "A40 without MRG"),
    FeedRule("ihe.feed.segment.link", "AE", "MRG^1", "100",
             "Send the MRG segment with the patient that the local identifier belonged to.",
             "MSH, EVN, PID, MRG", _LINK, "A43 without MRG"),
    # links that change
    FeedRule("ihe.feed.link.one", "AE", "MRG^1", "100",
             "Change one link in each message: {received} were sent.",
             "one PID and one MRG", _LINK, "A43 with two pairs of PID and MRG"),
    FeedRule("ihe.feed.link.patients", "AE", "PID^1^3", "101",
             "Send the patient of this domain and then the local identifier in PID-3: {received} came.",
             "two identifiers", "ITI TF-2 3.64.4.1.2.3", "A43 with the local identifier alone"),
    FeedRule("ihe.feed.link.previous", "AE", "MRG^1^1", "101",
             "Send the previous patient in MRG-1, and after it a local identifier that was merged: {received} came.",
             "one or two identifiers", "ITI TF-2 3.64.4.1.2.4", "A43 with an empty MRG-1"),
    FeedRule("ihe.feed.link.new.authority", "AE", "PID^1^3^1^4", "204",
             "Begin PID-3 with the patient of this domain, an identifier of {expected}: {received} came.",
             "an assigning authority of this domain, as OID or as a name that is configured", "ITI TF-2 3.64.4.1.2.3",
             "A43 with the local identifier first"),
    FeedRule("ihe.feed.link.previous.authority", "AE", "MRG^1^1^1^4", "204",
             "Begin MRG-1 with the previous patient, an identifier of {expected}: {received} came.",
             "the assigning authority of the new patient", "ITI TF-2 3.64.4.1.2.4",
             "A43 with the local identifier alone in MRG-1"),
    FeedRule("ihe.feed.link.local", "AE", "PID^1^3^2^4", "204",
             "Give the local identifier in PID-3 an assigning authority with an OID: {received} came.",
             "an OID, or a name that is configured", "ITI TF-2 3.64.4.1.2.3",
             "A43 whose local identifier has a name only"),
    FeedRule("ihe.feed.link.subsumed", "AE", "MRG^1^1^2^4", "204",
             "Give the merged local identifier in MRG-1 an assigning authority with an OID: {received} came.",
             "an OID, or a name that is configured", "ITI TF-2 3.64.4.1.2.4",
             "A43 whose merged local identifier has a name only"),
    FeedRule("ihe.feed.link.same", "AE", "MRG^1^1", "204",
             "Say what has changed: {received} is the new and the previous patient, and nothing local was merged.",
             "another patient, or another local identifier", "ITI TF-2 3.64.4.1.2.4",
             "A43 with the same patient and nothing merged"),
    FeedRule("ihe.feed.link.new.unknown", "AE", "PID^1^3", "204",
             "Register {received} before a local identifier is linked to it: it is not known.",
             "an identifier that is known", "ITI TF-2 3.64.4.1.3", "A43 to a patient that was never fed"),
    FeedRule("ihe.feed.link.new.merged", "AE", "PID^1^3", "204",
             "Link the local identifier to {expected}: {received} was merged into it.",
             "an identifier that is active", "ITI TF-2 3.8.4.2.4", "A43 to a patient who was merged"),
    FeedRule("ihe.feed.link.previous.merged", "AE", "MRG^1^1", "204",
             "Name {expected} as the previous patient: {received} was merged into it.",
             "an identifier that is active", "ITI TF-2 3.8.4.2.4", "A43 from a patient who was merged"),
    FeedRule("ihe.feed.link.sender", "AE", "MSH^1^3", "101",
             "Name the sending application by its OID in MSH-3, or have one configured here: {received} came.",
             "an OID, which becomes sourceId of the submission set", "ITI TF-2 3.64.4.1.2.1",
             "A43 from an application without an OID"),
    FeedRule("ihe.feed.size", "AR", "", "207",
             "Send a shorter message: the limit is {expected}; the connection is closed.",
             "a message within the limit", _KIND, "a message with a document in it"),
    # an administrator; no message undoes a merge
    FeedRule("ihe.feed.unmerge", "AE", "PID^1^3", "204",
             "Leave {received} as it is: it was not merged into another one.",
             "an identifier that was merged", _MERGE, "undoing a merge twice"),
)  # fmt: skip

# What only a message of ITI-44 can break: XPath and code are its own
V3_RULES: Final = (
    FeedRule("ihe.feed.v3.access", "AR", "", "NS200",
             "Send this with a role that may tell who the patients are: yours may not.",
             "an assertion with such a role, for no single patient", _WRAPPER, "a role that may only read"),
    FeedRule("ihe.feed.v3.interaction", "AE", "interactionId | controlActProcess/code", "SYN103",
             "Let interactionId and the code of controlActProcess name the message that they are in: {received} is in "
             "{expected}.",
             "the name of the root element, and its trigger event", _WRAPPER,
             "PRPA_IN201302UV02 in a PRPA_IN201301UV02"),
    FeedRule("ihe.feed.v3.mode", "AE", "processingModeCode", "NS250",
             "Send messages for current processing: processingModeCode {received} is not taken here.",
             "T", _WRAPPER, "A, an archive"),
    FeedRule("ihe.feed.v3.receiver", "AE", "receiver/device", "SYN110",
             "Send each message to one receiver: {received} are named.",
             "one receiver with one device", _WRAPPER, "two receivers"),
    FeedRule("ihe.feed.v3.subject", "AE", f"{_EVENT}/subject1/patient", "SYN110",
             "Tell of one patient in each message: there are {received}.",
             "one controlActProcess, one subject, one registrationEvent and one patient", _FEED, "two subjects"),
    FeedRule("ihe.feed.v3.status", "AE", f"{_EVENT}/statusCode | {_EVENT}/subject1/patient/statusCode", "SYN103",
             "Send statusCode {expected}: {received} is not taken here.",
             "active, of a priorRegistration obsolete", _WRAPPER, "a patient whose status is nullified"),
    FeedRule("ihe.feed.v3.replaces", "AE", f"{_EVENT}/replacementOf", "SYN110",
             "Send a merge as PRPA_IN201304UV02: {received} has a replacementOf.",
             "no replacementOf", _WRAPPER, "PRPA_IN201301UV02 with a replacementOf"),
    FeedRule("ihe.feed.v3.replacement", "AE", f"{_PRIOR}/subject1/priorRegisteredRole/id", "SYN100",
             "Send the identifier that is merged, in replacementOf/priorRegistration/subject1/priorRegisteredRole/id.",
             "one replacementOf with one priorRegisteredRole and one id", _MERGE,
             "PRPA_IN201304UV02 without replacementOf"),
)  # fmt: skip

# What both can break
SHARED_RULES: Final = (
    FeedRule("ihe.feed.controlId", "AR", "MSH^1^10", "101",
             "Give the message an id of its own in {id}.",
             "an id of at most 256 characters", _KIND, "an empty MSH-10, or no id"),
    # identifiers
    FeedRule("ihe.feed.patient", "AE", "PID^1^3", "101",
             "Send an identifier of {expected} in {patient}.",
             "an assigning authority of this domain, as OID or as a name that is configured", _FEED,
             "the identifier of another authority alone"),
    FeedRule("ihe.feed.authority", "AE", "PID^1^3^1^4", "204",
             "Let the parts of the assigning authority agree: {received} is configured as {expected}.",
             "the OID that belongs to the name", _FEED, "a name of one authority with the OID of another"),
    FeedRule("ihe.feed.patient.merged", "AE", "PID^1^3", "204",
             "Use the surviving identifier {expected}: {received} was merged into it.",
             "an identifier that is active", _FEED, "A01 of a merged patient"),
    # merges
    FeedRule("ihe.feed.merge.one", "AE", "MRG^1^1", "100",
             "Merge one identifier into one other in each message: {received} were sent.",
             "one patient and one other that is merged into it, each with one identifier of the domain", _MERGE,
             "A40 with two pairs"),
    FeedRule("ihe.feed.merge.authority", "AE", "MRG^1^1", "204",
             "Send an identifier of {expected} in {subsumed}.",
             "the assigning authority of the surviving identifier", _MERGE,
             "an identifier of another authority that is merged"),
    FeedRule("ihe.feed.merge.itself", "AE", "MRG^1^1", "204",
             "Merge {received} into another identifier: {patient} and {subsumed} are the same.",
             "two identifiers", _MERGE, "A40 of a patient with itself"),
    FeedRule("ihe.feed.merge.subsumed.unknown", "AE", "MRG^1^1", "204",
             "Register {received} before it is merged: it is not known.",
             "an identifier that is known", _MERGE, "A40 of a patient that was never fed"),
    FeedRule("ihe.feed.merge.subsumed.merged", "AE", "MRG^1^1", "204",
             "Leave {received} out: it was merged into {expected} already.",
             "an identifier that is active", _MERGE, "A40 of a patient for the second time"),
    FeedRule("ihe.feed.merge.surviving.unknown", "AE", "PID^1^3", "204",
             "Register {received} before another one is merged into it: it is not known.",
             "an identifier that is known", _MERGE, "A40 into a patient that was never fed"),
    FeedRule("ihe.feed.merge.surviving.merged", "AE", "PID^1^3", "204",
             "Merge into {expected}: {received} was merged into it.",
             "an identifier that is active", _MERGE, "A40 into a merged patient"),
    # the service
    FeedRule("ihe.feed.busy", "AR", "", "207",
             "Send the same message again later: nothing of it was kept.",
             "a free moment, and room on the disk", _KIND, "a full disk"),
    FeedRule("ihe.feed.failed", "AR", "", "207",
             "Tell the operator of this registry: it failed, and its log says why; nothing of the message was kept.",
             "an answer", _KIND, "a fault of the gateway"),
)  # fmt: skip

RULES: Final = (*V2_RULES, *SHARED_RULES, *V3_RULES)
BY_ID: Final[Mapping[str, FeedRule]] = {rule.id: rule for rule in RULES}
_ONLY_V3: Final = frozenset(rule.id for rule in V3_RULES)


def problem(
    rule_id: str, *, received: str = "", expected: str | None = None, transaction: FeedTransaction = "ITI-8"
) -> FeedProblem:
    """The problem that a broken rule is, in the words of a transaction. Raises KeyError for an id that has no row."""
    rule = BY_ID[rule_id]
    told = received[:_QUOTED] or "nothing"
    wanted = (expected or rule.expected)[: 2 * _QUOTED]
    location, code, words = rule.location, AckCode(rule.code), WORDS
    if transaction == "ITI-44":
        words = V3_WORDS
        if rule_id not in _ONLY_V3:
            location, code = PLACES[location], V3_CODES[rule.code]
    return FeedProblem(
        code=code,
        rule=rule.id,
        sentence=rule.sentence.format(received=told, expected=wanted, **words),
        attribute=location or None,
        received=received[:_QUOTED] or None,
        expected=wanted,
        clause=rule.clause,
        acknowledgment=rule.acknowledgment,
        location=location,
    )
