"""`xds-gateway pki`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from ..pki import LOCAL_HOSTS, P12_PASSWORD, PkiExists, make_pki
from .console import as_plain, output, print_json
from .failures import CommandFailed

KEYS: Final = {
    "folder": "where the files are",
    "hosts": "names and addresses of the server certificate",
    "files": "object of paths: ca, ca_p12, server_certificate, server_key, client_certificate, client_key, "
    "client_p12, signer_certificate, signer_key, issuer_certificate, issuer_key, assertion_profile, "
    "revoked_certificate, revoked_key, crl, audit_key",
    "p12_password": "password of the .p12 files",
}

_MEANINGS: Final = (
    ("ca.crt, ca.p12", "the authority of them all; its key was not kept"),
    ("server.crt, server.key", "the gateway"),
    ("client.crt, client.key, client.p12", "practice software"),
    ("signer.crt, signer.key", "signs submission sets"),
    ("issuer.crt, issuer.key", "signs assertions"),
    ("assertion.toml", "what they say: a profile for clients of the command line and the SDK"),
    ("revoked.crt, revoked.key", "a client that was taken back"),
    ("ca.crl", "the revocation list that says so"),
    ("audit.key", "signs the audit's anchors (audit.anchor_key)"),
)


def pki(folder: Path, hosts: tuple[str, ...], *, force: bool, as_json: bool) -> None:
    """Make the keys and tell where they are."""
    named = hosts or LOCAL_HOSTS
    try:
        made = make_pki(folder, now=datetime.now(UTC), hosts=named, force=force)
    except PkiExists as there:
        raise CommandFailed(
            "exists",
            f"{there.path} exists already, nothing was changed: say --force, or another --folder.",
        ) from there
    except OSError as failure:
        raise CommandFailed(
            "usage", f"{folder} cannot be written ({failure.strerror}): say another --folder."
        ) from failure
    if as_json:
        files = as_plain(made)
        print_json({"folder": folder, "hosts": named, "files": files, "p12_password": P12_PASSWORD})
        return
    console = output()
    console.print(f"Throw-away keys in {folder}, for {', '.join(named)}; never for production.\n", soft_wrap=True)
    table = Table.grid(padding=(0, 3, 0, 2))
    for names, meaning in _MEANINGS:
        table.add_row(names, meaning)
    console.print(table)
    console.print(f"\nThe password of the .p12 files is {P12_PASSWORD}.")
