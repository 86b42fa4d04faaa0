"""`xds-gateway deprecate`."""

from typing import Final

from ..client.samples import SOURCE_ID
from .connecting import LOOK_FIRST, connected, explain, identifier
from .console import output, print_json, working
from .options import ConnectionOptions, SetOptions
from .update import warn

KEYS: Final = {
    "entry_uuid": "entryUUID of the version whose status changed",
    "status": '"Deprecated" or "Approved"',
    "submission_set_uuid": "entryUUID of the submission set that tells the change",
    "warnings": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
}


def deprecate(item: str, told: SetOptions, connection: ConnectionOptions, *, undo: bool, as_json: bool) -> None:
    """Change the status of a document or folder and tell it."""
    status = "Approved" if undo else "Deprecated"
    with connected(connection, unsure=LOOK_FIRST) as gateway, working("Updating", quiet=as_json):
        change = gateway.approve if undo else gateway.deprecate
        result = change(
            identifier(item),
            source_id=told.source_id or SOURCE_ID,
            title=told.set_title,
            comments=told.set_comments,
        )
    if as_json:
        print_json(
            {
                "entry_uuid": result.entry_uuid,
                "status": status,
                "submission_set_uuid": result.submission_set_uuid,
                "warnings": explain(result.warnings),
            }
        )
        return
    output().print(f"{result.entry_uuid} is now {status}", soft_wrap=True)
    warn(result)
