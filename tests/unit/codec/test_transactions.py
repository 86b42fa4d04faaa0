"""The map: a message finds its row by endpoint, action and body."""

from typing import get_type_hints

import pytest

from xds_gateway.actors.domain import DomainActors
from xds_gateway.codec.transactions import TRANSACTIONS, TransactionRow, transaction_for
from xds_gateway.model.errors import SoapFault

EACH = pytest.mark.parametrize("row", TRANSACTIONS, ids=lambda row: row.name)


@EACH
def test_a_message_finds_its_row(row: TransactionRow) -> None:
    assert transaction_for(row.endpoint, row.request_action, row.body) is row


@EACH
def test_the_other_endpoint_does_not_know_the_action(row: TransactionRow) -> None:
    other = "repository" if row.endpoint == "registry" else "registry"
    with pytest.raises(SoapFault) as raised:
        transaction_for(other, row.request_action, row.body)
    assert raised.value.rule == "wsa.ActionNotSupported"


@pytest.mark.parametrize(
    "action", ["", "urn:ihe:iti:2007:RegisterDocumentSet", "urn:ihe:iti:2007:registerdocumentset-b"]
)
def test_an_unknown_action(action: str) -> None:
    with pytest.raises(SoapFault) as raised:
        transaction_for("registry", action, TRANSACTIONS[0].body)
    assert raised.value.rule == "wsa.ActionNotSupported"
    assert raised.value.details[0].text == action


@EACH
@pytest.mark.parametrize("body", ["x", *sorted({row.body for row in TRANSACTIONS})])
def test_action_and_body_must_agree(row: TransactionRow, body: str) -> None:
    if body == row.body:
        assert transaction_for(row.endpoint, row.request_action, body).body == body
        return
    with pytest.raises(SoapFault) as raised:
        transaction_for(row.endpoint, row.request_action, body)
    assert raised.value.rule == "wsa.ActionMismatch"


@EACH
def test_a_row_has_an_actor_method_that_admits_and_performs(row: TransactionRow) -> None:
    actor = get_type_hints(DomainActors)[row.actor]
    assert callable(getattr(actor, row.actor_method))
    assert callable(getattr(actor, f"admit_{row.actor_method}"))


# ITI TF-2 3.18.6, 3.41.6, 3.42.6, 3.43.6, 3.44.4, 3.51.4.1.2.3; supplements MU, RMD, RMU
@pytest.mark.parametrize(
    ("name", "endpoint", "request_action", "response_action", "operation"),
    [
        (
            "ITI-18",
            "registry",
            "urn:ihe:iti:2007:RegistryStoredQuery",
            "urn:ihe:iti:2007:RegistryStoredQueryResponse",
            "DocumentRegistry_RegistryStoredQuery",
        ),
        (
            "ITI-41",
            "repository",
            "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
            "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
            "DocumentRepository_ProvideAndRegisterDocumentSet-b",
        ),
        (
            "ITI-42",
            "registry",
            "urn:ihe:iti:2007:RegisterDocumentSet-b",
            "urn:ihe:iti:2007:RegisterDocumentSet-bResponse",
            "DocumentRegistry_RegisterDocumentSet-b",
        ),
        (
            "ITI-43",
            "repository",
            "urn:ihe:iti:2007:RetrieveDocumentSet",
            "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
            "DocumentRepository_RetrieveDocumentSet",
        ),
        (
            "ITI-51",
            "registry",
            "urn:ihe:iti:2009:MultiPatientStoredQuery",
            "urn:ihe:iti:2009:MultiPatientStoredQueryResponse",
            "DocumentRegistry_MultiPatientStoredQuery",
        ),
        (
            "ITI-62",
            "registry",
            "urn:ihe:iti:2010:DeleteDocumentSet",
            "urn:ihe:iti:2010:DeleteDocumentSetResponse",
            "DocumentRegistry_DeleteDocumentSet",
        ),
        (
            "ITI-57",
            "registry",
            "urn:ihe:iti:2010:UpdateDocumentSet",
            "urn:ihe:iti:2010:UpdateDocumentSetResponse",
            "DocumentRegistry_UpdateDocumentSet",
        ),
        (
            "ITI-92",
            "responder",
            "urn:ihe:iti:2018:RestrictedUpdateDocumentSet",
            "urn:ihe:iti:2018:RestrictedUpdateDocumentSetResponse",
            "UpdateResponder_RestrictedUpdateDocumentSet",
        ),
        (
            "ITI-86",
            "repository",
            "urn:ihe:iti:2017:RemoveDocuments",
            "urn:ihe:iti:2017:RemoveDocumentsResponse",
            "DocumentRepository_RemoveDocuments",
        ),
        (
            "ITI-44",
            "patients",
            "urn:hl7-org:v3:PRPA_IN201301UV02",
            "urn:hl7-org:v3:MCCI_IN000002UV01",
            "DocumentRegistry_PRPA_IN201301UV02",
        ),
        (
            "ITI-44",
            "patients",
            "urn:hl7-org:v3:PRPA_IN201302UV02",
            "urn:hl7-org:v3:MCCI_IN000002UV01",
            "DocumentRegistry_PRPA_IN201302UV02",
        ),
        (
            "ITI-44",
            "patients",
            "urn:hl7-org:v3:PRPA_IN201304UV02",
            "urn:hl7-org:v3:MCCI_IN000002UV01",
            "DocumentRegistry_PRPA_IN201304UV02",
        ),
    ],
)
def test_the_names_are_those_of_the_standard(
    name: str, endpoint: str, request_action: str, response_action: str, operation: str
) -> None:
    row = next(row for row in TRANSACTIONS if (row.name, row.request_action) == (name, request_action))
    assert (row.endpoint, row.request_action, row.response_action, row.operation) == (
        endpoint,
        request_action,
        response_action,
        operation,
    )
