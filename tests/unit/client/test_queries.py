"""What a consumer asks is what the codec of the registry reads."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from xds_gateway.client import Code
from xds_gateway.client.queries import (
    DocumentFilter,
    StoredQueryCall,
    find_documents,
    get_documents,
    get_related_documents,
)
from xds_gateway.codec.queries import parse_stored_query
from xds_gateway.model import queries as q
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import Finding
from xds_gateway.model.messages import QueryRequest

PATIENT = "it's^^^&1.2.3&ISO"
UUID = "urn:uuid:00000000-0000-4000-8000-000000000042"


def ask(call: StoredQueryCall) -> q.StoredQuery:
    findings: list[Finding] = []
    _, query_id, parameters = call
    query = parse_stored_query(
        QueryRequest(query_id=query_id, return_type="LeafClass", parameters=parameters), findings
    )
    assert findings == []
    assert query is not None
    return query


def test_a_patient_alone_asks_for_approved_documents() -> None:
    query = ask(find_documents(PATIENT, DocumentFilter()))
    assert isinstance(query, q.FindDocuments)
    assert (query.patient_id.id, query.statuses) == ("it's", (v.APPROVED,))


@pytest.mark.parametrize(
    ("given", "attribute"),
    [
        ("class_codes", "class_code"),
        ("type_codes", "type_code"),
        ("practice_setting_codes", "practice_setting_code"),
        ("healthcare_facility_type_codes", "healthcare_facility_type_code"),
        ("format_codes", "format_code"),
        ("event_codes", "event_code_list"),
        ("confidentiality_codes", "confidentiality_code"),
    ],
)
def test_codes_of_one_kind_are_alternatives(given: str, attribute: str) -> None:
    codes = (Code("A", "1.2", "shown"), Code("it's", "1.3"))
    query = ask(find_documents(PATIENT, DocumentFilter(**{given: codes})))  # type: ignore[arg-type]
    assert isinstance(query, q.FindDocuments)
    assert query.codes[attribute] == ((("A", "1.2"), ("it's", "1.3")),)


@pytest.mark.parametrize(
    ("given", "attribute"),
    [
        ("created", "creation_time"),
        ("service_started", "service_start_time"),
        ("service_stopped", "service_stop_time"),
    ],
)
def test_periods_are_sent_in_utc(given: str, attribute: str) -> None:
    paris = timezone(timedelta(hours=1))
    period = ("2023", datetime(2024, 1, 1, 0, 30, tzinfo=paris))
    query = ask(find_documents(PATIENT, DocumentFilter(**{given: period})))  # type: ignore[arg-type]
    assert isinstance(query, q.FindDocuments)
    start, stop = query.times[attribute]
    assert start is not None
    assert stop is not None
    assert (start.earliest, stop.earliest) == (20230101000000, 20231231233000)


@pytest.mark.parametrize("period", [(None, None), ("2023", None), (None, datetime(2024, 1, 1, tzinfo=UTC))])
def test_an_open_end_does_not_restrict(period: tuple[object, object]) -> None:
    _, _, parameters = find_documents(PATIENT, DocumentFilter(created=period))  # type: ignore[arg-type]
    assert sum("CreationTime" in name for name, _ in parameters) == sum(end is not None for end in period)


def test_statuses_and_authors() -> None:
    query = ask(find_documents(PATIENT, DocumentFilter(status=("approved", v.DEPRECATED), authors=("%O'Neil%",))))
    assert isinstance(query, q.FindDocuments)
    assert query.statuses == (v.APPROVED, v.DEPRECATED)
    assert "%O'Neil%" in str(query.author_person)


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [((UUID,), q.GetDocuments(uuids=(UUID,))), (("1.2^3", "1.4"), q.GetDocuments(unique_ids=("1.2^3", "1.4")))],
)
def test_documents_are_asked_by_either_id(identifiers: tuple[str, ...], expected: q.GetDocuments) -> None:
    assert ask(get_documents(identifiers)) == expected


def test_relations_are_asked_by_type() -> None:
    query = ask(get_related_documents(UUID, ("RPLC", v.APND)))
    assert isinstance(query, q.GetRelatedDocuments)
    assert (query.uuid, query.association_types) == (UUID, (v.RPLC, v.APND))


def test_short_names_are_sent_as_urns() -> None:
    _, _, parameters = get_related_documents(UUID, ("RPLC",))
    assert parameters[1] == ("$AssociationTypes", (f"('{v.RPLC}')",))
