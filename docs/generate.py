"""Write the pages that are made from the program's own tables, or tell which are stale (--check)."""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from xds_gateway.cli.commands import app
from xds_gateway.cli.failures import KINDS, MEANINGS
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.config.assertion_profile import AssertionProfile
from xds_gateway.config.settings import Settings
from xds_gateway.config.shown import Scalar, default, unit
from xds_gateway.config.tree import section_of
from xds_gateway.model.errors import ErrorCode
from xds_gateway.rules.engine import LIMIT, Profile
from xds_gateway.rules.ihe import IHE
from xds_gateway.rules.known_mistakes import KNOWN_MISTAKES, Mistake
from xds_gateway.rules.patients import RULES as FEED_RULES
from xds_gateway.rules.patients import V2_RULES, V3_RULES, FeedRule, problem
from xds_gateway.security.access_matrix import IHE as MATRIX
from xds_gateway.security.access_matrix import NODE
from xds_gateway.security.algorithms import Algorithms
from xds_gateway.security.policies import POLICIES, AssertionPolicy
from xds_gateway.security.refusals import RULES
from xds_gateway.security.wss import TokenLimits

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.parent / "xds_gateway"
PROFILES = (IHE,)
MOST_RULES = 12  # of one code that are listed in its row

SETTINGS_HEAD = """\
# Settings

One TOML file, named by `--config` or by the variable `XDS_GATEWAY_CONFIG`, then variables; a variable wins over the
file, the file over the default. `xds-gateway config` shows every setting, its value and where it came from. A name that
is not listed here is refused, with the nearest one that is.

* A variable is named after the setting, with `__` between table and name: `XDS_GATEWAY_LIMITS__XML_DEPTH=50`. Tables of
  which there may be several are numbered from 0: `XDS_GATEWAY_LISTENERS__0__PORT=9443`. An empty variable counts as not
  set.
* A relative path in the file is taken from the file's folder; one in a variable, or a default, from the working folder.
* Sizes are bytes, or text such as `"8 MiB"`. Times are seconds.

A file with the tables most installations need:

```toml
data_folder = "/var/lib/xds-gateway"
public_url = "https://gateway.example.org"

[[listeners]]
host = "0.0.0.0"
port = 443
certificate = "server.crt"
key = "server.key"
client_ca = "clients.crt"

[[domains]]
name = "hospital"
repository_unique_id = "1.2.3.4.5"

[[mounts]]
path = "/services"
domain = "hospital"
```
"""


def settings_page() -> str:
    """docs/settings.md: every setting with unit, default, variable and meaning."""
    top = {name: field for name, field in Settings.model_fields.items() if section_of(field) is None}
    parts = [SETTINGS_HEAD, "## The top of the file", "", *_table(top, "")]
    for name, field in Settings.model_fields.items():
        section = section_of(field)
        if section is None:
            continue
        several = get_args(field.annotation)
        heading = f"[[{name}]]" if several else f"[{name}]"
        prefix = f"{name}__0__" if several else f"{name}__"
        parts += ["", f"## `{heading}`", "", _meaning(section), "", *_table(section.model_fields, prefix)]
    return "\n".join(parts) + "\n"


PROFILE_HEAD = """\
# Assertion profiles

A TOML file that says what the assertions of a caller say and which key signs them, for `--assertion`, for `xds-gateway
assertion new` and for `read_assertion_profile` of the SDK. [Call with an assertion](call-with-an-assertion.md) leads
through it. Relative paths are taken from the file's folder. A name that is not listed here is refused, with the nearest
one that is.

```toml
issuer = "https://assertions.hospital.example"
audiences = ["urn:oid:1.2.3.4.5"]
purposes = ["TREAT^treatment^2.16.840.1.113883.5.8"]

[subject]
name_id = "report-feeder"
name = "Feeder of laboratory reports"
organization = "Hospital"
organization_id = "urn:oid:1.2.3.4"
roles = ["224608005^Administrative healthcare staff^2.16.840.1.113883.6.96"]

[key]
pkcs12 = "issuer.p12"
password_file = "issuer.password"
```
"""


