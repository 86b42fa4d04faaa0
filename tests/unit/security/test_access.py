"""Access rights: what a principal may do by the default matrix, and what a matrix can say."""

from typing import Any

import pytest

from xds_gateway.model.consents import EVERYBODY
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.principal import Access, AccessFilter, Coded, Permit, Principal, User
from xds_gateway.security.access import Document, access_of, caller_of, permits
from xds_gateway.security.access_matrix import ACTIONS, ANY, IHE, NODE, NORMAL

SNOMED = "2.16.840.1.113883.6.96"
PHYSICIAN, NURSE, PHARMACIST, STAFF, PATIENT = (
    Coded(code, SNOMED) for code in ("309343006", "106292003", "46255001", "224608005", "116154003")
)
TREAT, ETREAT = (Coded(code, "2.16.840.1.113883.5.8") for code in ("TREAT", "ETREAT"))
RECORD = PatientId("42", "1.2.3")
AT = "20260314090001"


def make_user(*roles: Coded, **changes: Any) -> User:
    """Somebody with these roles, of the organisation 1.2.3.4, treating."""
    user = User(name_id="jane", issuer="idp", assertion_id="_1", roles=roles, purposes=(TREAT,))
    return user._replace(**{"organization_id": "urn:oid:1.2.3.4", **changes})


def access(user: User | None) -> Access:
    return access_of(IHE, Principal(node="CN=x", address="127.0.0.1", user=user), "main", AT)


def make_document(*levels: str, **changes: Any) -> Document:
    """A document of these levels of confidentiality, by the organisation 9.9."""
    codes = frozenset((level, "2.16.840.1.113883.5.25") for level in levels)
    fields: dict[str, Any] = {"type_code": ("34133-9", "2.16.840.1.113883.6.1"), "organizations": frozenset({"9.9"})}
    return Document(confidentiality=codes, **{**fields, **changes})


PRESCRIPTION = ("57833-6", "2.16.840.1.113883.6.1")
CARD = ("64290-0", "2.16.840.1.113883.6.1")
OWN = {"organizations": frozenset({"1.2.3.4"})}


@pytest.mark.parametrize(
    ("user", "action", "document", "may"),
    [
        (None, "find", make_document(), True),
        (None, "remove", make_document("V"), True),
        (make_user(), "find", make_document("N"), False),
        (make_user(Coded("309343006", "1.2")), "find", make_document("N"), False),
        (make_user(PHYSICIAN), "find", make_document("N"), True),
        (make_user(PHYSICIAN), "find", make_document("N", "R"), True),
        (make_user(PHYSICIAN), "find", make_document("N", "V"), False),
        (make_user(PHYSICIAN), "find", make_document(), False),
        (make_user(PHYSICIAN), "find", make_document("V", **OWN), True),
        (make_user(PHYSICIAN, purposes=(ETREAT,)), "find", make_document("V"), True),
        (make_user(PHYSICIAN, purposes=(TREAT, ETREAT)), "retrieve", make_document("V"), True),
        (make_user(PHYSICIAN), "submit", make_document("V"), True),
        (make_user(PHYSICIAN), "update", make_document("N"), False),
        (make_user(PHYSICIAN), "update", make_document("N", **OWN), True),
        (make_user(PHYSICIAN, organization_id=None), "update", make_document("N", **OWN), False),
        (make_user(NURSE), "find", make_document("N"), True),
        (make_user(NURSE), "find", make_document("R"), False),
        (make_user(NURSE, purposes=(ETREAT,)), "find", make_document("R"), True),
        (make_user(NURSE, purposes=(ETREAT,)), "find", make_document("V"), False),
        (make_user(NURSE), "remove", make_document("N", **OWN), False),
        (make_user(PHARMACIST), "find", make_document("N"), False),
        (make_user(PHARMACIST), "find", make_document("R", type_code=PRESCRIPTION), True),
        (make_user(PHARMACIST), "find", make_document("R", class_code=PRESCRIPTION), True),
        (make_user(PHARMACIST), "submit", make_document("N"), False),
        (make_user(STAFF), "find", make_document("N"), False),
        (make_user(STAFF), "find", make_document("N", type_code=CARD), True),
        (make_user(STAFF, purposes=(ETREAT,)), "find", make_document("N", type_code=CARD), False),
        (make_user(STAFF), "submit", make_document("V"), True),
        (make_user(PATIENT), "find", make_document("N"), False),
        (make_user(PATIENT, patient_id=RECORD), "find", make_document("R"), True),
        (make_user(PATIENT, patient_id=RECORD), "find", make_document("N", "INVISIBLE_PATIENT"), False),
        (make_user(PATIENT, patient_id=RECORD), "remove", make_document("N"), False),
        (make_user(NURSE, PHARMACIST), "find", make_document("R", type_code=PRESCRIPTION), True),
    ],
)
def test_what_the_default_matrix_permits(user: User | None, action: str, document: Document, may: bool) -> None:
    assert permits(getattr(access(user), action), document) is may


