"""`xds-gateway remove`."""

import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from ..client import Gateway, GatewayClientError, QueryResult, RegistryError, RemovalPlan
from .connecting import LOOK_FIRST, connected, explain, identifiers
from .console import output, print_json, working
from .failures import CommandFailed
from .listing import counted, result_tables, sentence
from .options import ConnectionOptions

KEYS: Final = {
    "removed": "false with `--dry-run`",
    "documents": "list of objects with the attributes of `DocumentSummary` in the SDK, all versions",
    "submission_sets": "list of objects with the attributes of `SubmissionSetSummary`",
    "folders": "list of objects with the attributes of `FolderSummary`",
    "associations": "list of objects with the attributes of `AssociationSummary`",
    "contents": "list of objects with repository_unique_id, unique_id: the bytes that go",
    "kept": "the same for bytes that stay, because another entry has them or `--keep-contents` was said",
    "warnings": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
}

Place = tuple[str, str]


def remove(
    items: Sequence[str],
    contents: Sequence[str],
    connection: ConnectionOptions,
    *,
    yes: bool,
    dry_run: bool,
    keep_contents: bool,
    as_json: bool,
) -> None:
    """Tell what goes, ask where somebody can answer, and remove it."""
    given = [_place(each) for each in contents]
    if bool(items) == bool(given):
        raise CommandFailed("usage", "Say what to remove: IDs, or --content REPOSITORY^UNIQUEID for bytes alone.")
    asks = not (yes or dry_run)
    if asks and (as_json or not (sys.stdin.isatty() and sys.stdout.isatty())):
        raise CommandFailed("usage", "Nothing was removed, because nobody can be asked here: say --yes, or --dry-run.")
    with connected(connection, unsure=LOOK_FIRST) as gateway:
        with working("Looking for what refers to it", quiet=as_json):
            plan = gateway.plan_removal(*identifiers(items)) if items else RemovalPlan()
        going = given + ([] if keep_contents else [_where(each) for each in plan.contents])
        kept = [_where(each) for each in (*plan.kept, *(plan.contents if keep_contents else ()))]
        if not as_json:
            _tell(plan, going, kept)
        if asks and not typer.confirm("Remove this for good?", default=False):
            output().print("Nothing was removed.")
            raise typer.Abort
        warnings = () if dry_run else _carry_out(gateway, plan, going, quiet=as_json)
    if as_json:
        print_json(_as_json(plan, going, kept, warnings, removed=not dry_run))
    else:
        output().print("Nothing was removed (--dry-run)." if dry_run else "Removed.")


def _place(text: str) -> Place:
    repository, _, unique_id = text.partition("^")
    if not (repository and unique_id):
        raise CommandFailed("usage", f"--content is written REPOSITORYUNIQUEID^UNIQUEID, not {text}.")
    return repository, unique_id


def _where(entry: Any) -> Place:
    return entry.repository_unique_id or "", entry.unique_id or ""


def _carry_out(
    gateway: Gateway, plan: RemovalPlan, going: Sequence[Place], *, quiet: bool
) -> tuple[RegistryError, ...]:
    """Metadata, then bytes; bytes that could not go are told with how to try again."""
    with working("Removing", quiet=quiet):
        warnings = gateway.remove_metadata(plan.uuids) if plan.uuids else ()
        try:
            return warnings + (gateway.remove_documents(*going) if going else ())
        except GatewayClientError as error:
            if plan.uuids:
                again = " ".join(f"--content '{repository}^{unique_id}'" for repository, unique_id in going)
                error.add_note(
                    "The metadata are gone, the bytes not all. Those of another repository are removed there."
                )
                error.add_note(f"Try again, with --repository-url where it is another: xds-gateway remove {again}")
            raise


def _tell(plan: RemovalPlan, going: Sequence[Place], kept: Sequence[Place]) -> None:
    console = output()
    objects = QueryResult(documents=plan.documents, submission_sets=plan.submission_sets, folders=plan.folders)
    if len(objects):
        console.print(result_tables(objects))
    counts = (
        (len(plan.documents), "document entry", "document entries"),
        (len(plan.submission_sets), "submission set", None),
        (len(plan.folders), "folder", None),
        (len(plan.associations), "association", None),
    )
    told = [counted(number, one, several) for number, one, several in counts if number]
    if told:
        console.print(f"These go: {', '.join(told)}.", soft_wrap=True)
    if plan.severed:
        kinds = ", ".join(dict.fromkeys(each.type for each in plan.severed))
        console.print(f"Documents that stay lose {counted(len(plan.severed), 'relation')} ({kinds}).", soft_wrap=True)
    stays = f"; of {counted(len(kept), 'document')} they stay" if kept else ""
    if going or kept:
        console.print(sentence(f"the bytes of {counted(len(going), 'document')} go{stays}."), soft_wrap=True)


def _as_json(
    plan: RemovalPlan,
    going: Sequence[Place],
    kept: Sequence[Place],
    warnings: tuple[RegistryError, ...],
    *,
    removed: bool,
) -> dict[str, Any]:
    def places(those: Sequence[Place]) -> list[dict[str, str]]:
        return [{"repository_unique_id": repository, "unique_id": unique_id} for repository, unique_id in those]

    return {
        "removed": removed,
        "documents": plan.documents,
        "submission_sets": plan.submission_sets,
        "folders": plan.folders,
        "associations": plan.associations,
        "contents": places(going),
        "kept": places(kept),
        "warnings": explain(warnings),
    }