def profile_page() -> str:
    """docs/assertion-profile.md: everything that an assertion profile may say."""
    model = AssertionProfile.model_fields
    parts = [PROFILE_HEAD]
    top = {name: field for name, field in model.items() if section_of(field) is None}
    parts += ["## The top of the file", "", *_profile_table(top)]
    for name, field in model.items():
        section = section_of(field)
        if section:
            parts += ["", f"## `[{name}]`", "", _meaning(section), "", *_profile_table(section.model_fields)]
    return "\n".join(parts) + "\n"


def _profile_table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| name | default | meaning |"
    yield "|---|---|---|"
    for name, field in fields.items():
        yield f"| `{name}` | {'required' if field.is_required() else _default(field)} | {field.description} |"


def _meaning(section: type[BaseModel]) -> str:
    return inspect.cleandoc(section.__doc__ or "")


def _table(fields: dict[str, FieldInfo], prefix: str) -> Iterator[str]:
    yield "| setting | default | unit | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        variable = f"XDS_GATEWAY_{prefix}{name}".upper()
        yield f"| `{name}`<br>`{variable}` | {_default(field)} | {unit(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.default_factory:
        return "derived"
    value = default(field)
    return "not set" if value is None else f"`{_as_toml(value, unit(field))}`"


def _as_toml(value: Scalar, unit_name: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and unit_name == "bytes":
        name, size = next(
            (n, s) for n, s in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)) if value % s == 0
        )
        return f'"{value // size} {name}"'
    return f'"{value}"' if isinstance(value, str) else str(list(value) if isinstance(value, tuple) else value)


RULES_HEAD = """\
# Rules

Every rule of a profile: what it is about, the error code that a broken one gives in each transaction (none where it
does not apply), what is expected, an example that breaks it, and the clause. The id is stable: it stands in
`codeContext` as `rule=...`, and in the log.
"""

ERRORS_HEAD = """\
# Error codes

The codes of ITI TF-3 Table 4.2.4.1-2 and what gives them; [rules](rules.md) tells each rule. A code without either is
known and never given so far. All findings of a message come in one RegistryErrorList, at most {limit} and then a count.
`codeContext` is a sentence for a person, then the evidence in a fixed order for a program:

    The sentence. Hint: ... [rule=... | object=... | attribute=... | received=... | expected=... | clause=...]

`Hint:` and what the value probably is are there for [known mistakes](known-mistakes.md) only.
"""

MISTAKES_HEAD = """\
# Known mistakes

What senders get wrong again and again, and the hint that a refusal then has: in `codeContext` after `Hint:`, and on the
page of `xds-gateway explain` ([explain](explain.md)). The first row that fits is the hint; rows are in
`xds_gateway/rules/known_mistakes.py`. `fault.*` and `http.*` are refusals below the [rules](rules.md), after the
innermost code of a SOAP fault or the HTTP status; their hints are on the page only.

| rules | received, for example | hint | source |
|---|---|---|---|
"""

TRANSACTIONS_HEAD = """\
# Transactions

The rows of `xds_gateway/codec/transactions.py`. A request is taken when its endpoint, its `wsa:Action` and the element
in its body name one row; the answer has the response action, on failure too.

| transaction | endpoint | operation of the WSDL | request action | response action | body element | MTOM |
|---|---|---|---|---|---|---|
"""


def rules_page() -> str:
    """docs/rules.md: every row of every profile, and how a profile differs from its base."""
    return RULES_HEAD + "".join(_profile(profile) for profile in PROFILES) + _feed_rules()


FEED_RULES_HEAD = """
## Patient identity feeds (ITI-8, ITI-64, ITI-44)

A refused message of ITI-8 or ITI-64 gets AE or AR in MSA-1; ERR-2, ERR-3 (HL7 table 0357), ERR-5 (the rule) and ERR-8
(the sentence) say why. One of ITI-44 gets CE or CR; in acknowledgementDetail code (AcknowledgementDetailCode), text
(the sentence and the evidence, as in `codeContext`) and location (an XPath from the root element) say why.

| rule | ITI-8, ITI-64 | ERR-2 | ERR-3 | ITI-44 | code | location | expected | breaks it | clause |
|---|---|---|---|---|---|---|---|---|---|
"""


