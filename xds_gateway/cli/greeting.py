"""What `xds-gateway serve` says when it serves: endpoints, and lines for another terminal that work as they stand."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from .. import __version__
from ..config import LoadedSettings, Settings, describe
from ..pki import Pki, pki_in

if TYPE_CHECKING:
    from .examples import Examples

_TLS: Final = {"mutual": "mutual TLS", "server": "TLS, no client certificate", "off": "plain HTTP"}
_DEFAULT_KEYS: Final = Path("var/pki")


def greeting(served: Settings, settings: LoadedSettings, config: Path | None) -> Text:
    """The text; examples only where throw-away keys lie beside the gateway's, that is on no production machine."""
    text = Text.assemble((f"xds-gateway {__version__} serves", "bold green"), f" with {_count(served.workers)}\n\n")
    for mount in served.mounts:
        for actor, transactions in (("registry", "ITI-18, ITI-42"), ("repository", "ITI-41, ITI-43")):
            text.append(f"  {actor:<11} ", "dim").append(f"{served.public_url}{mount.path}/{actor}", "bold")
            text.append(f"  {transactions}; contract at ?wsdl\n", "dim")
    listening = ", ".join(f"{listener.url} ({_TLS[listener.tls]})" for listener in served.listeners)
    text.append("  listens on  ", "dim").append(f"{listening}\n")
    text.append("  data        ", "dim").append(f"{served.data_folder}\n")
    keys = pki_in(served.listeners[0].client_ca.parent)
    if keys.client_key.is_file():
        from .examples import write_examples

        url = served.public_url + served.mounts[0].path
        try:
            made = write_examples(keys.ca.parent / "examples", url)
        except OSError:  # a folder that is not ours to write: lines without files still work
            made = None
        for line in _lines(url, keys, made, _where(url, keys, settings, config)):
            text.append(line + "\n", "dim" if line.startswith("#") else "")
    text.append("\nCtrl-C ends it; running requests are finished first.", "dim")
    return text


def _count(workers: int) -> str:
    return f"{workers} worker process{'es' if workers > 1 else ''} (process {os.getpid()})"


def _lines(url: str, keys: Pki, made: "Examples | None", where: str) -> Iterator[str]:
    program = program_line()
    yield "\n# In another terminal, in this folder:"
    if made:
        patient = shlex.quote(made.patient_id)
        yield f"{program} submit {_path(made.document)} --patient {patient}{where}"
        yield f"{program} find --patient {patient}{where}"
        yield f"{program} get ID --output copy.xml{where}"
    tls = _curl_tls(url, keys)
    yield "\n# The same with curl, raw bytes in files:"
    yield f"curl{tls} '{url}/registry?wsdl'"
    if made:
        yield f"curl{tls} -H '{made.provide_type}' --data-binary @{_path(made.provide)} {url}/repository"
        yield f"curl{tls} -H '{made.find_type}' --data-binary @{_path(made.find)} {url}/registry"
    yield "\n# And with Python:"
    yield "from pathlib import Path"
    yield "from xds_gateway.client import Gateway, read_document"
    files = ""
    if url.startswith("https:"):
        yield f'keys = Path("{_path(keys.ca.parent)}")'
        files = ', certificate=keys / "client.crt", key=keys / "client.key", ca=keys / "ca.crt"'
    yield f'gateway = Gateway("{url}/registry", "{url}/repository"{files})'
    if made:
        yield f'document = read_document(Path("{_path(made.document)}"))'
        yield f'gateway.submit(document, patient_id="{made.patient_id}", source_id="2.25.1")'
        yield f'for entry in gateway.find("{made.patient_id}"): print(entry.title, entry.entry_uuid)'


def _curl_tls(url: str, keys: Pki) -> str:
    if not url.startswith("https:"):
        return ""
    files = (("--cacert", keys.ca), ("--cert", keys.client_certificate), ("--key", keys.client_key))
    return "".join(f" {option} {_path(path)}" for option, path in files)


def _where(url: str, keys: Pki, settings: LoadedSettings, config: Path | None) -> str:
    """Options that a client in another terminal needs to find this gateway: none, the file, or each by itself."""
    from_environment = any(row.source.startswith("environment") for row in describe(settings))
    free_port = settings.listeners[0].port == 0
    if not (from_environment or free_port):
        return f" --config {_path(config)}" if config else ""
    where = f" --url {url}"
    if url.startswith("https:") and keys != pki_in(_DEFAULT_KEYS):
        files = (("--cert", keys.client_certificate), ("--key", keys.client_key), ("--ca", keys.ca))
        where += "".join(f" {option} {_path(path)}" for option, path in files)
    return where


def program_line() -> str:
    """How to call this program from a shell in this folder."""
    called = Path(sys.argv[0])
    if called.name != "xds-gateway":
        return f"{_path(Path(sys.executable))} -m xds_gateway"
    found = shutil.which(called.name)
    return called.name if found and Path(found).resolve() == called.resolve() else _path(called)


def _path(path: Path) -> str:
    """A path for a shell, relative where it lies below the working folder."""
    absolute = Path(os.path.abspath(path))  # links stay: the interpreter of a virtual environment is one
    below = absolute.is_relative_to(Path.cwd())
    return shlex.quote(str(absolute.relative_to(Path.cwd()) if below else absolute))
