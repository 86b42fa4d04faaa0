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
from ..codec.transactions import ENDPOINTS, TRANSACTIONS
from ..config import LoadedSettings, Settings, describe
from ..pki import Pki, pki_in

if TYPE_CHECKING:
    from .examples import Examples

_TLS: Final = {"mutual": "mutual TLS", "server": "TLS, no client certificate", "off": "plain HTTP"}
_FEED_TLS: Final = {**_TLS, "off": "plain"}
_DEFAULT_KEYS: Final = Path("var/pki")


def greeting(served: Settings, settings: LoadedSettings, config: Path | None) -> Text:
    """The text; examples only where throw-away keys lie beside the gateway's, that is on no production machine."""
    text = Text.assemble((f"xds-gateway {__version__} serves", "bold green"), f" with {_count(served.workers)}\n\n")
    for mount in served.mounts:
        for endpoint in ENDPOINTS:
            transactions = ", ".join(dict.fromkeys(row.name for row in TRANSACTIONS if row.endpoint == endpoint))
            address = f"{served.public_url}{mount.path}/{endpoint}"
            text.append(f"  {endpoint:<11} ", "dim").append(address.ljust(45), "bold")
            text.append(f" {transactions}\n", "dim")
    for feed in served.feeds:
        text.append("  feed        ", "dim").append(feed.url.ljust(45), "bold")
        text.append(f" ITI-8 for domain {feed.domain} ({_FEED_TLS[feed.tls]})\n", "dim")
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
        users = served.mounts[0].assertions != "off" and keys.assertion_profile.is_file()
        for line in _lines(url, keys, made, _where(url, keys, settings, config, users=users), users=users):
            text.append(line + "\n", "dim" if line.startswith("#") else "")
    text.append("\nCtrl-C ends it; running requests are finished first.", "dim")
    return text


def _count(workers: int) -> str:
    return f"{workers} worker process{'es' if workers > 1 else ''} (process {os.getpid()})"


def _lines(url: str, keys: Pki, made: "Examples | None", where: str, *, users: bool) -> Iterator[str]:
    yield "\n# In another terminal, in this folder:"
    yield from _command_lines(made, where)
    yield "\n# The same with curl, raw bytes in files:"
    yield from _curl_lines(url, keys, made, users=users)
    yield "\n# And with Python:"
    yield from _python_lines(url, keys, made, users=users)


def _command_lines(made: "Examples | None", where: str) -> Iterator[str]:
    program, patient = program_line(), shlex.quote(made.patient_id if made else "42^^^&1.2.3&ISO")
    yield f"{program} submit {_path(made.document) if made else 'FILE'} --patient {patient}{where}"
    yield f"{program} find --patient {patient}{where}"
    yield f"{program} get ID --output copy.xml{where}"


def _curl_lines(url: str, keys: Pki, made: "Examples | None", *, users: bool) -> Iterator[str]:
    files = (("--cacert", keys.ca), ("--cert", keys.client_certificate), ("--key", keys.client_key))
    tls = "".join(f" {option} {_path(path)}" for option, path in files) if url.startswith("https:") else ""
    yield f"curl{tls} \\\n  '{url}/registry?wsdl'"
    if not made:
        return
    profile = "" if keys == pki_in(_DEFAULT_KEYS) else f" --profile {_path(keys.assertion_profile)}"
    for file, header, endpoint in (
        (made.find, made.find_type, "registry"),
        (made.provide, made.provide_type, "repository"),
    ):
        signed = f"{program_line()} assertion new{profile} --into {_path(file)} | \\\n" if users else ""
        data = "-" if users else _path(file)
        yield f"{signed}curl{tls} \\\n  -H '{header}' \\\n  --data-binary @{data} {url}/{endpoint}"


def _python_lines(url: str, keys: Pki, made: "Examples | None", *, users: bool) -> Iterator[str]:
    yield "from pathlib import Path"
    yield f"from xds_gateway.client import Gateway, {'read_assertion_profile, ' if users else ''}read_document"
    if users or url.startswith("https:"):
        yield f'keys = Path("{_relative(keys.ca.parent)}")'
    yield f'gateway = Gateway(\n    "{url}/registry",\n    "{url}/repository",'
    if url.startswith("https:"):
        yield '    certificate=keys / "client.crt", key=keys / "client.key", ca=keys / "ca.crt",'
    if users:
        yield '    assertion=read_assertion_profile(keys / "assertion.toml"),'
    yield ")"
    if made:
        yield f'document, patient = read_document(Path("{_relative(made.document)}")), "{made.patient_id}"'
        yield 'gateway.submit(document, patient_id=patient, source_id="2.25.1")'
        yield "print([entry.title for entry in gateway.find(patient)])"


def _where(url: str, keys: Pki, settings: LoadedSettings, config: Path | None, *, users: bool) -> str:
    """Options that a client in another terminal needs to find this gateway: none, the file, or each by itself."""
    from_environment = any(row.source.startswith("environment") for row in describe(settings))
    free_port = settings.listeners[0].port == 0
    if not (from_environment or free_port):
        return f" --config {_path(config)}" if config else ""
    where = f" --url {url}"
    if url.startswith("https:") and keys != pki_in(_DEFAULT_KEYS):
        files = (("--cert", keys.client_certificate), ("--key", keys.client_key), ("--ca", keys.ca))
        where += "".join(f" {option} {_path(path)}" for option, path in files)
    if users and (keys != pki_in(_DEFAULT_KEYS) or not url.startswith("https:")):
        where += f" --assertion {_path(keys.assertion_profile)}"
    return where


def program_line() -> str:
    """How to call this program from a shell in this folder."""
    called = Path(sys.argv[0])
    if called.name != "xds-gateway":
        return f"{_path(Path(sys.executable))} -m xds_gateway"
    found = shutil.which(called.name)
    return called.name if found and Path(found).resolve() == called.resolve() else _path(called)


def _path(path: Path) -> str:
    """A path for a shell."""
    return shlex.quote(str(_relative(path)))


def _relative(path: Path) -> Path:
    """A path from the working folder where it lies below; links stay, an interpreter of an environment is one."""
    absolute = Path(os.path.abspath(path))
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute
