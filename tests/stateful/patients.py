"""Patients: a feed makes them known and merges them, an administrator undoes a merge (docs/feed-patients.md).

Each merge is kept as it was told, one patient into another, and who stands for whom is found by following them.
"""

from dataclasses import dataclass, field

from xds_gateway.model.feeds import FeedMessage


@dataclass
class People:
    """Who is known, into whom each merged patient was merged, and the last accepted message of each id."""

    known: set[str] = field(default_factory=set)
    into: dict[str, str] = field(default_factory=dict)
    received: dict[str, FeedMessage] = field(default_factory=dict)  # by MSH-10: there is one sender

    def survivor(self, patient: str) -> str:
        """Who stands for a patient at the end of all merges; itself when it was not merged."""
        while patient in self.into:
            patient = self.into[patient]
        return patient

    def active(self, patient: str) -> bool:
        """Known, and not merged into another one."""
        return patient in self.known and patient not in self.into

    def merge(self, subsumed: str, surviving: str) -> bool:
        """Let one stand for the other: both are active and not the same (3.8.4.2)."""
        if subsumed == surviving or not (self.active(subsumed) and self.active(surviving)):
            return False
        self.into[subsumed] = surviving
        return True

    def unmerge(self, patient: str) -> bool:
        """Only the merge of this one ends: whoever was merged into it stays so."""
        return self.into.pop(patient, None) is not None


def feed(people: People, message: FeedMessage) -> str:
    """Take a message; MSA-1 of its acknowledgment."""
    header = message.header
    if people.received.get(header.control_id) == message:
        return "AA"
    patient = cx(message.patients[0].id)
    if header.event == "A40":
        done = people.merge(cx(message.subsumed[0].id), patient)
    else:
        done = header.event == "A08" or patient not in people.into
    if not done:
        return "AE"
    if header.event in ("A01", "A04", "A05"):
        people.known.add(patient)
    people.received[header.control_id] = message
    return "AA"


AUTHORITY = "1.3.6.1.4.1.21367.13.20.3000"


def cx(name: str) -> str:
    """A patient as metadata name it."""
    return f"{name}^^^&{AUTHORITY}&ISO"