def _feed_rules() -> str:
    return FEED_RULES_HEAD + "".join(
        _row(f"`{r.id}`", *_feed_columns(r), r.expected, r.example, r.clause) + "\n" for r in FEED_RULES
    )


def _feed_columns(rule: FeedRule) -> tuple[str, ...]:
    """Acknowledgment, place and code in ITI-8 and in ITI-44; empty where a rule is of the other one."""
    v2 = ("", "", "") if rule in V3_RULES else (rule.acknowledgment, rule.location, rule.code)
    if rule in V2_RULES:
        return (*v2, "", "", "")
    found = problem(rule.id, transaction="ITI-44")
    return (*v2, rule.acknowledgment.replace("A", "C", 1), found.code.value, found.location)


def _profile(profile: Profile) -> str:
    lines = [f"\n## Profile `{profile.name}`\n"]
    if profile.changes:
        lines += ["| change | rule | why |", "|---|---|---|"]
        lines += [_row(change.kind, f"`{change.rule}`", change.why) for change in profile.changes] + [""]
    lines += [
        "| rule | about | ITI-41 | ITI-42 | where others differ | expected | breaks it | clause |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rule in profile.rules.values():
        about = rule.object if rule.attribute == rule.object else f"{rule.object} {rule.attribute}"
        others = "; ".join(f"{name}: {code or 'none'}" for name, code in rule.codes.others)
        codes = (str(rule.codes.iti41 or ""), str(rule.codes.iti42 or ""), others)
        lines.append(_row(f"`{rule.id}`", about, *codes, rule.expected, rule.example, rule.clause))
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """docs/errors.md: every error code with the rules and the modules that give it."""
    lines = [ERRORS_HEAD.format(limit=LIMIT), "| code | rules | given outside of the rules by |", "|---|---|---|"]
    sources = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
    }
    for code in ErrorCode:
        rules = {
            f"`{rule.id}`": None for profile in PROFILES for rule in profile.rules.values() if code in rule.codes.all()
        }
        shown = ", ".join(rules) if len(rules) <= MOST_RULES else f"{len(rules)} rules"
        modules = [
            f"`{name.removesuffix('.py')}`"
            for name, text in sources.items()
            if not name.startswith(("model/", "rules/")) and re.search(rf"\bErrorCode\.{code.name}\b", text)
        ]
        lines.append(_row(f"`{code}`", shown, ", ".join(modules)))
    return "\n".join(lines) + "\n"


def transactions_page() -> str:
    """docs/transactions.md: the map."""
    return TRANSACTIONS_HEAD + "".join(
        _row(
            row.name,
            f"`MOUNT/{row.endpoint}`",
            f"`{row.operation}`",
            f"`{row.request_action}`",
            f"`{row.response_action}`",
            f"`{row.body}`",
            "yes" if row.wire == "mtom" else "",
        )
        + "\n"
        for row in TRANSACTIONS
    )


