"""Access rights on the wire: signed assertions in, answers by role; who is nobody finds nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from xds_gateway.client import Code, Fault, Gateway, Refused, read_assertion_profile
from xds_gateway.client.samples import SOURCE_ID, make_sample, patient_id
from xds_gateway.config.domains import DEMO_REPOSITORY_OID as REPOSITORY
from xds_gateway.model.datatypes import Author

from .commands import run

Call = Callable[..., Gateway]
ROLES = {
    "physician": "309343006",
    "nurse": "106292003",
    "pharmacist": "46255001",
    "staff": "224608005",
    "patient": "116154003",
    "nobody": "1",
}

# of another organisation than the users
STRANGER = Author(person="^Petit^Alice", institutions=("Hôpital^^^^^^^^^1.2.3.4",))


@pytest.fixture(scope="module")
def guarded(start_shared, pki):
    """A gateway that wants an assertion with each request."""
    issuer = {"certificates": [str(pki.files.issuer_certificate)]}
    return start_shared(workers=2, mounts=[{"assertions": "required"}], issuers=[issuer])


@pytest.fixture(scope="module")
def call(guarded, pki, tmp_path_factory) -> Iterator[Call]:
    """The gateway as somebody with a role, by default of the organisation of the profile."""
    folder = tmp_path_factory.mktemp("profiles")
    base = f"https://localhost:{guarded.port}/services/"
    with ExitStack() as opened:

        def make(role: str | None, *, purpose: str = "TREAT", patient: str | None = None) -> Gateway:
            assertion = None if role is None else _source(pki.files.assertion_profile, folder, role, purpose, patient)
            files = pki.files
            keys = {"certificate": files.client_certificate, "key": files.client_key, "ca": files.ca}
            journal = folder / "journal"
            return opened.enter_context(
                Gateway(f"{base}registry", f"{base}repository", **keys, journal=journal, assertion=assertion)
            )

        yield make


def _source(profile: Path, folder: Path, role: str, purpose: str, patient: str | None) -> Any:
    """The profile with another role, purpose and organisation."""
    text = profile.read_text(encoding="utf-8")
    text = text.replace("309343006^Physician", f"{ROLES[role]}^Role").replace("TREAT^treatment", f"{purpose}^purpose")
    text = re.sub(r'"(issuer\.(?:key|crt))"', lambda name: f'"{profile.parent / name[1]}"', text)
    path = folder / f"{role}-{purpose}.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    source = read_assertion_profile(path)
    return source.changed(patient=patient) if patient else source


@pytest.fixture(scope="module")
def record(call) -> tuple[str, str, str]:
    """A patient with a normal and a restricted document: patient, the uniqueIds of both."""
    patient, made = patient_id(4200), []
    for seed, level in ((4201, "N"), (4202, "R")):
        codes = (Code(level, "2.16.840.1.113883.5.25", level),)
        sample = make_sample(seed=seed).changed(
            confidentiality_codes=codes, unique_id=f"2.25.{seed}", authors=(STRANGER,)
        )
        call("physician").submit(sample, patient_id=patient, source_id=SOURCE_ID)
        made.append(f"2.25.{seed}")
    return patient, *made


@pytest.mark.parametrize(
    ("role", "purpose", "own", "found"),
    [
        ("physician", "TREAT", False, ["N", "R"]),
        ("nurse", "TREAT", False, ["N"]),
        ("nurse", "ETREAT", False, ["N", "R"]),
        ("pharmacist", "TREAT", False, []),
        ("staff", "TREAT", False, []),
        ("patient", "PATRQT", True, ["N", "R"]),
        ("physician", "TREAT", True, ["N", "R"]),
    ],
)
def test_each_role_finds_what_its_rows_permit(call, record, role, purpose, own, found) -> None:
    patient, *unique_ids = record
    levels = dict(zip(unique_ids, "NR", strict=True))
    gateway = call(role, purpose=purpose, patient=patient if own else None)
    assert sorted(levels[entry.unique_id] for entry in gateway.find(patient)) == found


def test_a_document_that_is_hidden_is_not_there_to_retrieve(call, record) -> None:
    _, normal, restricted = record
    into = BytesIO()
    call("nurse").retrieve((REPOSITORY, normal), into)
    assert into.getvalue()
    with pytest.raises(Refused) as refused:
        call("nurse").retrieve((REPOSITORY, restricted), BytesIO())
    assert [error.code for error in refused.value.errors] == ["XDSDocumentUniqueIdError"]


@pytest.mark.parametrize("role", ["nobody", "patient"])
def test_who_has_no_row_is_refused(call, record, role) -> None:
    with pytest.raises(Refused) as refused:
        call(role).find(record[0])
    (error,) = refused.value.errors
    assert "rule=ihe.access.action" in error.context


def test_an_assertion_for_another_patient_finds_nothing_and_submits_nothing(call, record) -> None:
    gateway = call("physician", patient=patient_id(4299))
    assert list(gateway.find(record[0])) == []
    with pytest.raises(Refused) as refused:
        gateway.submit(make_sample(seed=4203), patient_id=record[0], source_id=SOURCE_ID)
    assert all("rule=ihe.access.patient" in error.context for error in refused.value.errors)


def test_without_an_assertion_nothing_is_asked_of_the_matrix(call, record) -> None:
    with pytest.raises(Fault):
        call(None).find(record[0])


def test_the_audit_tells_the_rows_that_allowed(guarded, call, record) -> None:
    call("nurse", purpose="ETREAT").find(record[0])
    lines = [line for path in guarded.data_folder.glob("journal/*.jsonl") for line in path.read_text().splitlines()]
    assert any('"decision":"nurse.read nurse.emergency nurse.own"' in line and "ETREAT" in line for line in lines)


def test_a_refusal_is_explained_to_the_administrator(guarded, record) -> None:
    told = run(guarded.log.parent, "access", "explain", record[2], "--role", "nurse", "--config", "gateway.toml")
    assert "not permitted" in told.stdout
    assert "nurse.permitted" in told.stdout
