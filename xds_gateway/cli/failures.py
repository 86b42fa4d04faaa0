"""How a command fails: one kind, one exit status, sentences that say what to do."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple


class Status(IntEnum):
    """Exit statuses of every command."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    INTERRUPTED = 130


MEANINGS: Final = {
    Status.DONE: "done; for `serve`: ended by Ctrl-C or SIGTERM",
    Status.REFUSED: "the gateway refused the request, or something did not go as it should",
    Status.USAGE: "the command line, a file, the metadata or the configuration is wrong; nothing was sent",
    Status.UNREACHABLE: "no gateway answered: no connection, TLS refused, no answer in time, or another server's",
    Status.NOT_FOUND: "the document that was named is not there, or not for this caller",
    Status.INTERRUPTED: "interrupted by Ctrl-C (but `serve`: 0)",
}


#   kind                  exit status          meaning
KINDS: Final = {
    "usage": (Status.USAGE, "the command line or a file that it names"),
    "configuration": (Status.USAGE, "the settings, or what they name: keys, folders, ports, the database"),
    "exists": (Status.USAGE, "keys are there already and `--force` was not said"),
    "not_cda": (Status.USAGE, "a file that should be CDA is not"),
    "key": (Status.USAGE, "the key that signs assertions could not be used"),
    "incomplete_metadata": (Status.USAGE, "required attributes are not known"),
    "refused": (Status.REFUSED, "a RegistryErrorList; `errors` are its errors"),
    "fault": (Status.REFUSED, "a SOAP fault"),
    "damaged": (Status.REFUSED, "a document came back with another size or hash than its entry says"),
    "start": (Status.REFUSED, "the gateway of the demonstration did not start"),
    "unreachable": (Status.UNREACHABLE, "no connection, or it was cut"),
    "timed_out": (Status.UNREACHABLE, "no answer in time; the work may have been done"),
    "tls_refused": (Status.UNREACHABLE, "one side did not accept the other's certificate"),
    "unexpected_answer": (Status.UNREACHABLE, "an answer, and not one of a gateway"),
    "not_found": (Status.NOT_FOUND, "a document that is not there"),
}


class Explained(NamedTuple):
    """One error of a RegistryErrorList taken apart (docs/errors.md); `sentence` is all that others tell."""

    code: str
    severity: str
    sentence: str
    rule: str | None = None
    object: str | None = None
    attribute: str | None = None
    received: str | None = None
    expected: str | None = None
    clause: str | None = None
    hint: str | None = None


class CommandFailed(Exception):
    """A command cannot do what was asked. `kind` is one of KINDS, for programs; `sentences` are for people."""

    def __init__(self, kind: str, *sentences: str, errors: Sequence[Explained] = ()) -> None:
        super().__init__(" ".join(sentences))
        self.kind = kind
        self.status, _ = KINDS[kind]
        self.sentences = sentences
        self.errors = tuple(errors)

    def as_json(self) -> dict[str, Any]:
        """What `--json` writes to standard error."""
        return {
            "error": {
                "kind": self.kind,
                "exit_status": int(self.status),
                "messages": list(self.sentences),
                "errors": [error._asdict() for error in self.errors],
            }
        }