CLI_HEAD = """\
# Command line

`xds-gateway COMMAND --help` tells the same as this page; `python -m xds_gateway` is the same program.

* **For people** a command writes tables to standard output; progress of what takes longer, and failures, go to standard
  error. Colours only on a terminal, and not with `NO_COLOR`.
* **For programs** `--json` makes it one JSON document on standard output, with the keys below, and on failure one JSON
  object on standard error: `{"error": {"kind", "exit_status", "messages", "errors"}}`. `kind` is one of the words
  below, `messages` are the sentences that people read, `errors` are those of a RegistryErrorList, each with `code`,
  `severity`, `sentence`, `rule`, `object`, `attribute`, `received`, `expected`, `clause`, `hint`
  ([errors](errors.md)). Keys may be added, never renamed.
* **Which gateway** the clients call, that is every command from `submit` to `remove`: `--url`, else `public_url` and
  the first mount of the [settings](settings.md), which is a gateway served on this machine from the same folder. The
  caller's certificate and key and the authority to trust: options, else `client.crt`, `client.key` and `ca.crt` in the
  folder of the first listener's `client_ca`, where `xds-gateway pki` puts them (`var/pki`). Variables of the clients
  begin with `XDS_CLIENT_`, those of the settings with `XDS_GATEWAY_`.
* **Which document**: an entryUUID, with or without `urn:uuid:`, or a uniqueId. A patient is written `42@1.2.3` or
  `'42^^^&1.2.3&ISO'`, a code `CODE^DISPLAY^SCHEME`.

## Exit statuses

| status | meaning |
|---|---|
"""

CLI_EXAMPLES = {
    "serve": "xds-gateway serve --config gateway.toml",
    "demo": "xds-gateway demo --examples reports/",
    "pki": "xds-gateway pki --host gateway.example.org --host localhost",
    "submit": "xds-gateway submit report.xml --patient '42^^^&1.2.3&ISO'\n"
    "xds-gateway submit scan.pdf --patient '42^^^&1.2.3&ISO' --metadata scan.toml --replaces urn:uuid:...",
    "find": "xds-gateway find --patient '42^^^&1.2.3&ISO' --type-code '11488-4^^2.16.840.1.113883.6.1'\n"
    "xds-gateway find --patient '42^^^&1.2.3&ISO' --status all --created-from 2024-01-01 --json",
    "get": "xds-gateway get urn:uuid:... --output report.xml\nxds-gateway get 1.2.3.4 --output - | less",
    "explain": "xds-gateway explain request.mime\n"
    "xds-gateway explain submission.xml --transaction ITI-57\n"
    "xds-gateway explain var/wire/20260314T083000.000000-4711-000001 --against https://gateway.example.org/services",
    "config": "xds-gateway config",
    "endpoints": "xds-gateway endpoints --config conformance --json",
    "certificates": "xds-gateway certificates --json",
    "reset": "xds-gateway reset --config conformance --yes",
    "version": "xds-gateway version --json",
    "query": """\
xds-gateway query
xds-gateway query FindFolders
xds-gateway query FindFolders -p PatientId=42@1.2.3 -p Status=Approved
xds-gateway query GetAssociations -p uuid=ENTRYUUID --level 2 -p AssociationStatus=Approved,Deprecated --json""",
    "history": "xds-gateway history ENTRYUUID",
    "update": """\
xds-gateway update ENTRYUUID --title 'Compte rendu de consultation' --set-comments 'typing error'
xds-gateway update ENTRYUUID --clear comments""",
    "deprecate": """\
xds-gateway deprecate ENTRYUUID
xds-gateway deprecate ENTRYUUID --undo""",
    "vocabulary": """\
xds-gateway vocabulary load JDV_J07_XdsTypeCode_CISIS.xml JDV_J04_XdsPracticeSettingCode_CISIS.xml
xds-gateway vocabulary load codes.xml --none eventCodeList
xds-gateway vocabulary show typeCode
xds-gateway vocabulary check""",
    "folder": """\
xds-gateway folder new 'Diabetes' --patient 42@1.2.3 --code '71388002^Procedure^2.16.840.1.113883.6.96'
xds-gateway folder add FOLDER ENTRYUUID
xds-gateway folder list --patient 42@1.2.3""",
    "assertion": """\
xds-gateway assertion new --patient 42@1.2.3 --output assertion.xml
xds-gateway assertion new --into docs/examples/iti-41.mime --output submission.mime
xds-gateway assertion show submission.mime
xds-gateway assertion check submission.mime --config gateway.toml""",
    "consent": """\
xds-gateway consent add oppose 42@1.2.3 everybody --break-glass
xds-gateway consent add permit 42@1.2.3 person:jane.doe --until 2027-01-31
xds-gateway consent list 42@1.2.3
xds-gateway consent withdraw 1""",
    "access": "xds-gateway access explain ENTRYUUID --role nurse --organization 1.2.3.4 --action retrieve",
    "patients": """\
xds-gateway patients add 42@1.2.3
xds-gateway patients merge 42@1.2.3 43@1.2.3
xds-gateway patients show 42@1.2.3
xds-gateway patients unmerge 42@1.2.3""",
    "audit": """\
xds-gateway audit who-looked --patient 42@1.2.3 --since 2026-01-01
xds-gateway audit list --user durand --outcome failure
xds-gateway audit export --format fhir --since 2026-03 > march.ndjson
xds-gateway audit verify""",
    "remove": """\
xds-gateway remove ENTRYUUID --dry-run
xds-gateway remove ENTRYUUID --yes""",
}


