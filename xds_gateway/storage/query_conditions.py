"""Conditions of the statements of stored queries: SQL texts, and what is bound to them in which order."""

from typing import Final

from ..model import vocabulary as v

ENTRY: Final = "document_entry"
SUBMISSION_SET: Final = "submission_set"
FOLDER: Final = "folder"


def _word(text: str) -> str:
    """The integer of a word of ours, looked up once in a statement, and only when a row asks for it."""
    return f"(SELECT id FROM code WHERE code = '{text}' AND scheme = '')"


# What level 1 hides (model.queries.Levelled): in all queries, and in those that have no status parameter.
ONLINE: Final = f"(e.availability IS NULL OR e.availability NOT IN {_word(v.OFFLINE)})"
CURRENT: Final = {
    ENTRY: ["e.latest = 1", ONLINE],
    SUBMISSION_SET: [],
    FOLDER: ["e.latest = 1", f"e.status = {_word(v.APPROVED)}"],
}

# For every group of the parameter the object has one of its codes: ((a OR b) AND (c)). Bind: groups, attribute.
CODE_LIST: Final = (
    "NOT EXISTS (SELECT 1 FROM json_each(?) g WHERE NOT EXISTS (SELECT 1 FROM object_code c WHERE c.object = e.id"
    " AND c.attribute = ? AND c.code IN (SELECT value FROM json_each(g.value))))"
)


def _like(table: str, column: str) -> str:
    """For every group of patterns the object has a value that one of them matches. Bind: groups."""
    return (
        f"NOT EXISTS (SELECT 1 FROM json_each(?) g WHERE NOT EXISTS (SELECT 1 FROM {table} t, json_each(g.value) p"
        f" WHERE t.object = e.id AND t.{column} LIKE p.value ESCAPE '\\'))"
    )


AUTHOR_PERSON: Final = _like("object_author", "person")
REFERENCE_ID: Final = _like("entry_reference", "value")


def present_time(column: str, start: bool, stop: bool) -> list[str]:
    """The rule of `model.queries.TimeRange` for a time. Bind: From's first instant; To's last, first, last."""
    tests = [f"{column}_hi >= ?"] if start else []
    if stop:
        tests.append(f"{column}_lo <= ? AND NOT ({column}_lo = ? AND {column}_hi = ?)")
    return tests


def time(column: str, start: bool, stop: bool) -> list[str]:
    """The whole rule, by which an absent time matches. Bind: as `present_time`."""
    tests = present_time(column, start, stop)
    return [f"({column}_lo IS NULL OR ({' AND '.join(tests)}))"] if tests else []
