"""From options to a gateway, and from what its client raises to how a command fails."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from ..client import (
    AssertionSource,
    Damaged,
    Fault,
    Gateway,
    GatewayClientError,
    IncompleteMetadata,
    InvalidQuery,
    KeyUnavailable,
    Misconfigured,
    NotACdaDocument,
    NotFound,
    Refused,
    RegistryError,
    TimedOut,
    TlsRefused,
    UnexpectedAnswer,
    Unreachable,
    parse_code,
    read_assertion_profile,
)
from ..client.queries import QUERIES_BY_NAME
from ..client.query_texts import patient_text
from ..codec.findings import parse_code_context
from ..config import Settings
from ..model.principal import Coded
from ..pki import pki_in
from .config import read_settings
from .failures import CommandFailed, Explained
from .options import ConnectionOptions

JOURNALED: Final = "The work may have been done: the same command again sends the same ids."
LOOK_FIRST: Final = "The change may have been made: look, with `xds-gateway history`, before you try again."
NOTHING_CHANGED: Final = "Nothing was changed."
_CONNECT_SECONDS: Final = 10.0
_CX: Final = re.compile(r"[^\^&]+\^\^\^[^\^&]*&[0-9.]+&ISO(?:\^.*)?")
_UUID: Final = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)

# what the SDK raises, and the kind of failure that it is; the nearest class counts
KINDS_OF_ERRORS: Final = {
    Misconfigured: "usage",
    KeyUnavailable: "key",
    InvalidQuery: "usage",
    NotFound: "not_found",
    NotACdaDocument: "not_cda",
    IncompleteMetadata: "incomplete_metadata",
    Unreachable: "unreachable",
    TimedOut: "timed_out",
    TlsRefused: "tls_refused",
    UnexpectedAnswer: "unexpected_answer",
    Fault: "fault",
    Refused: "refused",
    Damaged: "damaged",
}


_EVIDENCE: Final = set(Explained._fields) - {"code", "severity"}


class Destination(NamedTuple):
    """Endpoints of a gateway, and the PEM files to reach it with."""

    registry_url: str
    repository_url: str
    certificate: Path | None
    key: Path | None
    ca: Path | None
    assertion: Path | None = None  # a profile


def destination(options: ConnectionOptions, settings: Settings) -> Destination:
    """Where to: options first, then what the settings of a gateway on this machine tell."""
    url = (options.url or settings.public_url + settings.mounts[0].path).rstrip("/")
    registry_url, repository_url = (
        options.registry_url or f"{url}/registry",
        options.repository_url or f"{url}/repository",
    )
    if not (registry_url.startswith("https:") or repository_url.startswith("https:")):
        return Destination(registry_url, repository_url, options.cert, options.key, options.ca, options.assertion)
    keys = pki_in(settings.listeners[0].client_ca.parent)
    own = options.cert is None
    return Destination(
        registry_url,
        repository_url,
        options.cert or _existing(keys.client_certificate),
        options.key or (_existing(keys.client_key) if own else None),
        options.ca or _existing(keys.ca),
        options.assertion or (_existing(keys.assertion_profile) if own else None),
    )


def assertion_source(to: Destination, purpose: str | None = None) -> AssertionSource | None:
    """Who signs the assertions of calls to there, None when nobody does. Raises what the SDK raises."""
    if to.assertion is None:
        if purpose:
            raise Misconfigured("--purpose needs an assertion: say its profile with --assertion")
        return None
    source = read_assertion_profile(to.assertion, client_certificate=to.certificate)
    return source.changed(purposes=[Coded(*parse_code(purpose))]) if purpose else source


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


@contextmanager
def connected(
    options: ConnectionOptions,
    *,
    journal: Path | None = None,
    transferred: Callable[[int], None] = lambda size: None,
    unsure: str = JOURNALED,
) -> Iterator[Gateway]:
    """A client of the gateway that the options name; what it raises fails the command.

    `unsure` is the advice for an answer that does not come.
    """
    to = destination(options, read_settings(options.config))
    with failing_well(to, unsure):
        gateway = Gateway(
            to.registry_url,
            to.repository_url,
            certificate=to.certificate,
            key=to.key,
            ca=to.ca,
            assertion=assertion_source(to, options.purpose),
            timeout=(min(_CONNECT_SECONDS, options.timeout), options.timeout),
            journal=journal,
            transferred=transferred,
        )
        with gateway:
            yield gateway


@contextmanager
def failing_well(to: Destination | None = None, unsure: str = JOURNALED) -> Iterator[None]:
    """Turn what the SDK raises into a failure of the command, with advice."""
    try:
        yield
    except GatewayClientError as error:
        raise failure_of(error, to, unsure) from error


def failure_of(error: GatewayClientError, to: Destination | None = None, unsure: str = JOURNALED) -> CommandFailed:
    """The failure of a command that an error of the SDK means."""
    kind = next(KINDS_OF_ERRORS[each] for each in type(error).__mro__ if each in KINDS_OF_ERRORS)
    sentences = [*_sentences(error), *_advice(error, to, unsure), *getattr(error, "__notes__", ())]
    return CommandFailed(kind, *sentences, errors=explain(error.errors) if isinstance(error, Refused) else ())


def _sentences(error: GatewayClientError) -> tuple[str, ...]:
    """What went wrong; each mistake of a query is a sentence of its own."""
    if isinstance(error, InvalidQuery):
        return tuple(map(_as_sentence, error.problems))
    return (_sentence(error),)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith("?") else ".")


def _sentence(error: GatewayClientError) -> str:
    if isinstance(error, Refused):
        number = len(error.errors)
        return f"The gateway refused the request: {number} error{'' if number == 1 else 's'}."
    if isinstance(error, Fault):
        return f"The gateway could not process the message, {error}"
    if isinstance(error, IncompleteMetadata):
        return "; ".join(f"{document} lacks {', '.join(names)}" for document, names in error.missing) + "."
    if isinstance(error, NotFound):
        return _as_sentence(str(error))
    return f"No answer from {error}" if isinstance(error, Unreachable) else str(error)


def _advice(error: GatewayClientError, to: Destination | None, unsure: str) -> Iterator[str]:
    if isinstance(error, IncompleteMetadata):
        names = dict.fromkeys(name for _, missing in error.missing for name in missing)
        options = " ".join("--" + re.sub("_codes$", "_code", name).replace("_", "-") for name in names)
        yield f"Nothing was sent. Say them with {options}, or in a file with --metadata."
    elif isinstance(error, InvalidQuery):
        known = error.query in QUERIES_BY_NAME
        yield f"See `xds-gateway query{f' {error.query}' if known else ''}`."
    elif isinstance(error, TimedOut):
        yield f"{unsure} --timeout allows more time."
    elif isinstance(error, Unreachable):
        if not isinstance(error, TlsRefused):
            yield "Start one with `xds-gateway serve`, or say where it is with --url."
        if to is not None and error.url.startswith("https:"):
            shown, trusted = to.certificate or "no certificate", to.ca or "public authorities"
            yield f"Shown: {shown} (--cert, --key); trusted: {trusted} (--ca)."
    elif isinstance(error, UnexpectedAnswer):
        yield "Is this the address of a mount, as https://localhost:8443/services? Say it with --url."


def explain(errors: tuple[RegistryError, ...]) -> tuple[Explained, ...]:
    """Each error with its evidence, where the gateway gave any."""
    return tuple(map(_explained, errors))


def _explained(error: RegistryError) -> Explained:
    told = {name: value for name, value in parse_code_context(error.context).items() if name in _EVIDENCE}
    return Explained(**{"sentence": error.context, **told, "code": error.code, "severity": error.severity})


def patient_id(text: str | None, hint: str = "") -> str:
    """A patient as given. Raises CommandFailed for what is no CX with an assigning authority."""
    if text is None:
        raise CommandFailed("usage", f"Say which patient with --patient '42^^^&1.2.3&ISO' or --patient 42@1.2.3.{hint}")
    patient = patient_text(text)
    if not _CX.fullmatch(patient):
        raise CommandFailed(
            "usage",
            f"--patient is {text}: write identifier and assigning authority, as 42@1.2.3 or '42^^^&1.2.3&ISO', "
            "in quotes, because & means something to the shell.",
        )
    return patient


def identifier(text: str) -> str:
    """An entryUUID as URN, or a uniqueId as given."""
    uuid = _UUID.fullmatch(text.strip())
    return f"urn:uuid:{uuid[1].lower()}" if uuid else text.strip()


def identifiers(texts: Sequence[str]) -> list[str]:
    """The same of several, each once."""
    return list(dict.fromkeys(map(identifier, texts)))


def not_found(*identifiers: str) -> CommandFailed:
    """Documents that the registry does not know, or does not show to this caller."""
    return CommandFailed("not_found", *(f"There is no document {each} for this caller." for each in identifiers))


def folder_uuids(gateway: Gateway, texts: Sequence[str]) -> list[str]:
    """The entryUUIDs of folders named by entryUUID or uniqueId. Raises CommandFailed for one that is not there."""
    return [each if each.startswith("urn:uuid:") else gateway.folder(each).entry_uuid for each in identifiers(texts)]