def cli_page() -> str:
    """docs/cli.md: every command with its options, examples, keys of its JSON, and the exit statuses."""
    statuses = "".join(_row(str(int(status)), meaning) + "\n" for status, meaning in MEANINGS.items())
    commands: dict[str, Any] = vars(get_command(app))["commands"]
    kinds = "".join(_row(f"`{kind}`", str(int(status)), meaning) + "\n" for kind, (status, meaning) in KINDS.items())
    head = CLI_HEAD + statuses + "\n| kind of failure | status | meaning |\n|---|---|---|\n" + kinds
    return head + "".join(_command(name, command) for name, command in commands.items())


def _command(name: str, command: Any) -> str:
    told = "\n".join(line.strip() for line in (command.help or "").splitlines())
    lines = ["", f"## `{name}`", "", told, "", "```", CLI_EXAMPLES[name], "```", ""]
    for inner, each in vars(command).get("commands", {}).items():
        lines += [f"### `{name} {inner}`", "", each.help, "", *_parameters(each), ""]
    if not hasattr(command, "commands"):
        lines += [*_parameters(command), ""]
    keys: dict[str, str] = importlib.import_module(f"xds_gateway.cli.{name}").KEYS
    lines += ["With `--json`:", "", "| key | value |", "|---|---|"]
    return "\n".join([*lines, *(_row(f"`{key}`", meaning) for key, meaning in keys.items())]) + "\n"


def _parameters(command: Any) -> list[str]:
    return ["| argument or option | default, variable | meaning |", "|---|---|---|", *map(_parameter, command.params)]


