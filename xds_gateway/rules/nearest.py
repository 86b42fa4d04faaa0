"""The nearest codes of a list to one that is not in it: only refusals pay for the search."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from ..model.value_sets import ListedCode, Pair, ValueSet

_SHOWN: Final = 3
_LONGEST: Final = 64  # characters of a text that are compared
_CANDIDATES: Final = 24  # whose likeness is measured
_ALIKE: Final = 0.6


def nearest(pair: Pair, display: str, listed: ValueSet, now: str) -> str | None:
    """A hint that names codes of the list in force now, None when nothing is near."""
    found = _same_code(pair, listed, now) or _alike(pair[0], display, listed, now)
    if not found:
        return None
    named = " or ".join(_named(code) for code in found[:_SHOWN])
    if found[0].code == pair[0]:
        return f"this code is listed with another coding scheme: {named}."
    return f"the nearest codes of the list are {named}." if len(found) > 1 else f"the nearest code is {named}."


def _named(code: ListedCode) -> str:
    display = "".join(c if c.isprintable() and c not in "[]|" else " " for c in code.display[:_LONGEST]).strip()
    return f"{code.as_text()} ({display})" if display and display != code.code else code.as_text()


def _same_code(pair: Pair, listed: ValueSet, now: str) -> list[ListedCode]:
    """The same code in another scheme, which is nearly always what was meant."""
    return [each for each in _index(listed).by_code.get(pair[0], ()) if each.in_force(now)]


def _alike(code: str, display: str, listed: ValueSet, now: str) -> list[ListedCode]:
    """Codes that are written alike, then those whose display name is."""
    index = _index(listed)
    found = [*index.codes.alike(code), *(index.displays.alike(display) if display else ())]
    return list(dict.fromkeys(each for each in found if each.in_force(now)))


class _Texts:
    """Codes by the pairs of letters of one of their texts: the most shared ones are compared, not all of them."""

    def __init__(self, texts: Iterable[tuple[str, ListedCode]]) -> None:
        self._texts: Final = [(_folded(text), code) for text, code in texts]
        self._having: Final[dict[str, list[int]]] = defaultdict(list)
        for number, (text, _) in enumerate(self._texts):
            for letters in _letters(text):
                self._having[letters].append(number)

    def alike(self, text: str) -> list[ListedCode]:
        """The codes whose text is like this one, the most alike first."""
        wanted = _folded(text)
        shared = Counter(number for letters in _letters(wanted) for number in self._having.get(letters, ()))
        matcher = SequenceMatcher(b=wanted)
        rated = []
        for number, _ in shared.most_common(_CANDIDATES):
            candidate, code = self._texts[number]
            matcher.set_seq1(candidate)
            rated.append((matcher.ratio(), -number, code))
        return [code for ratio, _, code in sorted(rated, reverse=True) if ratio >= _ALIKE]


class _Index:
    """What is looked for in one list."""

    def __init__(self, listed: ValueSet) -> None:
        by_code: dict[str, list[ListedCode]] = defaultdict(list)
        for code in listed.codes.values():
            by_code[code.code].append(code)
        self.by_code: Final[Mapping[str, list[ListedCode]]] = dict(by_code)
        self.codes: Final = _Texts((code.code, code) for code in listed.codes.values())
        self.displays: Final = _Texts((code.display, code) for code in listed.codes.values() if code.display)


@lru_cache(maxsize=32)  # lists of the attributes of a few domains
def _index(listed: ValueSet) -> _Index:
    return _Index(listed)


def _folded(text: str) -> str:
    return text.strip().casefold()[:_LONGEST]


def _letters(text: str) -> set[str]:
    """Pairs of neighbouring letters, its ends included, so that one letter has some too."""
    around = f" {text} "
    return {around[n : n + 2] for n in range(len(around) - 1)}
