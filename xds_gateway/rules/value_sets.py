"""Rules of value sets: codes that the domain does not allow, or does not allow any more (ITI TF-2 3.42.4.1.3.3.3).

The lists come in as a value, as they are in force; who has none has no such rule. Display names are never compared, the
text forbids it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from ..model.metadata import Classification, DocumentEntry, RegistryObject
from ..model.value_sets import ATTRIBUTES, AUTHORITIES, CodedAttribute, Pair, ValueSet, ValueSets, Watched
from ..model.vocabulary import DE_AUTHOR, SS_AUTHOR
from .engine import REPOSITORY_METADATA, Report, Rule, quoted, row
from .nearest import nearest

_HINTS: Final = 10  # findings of one message whose nearest codes are looked for
_CLAUSE: Final = {"mimeType": "ITI TF-2 3.42.4.1.3.3.4"}
_AUTHORS: Final = (DE_AUTHOR, SS_AUTHOR)


def _rules(attribute: CodedAttribute) -> tuple[Rule, Rule]:
    """Two rows of an attribute: a code that was never listed, and one that is retired."""
    kind = attribute.kinds[0] if len(attribute.kinds) == 1 else "any object"
    clause = f"{_CLAUSE.get(attribute.name, 'ITI TF-2 3.42.4.1.3.3.3')}; ITI TF-3 {attribute.section}"
    return (
        row(f"ihe.valueSet.{attribute.name}", kind, attribute.name,
            "Send {attribute} of the {object} from the value set of this domain: {received} is not in it.",
            "a code and coding scheme of the value set that the domain has loaded", clause, "a code of another list",
            REPOSITORY_METADATA),
        row(f"ihe.valueSet.{attribute.name}.retired", kind, attribute.name,
            "Send another code in {attribute} of the {object}: {received} is retired, for queries only.",
            "a code of the value set that is in force today", clause, "a code whose time is over",
            REPOSITORY_METADATA),
    )  # fmt: skip


RULES: Final = tuple(rule for attribute in ATTRIBUTES if attribute.name != AUTHORITIES for rule in _rules(attribute))
RULE_IDS: Final = frozenset(rule.id for rule in RULES)


def check_value_sets(items: Iterable[RegistryObject], value_sets: ValueSets, now: str, report: Report) -> None:
    """Report each code of these objects that the lists do not allow at `now`, a DTM to the second (UTC)."""
    kinds = value_sets.watched
    for item in items:
        watched = kinds.get(item.KIND)
        if watched is not None:
            _check_object(item, watched, now, report)


def pairs_of(item: RegistryObject) -> frozenset[tuple[str, str]]:
    """Attributes with their values, as findings tell them, that an object has in Classifications."""
    names = {a.key: a.name for a in ATTRIBUTES if item.KIND in a.kinds}
    return frozenset(
        (names[c.scheme], quoted(as_text(pair)))
        for c in item.classifications
        if c.scheme in names and (pair := _pair(c)) is not None
    )


def as_text(pair: Pair) -> str:
    """A value as findings tell it: `code^^scheme`, or the text alone."""
    return f"{pair[0]}^^{pair[1]}" if pair[1] else pair[0]


def _check_object(item: RegistryObject, watched: Watched, now: str, report: Report) -> None:
    """One pass: a good code costs two look-ups."""
    codes, authors, slots = watched.codes, watched.authors, watched.slots
    for c in item.classifications:
        listed = codes.get(c.scheme or "")
        if listed is not None:
            pair = _pair(c)
            if pair is not None and pair not in listed.free and not listed.allows(pair, now):
                _refuse(pair, listed, item, now, report, c.name[0][0] if c.name else "")
        elif authors and c.scheme in _AUTHORS:
            _check_author(c, authors, item, now, report)
    for name, values, _ in item.slots if slots else ():
        if name in slots:
            for value in values:
                _check_text(value, slots[name], item, now, report)
    if watched.mime_type is not None and isinstance(item, DocumentEntry) and item.mime_type:
        _check_text(item.mime_type, watched.mime_type, item, now, report)


def _pair(c: Classification) -> Pair | None:
    """The code with its scheme; None when one of them is not there, which other rules refuse."""
    plain = len(c.slots) == 1 and c.slots[0][0] == "codingScheme"  # nearly always
    schemes = c.slots[0][1] if plain else c.slot_values("codingScheme")
    return (c.code, schemes[0]) if c.code and len(schemes) == 1 and schemes[0].strip() else None


def _check_author(
    c: Classification, lists: Mapping[str, ValueSet], item: RegistryObject, now: str, report: Report
) -> None:
    for name, values, _ in c.slots:
        listed = lists.get(name)
        for value in values if listed is not None else ():
            pair, display = author_code(value)
            if listed is not None and not listed.allows(pair, now):
                _refuse(pair, listed, item, now, report, display)


def author_code(value: str) -> tuple[Pair, str]:
    """Code, scheme and display of a role or specialty: `code^display^scheme`, `code^^^&scheme&ISO`, or text alone."""
    parts = value.strip().split("^")
    authority = parts[3].split("&") if len(parts) > 3 else []
    scheme = (parts[2] if len(parts) > 2 else "") or (authority[1] if len(authority) > 1 else "")
    return (parts[0], scheme), parts[1] if len(parts) > 1 else ""


def _check_text(value: str, listed: ValueSet, item: RegistryObject, now: str, report: Report) -> None:
    if not listed.allows((value, ""), now) and value.strip():
        _refuse((value, ""), listed, item, now, report, "")


def _refuse(pair: Pair, listed: ValueSet, item: RegistryObject, now: str, report: Report, display: str) -> None:
    retired = "" if pair not in listed.codes else ".retired"
    hint = nearest(pair, display, listed, now) if len(report.found) < _HINTS else None
    report.add(
        f"ihe.valueSet.{listed.attribute}{retired}",
        object=item.KIND,
        object_id=item.id,
        attribute=listed.attribute,
        received=as_text(pair),
        expected=f"a code of {listed.name}" if listed.sources else None,
        hint=hint,
    )


__all__ = ["RULES", "RULE_IDS", "as_text", "author_code", "check_value_sets", "pairs_of"]
