"""`xds-gateway demo`: everything once, on a gateway that is made for it."""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ..administering import access_of_domain
from ..client import DocumentToSubmit, Gateway, read_assertion_profile
from ..client.demo import DemoProgress, DemoStep, demo_documents, run_demo
from ..config import Settings, load
from ..model.principal import Coded, Principal, User
from ..pki import make_pki
from ..security.access_explaining import ConsideredRow
from .child import child_gateway
from .connecting import failing_well
from .console import errors, output, print_json, shown, working
from .demo_report import Demonstration, demonstrated, show
from .ending import ending_on_sigterm
from .failures import CommandFailed, Status
from .who_looked import looked

KEYS: Final = {
    "folder": "folder of this run: pki, data, copies, gateway.toml, gateway.log",
    "source": "where the documents came from",
    "registry_url": "address while it ran",
    "repository_url": "address while it ran",
    "workers": "worker processes",
    "seconds": "of the whole exchange",
    "median_seconds": "object with submit and retrieve, of one document each, and find, of one patient",
    "patient_ids": "list of made-up patients",
    "found": "number of documents found",
    "bytes": "of all documents together",
    "documents": "list of objects with label, mime_type, size, entry_uuid, submit_seconds, retrieve_seconds, identical",
    "replacement": "object with label, old_uuid, old_status, new_uuid, new_status",
    "refusal": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
    "denied": "object with role, document, errors (as refusal), rows (objects with row, why_not)",
    "looks": "list of accesses to the first patient's record, as `audit who-looked` has them",
    "nameless": "the fault that a call without assertion got",
    "problems": "list of sentences; empty when all went well",
}

SHARED_EXAMPLES: Final = Path("../shared/data/cda")
_PATIENT_PREFIX: Final = "DEMO"
_DENIED: Final = Coded("224608005", "2.16.840.1.113883.6.96", "Administrative healthcare staff")
_TERMINATED: Final = 128 + signal.SIGTERM

_CONFIGURATION: Final = """\
# The gateway of one demonstration. Serve its data again: xds-gateway serve --config FILE
data_folder = "data"

[[listeners]]
certificate = "pki/server.crt"
key = "pki/server.key"
client_ca = "pki/ca.crt"

[[issuers]]
certificates = ["pki/issuer.crt"]
"""

_STEPS: Final = {
    DemoStep.SUBMIT: "Submit",
    DemoStep.FIND: "Find by patient",
    DemoStep.RETRIEVE: "Retrieve and compare bytes",
    DemoStep.REPLACE: "Replace one",
    DemoStep.REFUSE: "Send one with mistakes",
    DemoStep.NAMELESS: "Call without assertion",
    DemoStep.DENY: "Ask as somebody who may not",
}


def demo(examples: Path | None, base: Path, *, as_json: bool) -> int:
    """Run the demonstration and tell what happened; returns the exit status."""
    documents, source = _documents(examples)
    with ending_on_sigterm(_TERMINATED):
        made = _run(documents, source, _fresh_folder(base), quiet=as_json)
    if as_json:
        print_json(demonstrated(made))
    else:
        show(made, output())
    return Status.REFUSED if made.problems else Status.DONE


def _documents(examples: Path | None) -> tuple[tuple[DocumentToSubmit, ...], str]:
    """What to submit, and where it comes from."""
    if examples is not None and not any(examples.glob("*.xml")):
        raise CommandFailed("usage", f"There are no *.xml files in {examples}: say another --examples.")
    folder = examples or (SHARED_EXAMPLES if any(SHARED_EXAMPLES.glob("*.xml")) else None)
    with failing_well():
        documents = demo_documents(folder)
    return documents, f"CDA examples of {folder}" if folder else "samples made for this run"


