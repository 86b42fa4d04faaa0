"""How a finding reads in `codeContext`: a sentence for a person, then the evidence in a fixed order for a program.

The sentence. Hint: what it is. [rule=... | object=... | attribute=... | received=... | expected=... | clause=...]

The hint is there for known mistakes only.
"""

import re
from typing import Final

from ..model.errors import Finding

_FIELDS: Final = ("rule", "object", "attribute", "received", "expected", "clause")
_ABSENT: Final = dict.fromkeys(_FIELDS, "-") | {"received": "nothing"}
_HINT: Final = " Hint: "
_LONGEST: Final = 160  # characters of one value
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def render_code_context(finding: Finding) -> str:
    """The codeContext of a RegistryError, always with all evidence: `-` where there is none, "nothing" received.

    `|` and brackets in values become look-alikes.
    """
    values = (finding.rule, finding.object_id, finding.attribute, finding.received, finding.expected, finding.clause)
    evidence = " | ".join(
        f"{name}={_shown(value) if value else _ABSENT[name]}" for name, value in zip(_FIELDS, values, strict=True)
    )
    hint = f"{_HINT}{_plain(finding.hint)}" if finding.hint else ""
    return f"{_plain(finding.sentence)}{hint} [{evidence}]"


def parse_code_context(context: str) -> dict[str, str]:
    """Sentence, hint and evidence of a codeContext that this gateway wrote; only a sentence for others."""
    sentence, bracket, evidence = context.rpartition(" [rule=")
    if not bracket or not evidence.endswith("]"):
        return {"sentence": context}
    pairs = (item.split("=", 1) for item in f"rule={evidence[:-1]}".split(" | "))
    sentence, has_hint, hint = sentence.partition(_HINT)
    told = {"sentence": sentence} | ({"hint": hint} if has_hint else {})
    return told | {pair[0]: pair[-1] for pair in pairs if len(pair) == 2}


def _plain(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)


def _shown(value: str) -> str:
    cut = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    return _plain(cut).replace("|", "¦").replace("[", "(").replace("]", ")")
