"""Rules of patient identity feeds: why a message is refused, and how its acknowledgment says so (ITI TF-2 3.8, 3.64).

docs/divergences.md says which of these rules are choices; docs/feed-patients.md shows them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..model.feeds import FeedProblem


class FeedRule(NamedTuple):
    """One row: MSA-1, ERR-2 and ERR-3 (HL7 table 0357) of the acknowledgment, and what to do."""

    id: str
    acknowledgment: str
    location: str
    code: str
    sentence: str
    expected: str
    clause: str
    example: str


_QUOTED: Final = 128  # characters of a received value in a sentence
_KIND: Final = "HL7 v2.5 2.9.2; ITI TF-2 3.8.4.1.3"
_FEED: Final = "ITI TF-2 3.8.4.1"
_MERGE: Final = "ITI TF-2 3.8.4.2"
_LINK: Final = "ITI TF-2 3.64.4.1.2"

RULES: Final = (
    # the message
    FeedRule("ihe.feed.header", "AR", "MSH^1", "100",
             "Begin the message with MSH and five different separators.",
             "MSH|^~\\&", _KIND, "a message that begins with PID"),
    FeedRule("ihe.feed.controlId", "AR", "MSH^1^10", "101",
             "Give the message an id of its own in MSH-10.",
             "a message control id", _KIND, "an empty MSH-10"),
    FeedRule("ihe.feed.type", "AR", "MSH^1^9^1^1", "200",
             "Send ADT messages to this port: {received} is not taken here.",
             "ADT", _KIND, "ORU^R01"),
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
    # identifiers
    FeedRule("ihe.feed.patient", "AE", "PID^1^3", "101",
             "Send an identifier of {expected} in PID-3.",
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
             "one PID and one MRG, each with one identifier of the domain", _MERGE, "A40 with two pairs"),
    FeedRule("ihe.feed.merge.authority", "AE", "MRG^1^1", "204",
             "Send an identifier of {expected} in MRG-1.",
             "the assigning authority of PID-3", _MERGE, "the identifier of another authority in MRG-1"),
    FeedRule("ihe.feed.merge.itself", "AE", "MRG^1^1", "204",
             "Merge {received} into another identifier: PID-3 and MRG-1 are the same.",
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
    # an administrator; no message undoes a merge
    FeedRule("ihe.feed.unmerge", "AE", "PID^1^3", "204",
             "Leave {received} as it is: it was not merged into another one.",
             "an identifier that was merged", _MERGE, "undoing a merge twice"),
    # the service
    FeedRule("ihe.feed.size", "AR", "", "207",
             "Send a shorter message: the limit is {expected}; the connection is closed.",
             "a message within the limit", _KIND, "a message with a document in it"),
    FeedRule("ihe.feed.busy", "AR", "", "207",
             "Send the same message again later: nothing of it was kept.",
             "a free moment, and room on the disk", _KIND, "a full disk"),
    FeedRule("ihe.feed.failed", "AR", "", "207",
             "Tell the operator of this registry: it failed, and its log says why; nothing of the message was kept.",
             "an answer", _KIND, "a fault of the gateway"),
)  # fmt: skip

BY_ID: Final[Mapping[str, FeedRule]] = {rule.id: rule for rule in RULES}


def problem(rule_id: str, *, received: str = "", expected: str | None = None) -> FeedProblem:
    """The problem that a broken rule is. Raises KeyError for an id that has no row."""
    rule = BY_ID[rule_id]
    told = received[:_QUOTED] or "nothing"
    sentence = rule.sentence.format(received=told, expected=(expected or rule.expected)[: 2 * _QUOTED])
    return FeedProblem(rule.id, rule.acknowledgment, rule.location, rule.code, sentence)