def _fresh_folder(base: Path) -> Path:
    """A folder named by the time that nobody has used yet."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        folder = base / f"{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as failure:
            raise CommandFailed(
                "usage", f"{folder} cannot be made ({failure.strerror}): say another --folder."
            ) from failure
        return folder
    raise CommandFailed("usage", f"{base} has too many folders of this second: try again.")


def _run(documents: Sequence[DocumentToSubmit], source: str, folder: Path, *, quiet: bool) -> Demonstration:
    with working("Making throw-away keys", quiet=quiet):
        keys = make_pki(folder / "pki", now=datetime.now(UTC))
    config, log, copies = folder / "gateway.toml", folder / "gateway.log", folder / "copies"
    config.write_text(_CONFIGURATION, encoding="utf-8")
    copies.mkdir()
    with ExitStack() as stack:
        with working("Starting a gateway", quiet=quiet):
            child = stack.enter_context(child_gateway(config, log))
        stack.enter_context(failing_well())
        source_of_users = read_assertion_profile(keys.assertion_profile)
        gateway, nameless, denied = (
            stack.enter_context(
                Gateway(
                    child.registry_url,
                    child.repository_url,
                    certificate=keys.client_certificate,
                    key=keys.client_key,
                    ca=keys.ca,
                    journal=folder / "journal",
                    assertion=assertion,
                )
            )
            for assertion in (source_of_users, None, source_of_users.changed(roles=(_DENIED,)))
        )
        told = stack.enter_context(_progress(quiet=quiet))
        report = run_demo(
            gateway,
            documents,
            patient_prefix=_PATIENT_PREFIX,
            folder=copies,
            nameless=nameless,
            denied=denied,
            progress=told,
        )
    settings = load(config, {})  # what the gateway was started with
    return Demonstration(
        folder=folder,
        source=source,
        registry_url=child.registry_url,
        repository_url=child.repository_url,
        workers=child.workers,
        report=report,
        looks=looked(settings, report.patient_ids[0]),
        denied=_explained(settings, report.replacement.new_uuid),
        problems=(*report.problems, *_afterwards(child.exit_status, log)),
    )


def _explained(settings: Settings, document: str) -> Sequence[ConsideredRow]:
    """The rows of the matrix that are about the user who was denied, each with why it does not permit."""
    user = User(name_id="", issuer="", assertion_id="", roles=(_DENIED,))
    caller = Principal(node="demonstration", address="local", user=user)
    with access_of_domain(settings, settings.domains[0].name, "demonstration") as explanation:
        (version,) = explanation.explain(caller, "retrieve", document)
    return version.rows


def _afterwards(exit_status: int | None, log: Path) -> Iterator[str]:
    """What the gateway itself has to complain about."""
    if exit_status != 0:
        yield f"the gateway did not end in order (exit status {exit_status})"
    lines = log.read_text("utf-8", errors="replace").splitlines()
    failures = sum(line.startswith("{") and json.loads(line)["level"] in ("error", "critical") for line in lines)
    if failures:
        yield f"the gateway wrote {failures} errors to {log}"


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[DemoProgress], None]]:
    """Bars on a terminal, a line for each step elsewhere, nothing when `quiet`."""
    console = errors()
    if quiet:
        yield lambda progress: None
    elif not console.is_terminal:
        yield _print_step
    else:
        columns = (SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(24), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), TextColumn("[dim]{task.fields[label]}"), console=console) as bars:
            tasks: dict[DemoStep, TaskID] = {}

            def told(progress: DemoProgress) -> None:
                if progress.step not in tasks:
                    tasks[progress.step] = bars.add_task(_STEPS[progress.step], label="")
                label = "" if progress.done == progress.total else shown(progress.label)[:28]
                bars.update(tasks[progress.step], total=progress.total, completed=progress.done, label=label)

            yield told


def _print_step(progress: DemoProgress) -> None:
    if progress.done in (progress.total, 1 if progress.total > 1 else None):
        count = f"{progress.done} of {progress.total}"
        print(f"{_STEPS[progress.step]}: {count}", file=sys.stderr, flush=True)
