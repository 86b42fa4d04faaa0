"""TLS of one listener in one process: its files, read again when they change (RFC 9325, ITI TF-2 3.19.6)."""

import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from ..security.revocation import (
    RevocationList,
    RevocationListRefused,
    RevocationLists,
    parse_revocation_lists,
    verify_revocation_list,
)
from ..security.trust import ClientTrust, fingerprint, parse_certificates, readable, validities
from .alerts import SecureContext
from .live_files import Ending, LiveFiles, Unusable

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-RSA-AES256-SHA384"  # the last for TLS 1.2 senders of the DMP


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files of a listener: certificate and key are PEM, the others PEM or DER.

    Without `certificate` the listener is plain, without `asks` TLS asks nobody for a certificate. `client_ca` is None
    where no authority is trusted, `pinned` are certificates of clients, `fingerprints` those of others.
    """

    certificate: Path | None
    key: Path | None
    asks: bool
    client_ca: Path | None
    pinned: tuple[Path, ...] = ()
    fingerprints: frozenset[str] = frozenset()
    crls: tuple[Path, ...] = ()
    whom: Literal["authorities", "pinned", "either"] = "authorities"
    revocation: Literal["hard", "soft"] = "hard"

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return tuple(filter(None, (self.certificate, self.key, self.client_ca, *self.pinned, *self.crls)))


class Tls(NamedTuple):
    """What the files of a listener say together; without a context the listener is plain."""

    context: ssl.SSLContext | None
    trust: ClientTrust
    endings: tuple[Ending, ...]


class TlsUnusable(Unusable):
    """Files of a listener that cannot be used; the text names the file."""


def load_tls(files: TlsFiles) -> Tls:
    """Read all files of a listener. Raises TlsUnusable, which names the first that cannot be used."""
    authorities = _certificates([files.client_ca] if files.client_ca else ())
    pinned = _certificates(files.pinned)
    readable_authorities = tuple(readable([each for _, each in authorities]))
    lists = tuple(_lists(files.crls, readable_authorities))
    trust = ClientTrust(
        authorities=readable_authorities,
        pinned=files.fingerprints | {fingerprint(each) for _, each in pinned},
        whom=files.whom,
        lists=RevocationLists([each for _, each in lists]) if files.crls else None,
        revocation=files.revocation,
    )
    context = _context(files, [each for _, each in (*authorities, *pinned)])
    return Tls(context, trust, tuple(_endings(files, authorities, pinned, lists)))


def _context(files: TlsFiles, trusted: Sequence[bytes]) -> ssl.SSLContext | None:
    """TLS 1.2 or 1.3 with forward secrecy."""
    if files.certificate is None:
        return None
    context = SecureContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(_CIPHERS)
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as wrong:
        raise TlsUnusable(f"{files.certificate} and {files.key} cannot be used together ({_told(wrong)})") from wrong
    if files.asks:
        try:
            context.load_verify_locations(cadata=b"".join(trusted))
        except ssl.SSLError as wrong:
            raise TlsUnusable(f"the certificates of {_named(files)} cannot be read ({_told(wrong)})") from wrong
        context.verify_mode = ssl.CERT_REQUIRED
        if files.pinned:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned certificate is trusted without its issuer
    return context


def _named(files: TlsFiles) -> str:
    return ", ".join(map(str, filter(None, (files.client_ca, *files.pinned))))


def _no_password() -> str:
    raise ValueError("the key has a password: store it without one")  # OpenSSL would ask for it at a terminal


def _certificates(paths: Iterable[Path]) -> list[tuple[Path, bytes]]:
    found: list[tuple[Path, bytes]] = []
    for path in paths:
        try:
            found += [(path, each) for each in parse_certificates(path.read_bytes())]
        except (OSError, ValueError) as wrong:
            raise TlsUnusable(f"{path} cannot be used ({_told(wrong)})") from wrong
    return found


def _lists(paths: Iterable[Path], authorities: Sequence[object]) -> Iterator[tuple[Path, RevocationList]]:
    for path in paths:
        try:
            for crl in parse_revocation_lists(path.read_bytes()):
                yield path, verify_revocation_list(crl, authorities)  # type: ignore[arg-type]
        except (OSError, RevocationListRefused) as wrong:
            raise TlsUnusable(f"{path} cannot be used ({_told(wrong)})") from wrong


def _told(wrong: Exception) -> str:
    return wrong.strerror or str(wrong) if isinstance(wrong, OSError) else str(wrong)


def _endings(
    files: TlsFiles,
    authorities: Sequence[tuple[Path, bytes]],
    pinned: Sequence[tuple[Path, bytes]],
    lists: Sequence[tuple[Path, RevocationList]],
) -> Iterator[Ending]:
    own = _certificates([files.certificate] if files.certificate else ())
    for what, certificates in (("certificate", own), ("authority", authorities), ("pinned certificate", pinned)):
        for path, certificate in certificates:
            for subject, until in validities([certificate]):
                yield Ending(what, path, subject, until)  # type: ignore[arg-type]
    for path, each in lists:
        yield Ending("revocation list", path, each.issuer.rfc4514_string(), each.next_update)


LiveTls = LiveFiles[Tls]


def live_tls(place: str, files: TlsFiles) -> LiveTls:
    """The TLS of one listener as its files have it now; `place` names the listener's table. Raises TlsUnusable."""
    return LiveTls("TLS files", place, files.paths, lambda: load_tls(files))