def test_what_an_assertion_names_limits_every_action() -> None:
    limited = access(make_user(PHYSICIAN, patient_id=RECORD))
    assert {getattr(limited, action).patient for action in ACTIONS} == {RECORD}
    assert access(make_user(PHYSICIAN)).patient is None


def test_without_a_role_nothing_is_permitted() -> None:
    assert {getattr(access(make_user()), action).permits for action in ACTIONS} == {()}


@pytest.mark.parametrize("text", ["1.2.3.4", "urn:oid:1.2.3.4", "Clinic^^^^^^^^^1.2.3.4", "Clinic^^^^^&1.2.3&ISO^^^^4"])
def test_an_organisation_is_known_by_each_of_its_forms(text: str) -> None:
    principal = Principal("CN=x", "host", user=make_user(PHYSICIAN, organization_id=text))
    assert caller_of(IHE, principal).organization == "1.2.3.4"


def test_a_consent_can_call_a_caller_by_several_names() -> None:
    of_user = caller_of(IHE, Principal("CN=x", "host", user=make_user(NURSE))).grantees
    assert of_user == (EVERYBODY, f"role:106292003^^{SNOMED}", "organization:1.2.3.4", "person:jane")
    of_node = caller_of(IHE, Principal("CN=x", "host"))
    assert (of_node.roles, of_node.mode, of_node.grantees) == ((NODE,), NORMAL, (EVERYBODY, "role:node"))


def test_a_node_may_do_everything_that_no_patient_opposes() -> None:
    assert access(None) == Access.alike(
        AccessFilter("main", (Permit(),), None, (EVERYBODY, "role:node"), False, int(AT), ("node.all",))
    )


def test_callers_of_one_kind_share_their_permits() -> None:
    one, other = access(make_user(NURSE)), access(make_user(NURSE, name_id="john"))
    assert one.find.permits is other.find.permits


def test_the_words_of_the_matrix_are_known() -> None:
    for row in IHE.rows:
        assert row.role == NODE or row.role in IHE.roles
        assert row.mode in (ANY, NORMAL, *IHE.modes)
        assert row.documents == ANY or row.documents in IHE.documents
        assert row.confidentiality == (ANY,) or set(row.confidentiality) <= IHE.confidentialities.keys()
        assert set(row.actions) <= set(ACTIONS)
    assert len({row.id for row in IHE.rows}) == len(IHE.rows)


def test_rows_express_documents_by_profession_in_modes() -> None:
    """What the French matrix needs: a level of its own, a mode of its own, permission before anything is read."""
    rows = (
        IHE.rows[1]._replace(
            id="medecin.lecture",
            documents="compte rendu",
            confidentiality=("normal", "masqué"),
            mode="centre 15",
            consent="if permitted",
        ),
    )
    matrix = type(IHE)(
        name="example",
        roles={"physician": (("10", "1.2.250.1.71.1.2.7"),)},
        modes={"centre 15": (("CENTRE_15", "1.2"),)},
        confidentialities={"normal": (("N", "1.3"),), "masqué": (("MASQUE_PS", "1.4"),)},
        documents={"compte rendu": IHE.documents["medication"]},
        rows=rows,
    )
    user = make_user(Coded("10", "1.2.250.1.71.1.2.7"), purposes=(Coded("CENTRE_15", "1.2"),))
    (permit,) = access_of(matrix, Principal("x", "y", user=user), "main", AT).find.permits
    assert (permit.confidentiality, permit.consent) == ((("N", "1.3"), ("MASQUE_PS", "1.4")), "if permitted")
    assert access_of(matrix, Principal("x", "y", user=user._replace(purposes=())), "main", AT).find.permits == ()