def _parameter(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    value = f" {parameter.metavar}" if option and parameter.metavar else ""
    shown = f"`{', '.join(parameter.opts)}{value}`" if option else f"`{parameter.metavar}`"
    fallback = (
        [f"`{parameter.default}`"]
        if option and isinstance(parameter.default, (str, float, Path)) and parameter.default
        else []
    )
    fallback += [f"`{parameter.envvar}`"] if parameter.envvar else []
    return _row(shown, ", ".join(fallback), parameter.help or "")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def known_mistakes_page() -> str:
    """docs/known-mistakes.md: every row of known mistakes with its example."""
    return MISTAKES_HEAD + "".join(_mistake(row) + "\n" for row in KNOWN_MISTAKES)


def _mistake(row: Mistake) -> str:
    below = row.rules[0].startswith(("fault.", "http."))
    received = f"`{row.example[0]}`" if row.example[0] else "" if below else "nothing"
    return _row(", ".join(f"`{rule}`" for rule in row.rules), received, row.sentence, row.source)


MATRIX_HEAD = """\
# The access matrix of the profile `ihe`

What a domain permits whose settings name no matrix of their own; [decide access](decide-access.md) tells how it is read
and how another one is written. Nothing is permitted but by a row.

* **confidentiality**: a document has at least one code, and each of its codes is of the levels named; "any" asks
  nothing, not even for a code.
* **owner** own: the document names the user's organisation as an author's.
* **consent**: *unless opposed* by the patient, *if permitted* by the patient and not opposed, *regardless* of both.
* **patient** named: only with an assertion that names a patient. What an assertion names it is limited to by every row.
"""


def matrix_page() -> str:
    """docs/access-matrix.md: the rows of the default access matrix, and what their words stand for."""
    columns = ("row", "role", "actions", "documents", "confidentiality", "mode", "owner", "consent", "patient")
    rows = [
        _row(f"`{row.id}`", row.role, ", ".join(row.actions), row.documents, ", ".join(row.confidentiality), *row[5:])
        for row in MATRIX.rows
    ]
    words = [
        *(("role", name, codes) for name, codes in MATRIX.roles.items()),
        *(("mode", name, codes) for name, codes in MATRIX.modes.items()),
        *(("confidentiality", name, codes) for name, codes in MATRIX.confidentialities.items()),
        *(
            ("documents", name, tuple(dict.fromkeys((*types.class_codes, *types.type_codes))))
            for name, types in MATRIX.documents.items()
        ),
    ]
    told = [_row(kind, name, ", ".join(f"`{code}`" for code, _ in codes), codes[0][1]) for kind, name, codes in words]
    return "\n".join(
        [
            MATRIX_HEAD,
            _row(*columns),
            "|---" * len(columns) + "|",
            *rows,
            "",
            "## What the words stand for",
            "",
            "A role is one of the assertion's, a mode is chosen by its purpose of use (normal without one of these).",
            "The others are codes of the document: of `documents` its classCode or typeCode is one.",
            f"A caller without a user has the role `{NODE}`.",
            "",
            "| column | word | codes | coding scheme |",
            "|---|---|---|---|",
            *told,
            "",
        ]
    )


ASSERTION_RULES_HEAD = """\
# Why an assertion is refused

Each policy is a row, and every refusal has a rule. The rule stands in the log and in the audit (transaction
`user-authentication`); the caller is told the fault of WS-Security, and the rule only where the mount has
`tell_refusals`. Which attack each rule stops: `tests/unit/attacks.py`.

## Policies

"""


def assertion_rules_page() -> str:
    """docs/assertion-rules.md: the policies of assertions, column by column, and the rules that refuse."""
    parts = [ASSERTION_RULES_HEAD, _row("", *(f"`{name}`" for name in POLICIES)) + "\n" + "|---" * (len(POLICIES) + 1)]
    for column in AssertionPolicy._fields:
        told = (_column(getattr(policy, column)) for policy in POLICIES.values())
        parts.append("|\n" if column == AssertionPolicy._fields[0] else "\n")
        parts.append(_row(column.replace("_", " "), *told))
    parts.append("\n\n## Rules\n\n| rule | fault | what is wrong | clause |\n|---|---|---|---|\n")
    rows = (_row(f"`{name}`", f"`{row.fault.value}`", row.sentence, row.clause) for name, row in RULES.items())
    return "".join(parts) + "\n".join(rows) + "\n"


def _column(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, Algorithms):
        return ", ".join(f"`{uri.rpartition('#')[2]}`" for uri in (*value.signatures, *value.digests))
    if isinstance(value, TokenLimits):
        return f"{value.size // 1024} KiB, {value.namespaces} namespaces"
    if isinstance(value, frozenset | tuple):
        return ", ".join(f"`{each.rpartition(':')[2]}`" if each else "none" for each in sorted(value, key=str))
    return str(value)


PAGES: dict[str, Callable[[], str]] = {
    "access-matrix.md": matrix_page,
    "assertion-profile.md": profile_page,
    "assertion-rules.md": assertion_rules_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "known-mistakes.md": known_mistakes_page,
    "rules.md": rules_page,
    "settings.md": settings_page,
    "transactions.md": transactions_page,
}


def main(arguments: list[str]) -> int:
    """Write all pages, or with --check name those that differ from what would be written; 1 when there is one."""
    stale = [name for name, page in PAGES.items() if _read(FOLDER / name) != page()]
    if arguments == ["--check"]:
        for name in stale:
            print(f"docs/{name} is stale: run make docs")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name} written")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
