"""The bodies of ITI-62 and ITI-86 come back as they were, and are read as others write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.strategies import SOME_TEXT, UUIDS, tuples
from xds_gateway import contracts
from xds_gateway.codec import xdsb
from xds_gateway.model.errors import ErrorCode, Finding, Severity, SoapFault
from xds_gateway.model.messages import (
    DocumentRequest,
    RemoveDocumentsRequest,
    RemoveDocumentsResponse,
    RemoveRequest,
)

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RMD = "urn:ihe:iti:rmd:2017"
IDS = SOME_TEXT.map(str.strip)
DOCUMENTS = st.builds(DocumentRequest, IDS, IDS, st.none() | IDS.filter(bool))
ONE = DocumentRequest("1.2", "1.2.3", None)
ERROR = Finding(code=ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, rule="r", sentence="No.")
WARNING = Finding(code=ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, rule="r", sentence="Well.", severity=Severity.WARNING)


@given(
    st.builds(
        RemoveRequest, references=tuples(SOME_TEXT), queries=st.integers(0, 2), deletion_scope=st.none() | SOME_TEXT
    )
)
def test_a_remove_request_comes_back_as_it_was(request: RemoveRequest) -> None:
    root = etree.fromstring(xdsb.render_remove_request(request))
    assert root.tag == xdsb.REMOVE_REQUEST
    assert xdsb.parse_remove_request(root, []) == request


@given(st.lists(DOCUMENTS, min_size=1, max_size=3).map(tuple))
def test_a_remove_documents_request_comes_back_as_it_was(documents: tuple[DocumentRequest, ...]) -> None:
    request = RemoveDocumentsRequest(documents=documents)
    root = etree.fromstring(xdsb.render_remove_documents_request(request))
    assert root.tag == xdsb.REMOVE_DOCUMENTS_REQUEST
    assert xdsb.parse_remove_documents_request(root, []) == request


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("", RemoveRequest(references=())),
        ("<r:ObjectRefList/>", RemoveRequest(references=())),
        ('<r:ObjectRefList><r:ObjectRef id="a"/><r:ObjectRef/></r:ObjectRefList>', RemoveRequest(references=("a", ""))),
        (
            '<r:AdhocQuery id="q"/><r:ObjectRefList><!-- c --><r:ObjectRef id="a" home="h"/></r:ObjectRefList>',
            RemoveRequest(references=("a",), queries=1),
        ),
        ('<x/><r:ObjectRefList><x/><r:ObjectRef id="a"/></r:ObjectRefList>', RemoveRequest(references=("a",))),
    ],
)
def test_a_remove_request_as_senders_write_it(inner: str, expected: RemoveRequest) -> None:
    body = etree.fromstring(f'<l:RemoveObjectsRequest xmlns:l="{LCM}" xmlns:r="{RIM}">{inner}</l:RemoveObjectsRequest>')
    assert xdsb.parse_remove_request(body, []) == expected


def test_a_deletion_scope_is_read() -> None:
    body = etree.fromstring(f'<l:RemoveObjectsRequest xmlns:l="{LCM}" deletionScope="urn:all"/>')
    assert xdsb.parse_remove_request(body, []) == RemoveRequest(references=(), deletion_scope="urn:all")


def test_a_document_without_ids_is_read_and_a_request_without_documents_is_none() -> None:
    body = etree.fromstring(
        f'<m:RemoveDocumentsRequest xmlns:m="{RMD}"><DocumentRequest xmlns="urn:ihe:iti:xds-b:2007"/>'
        "</m:RemoveDocumentsRequest>"
    )
    assert xdsb.parse_remove_documents_request(body, []).documents == (DocumentRequest("", "", None),)
    with pytest.raises(SoapFault) as raised:
        xdsb.parse_remove_documents_request(etree.fromstring(f'<m:RemoveDocumentsRequest xmlns:m="{RMD}"/>'), [])
    assert raised.value.rule == "xdsb.structure"


@pytest.mark.parametrize(
    ("removed", "findings", "status"),
    [
        ((ONE,), (), "ResponseStatusType:Success"),
        ((ONE,), (WARNING,), "ResponseStatusType:Success"),
        ((ONE,), (ERROR,), "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"),
        ((), (ERROR,), "ResponseStatusType:Failure"),
    ],
)
def test_some_documents_are_a_partial_success(
    removed: tuple[DocumentRequest, ...], findings: tuple[Finding, ...], status: str
) -> None:
    (piece,) = xdsb.render_remove_documents_response(RemoveDocumentsResponse(removed=removed, findings=findings))
    assert isinstance(piece, bytes)
    answer = etree.fromstring(piece)
    assert answer.get("status", "").endswith(status)
    assert len(list(answer.iter("{*}RegistryError"))) == len(findings)


@given(st.lists(UUIDS, min_size=1, max_size=3).map(tuple))
def test_rendered_requests_are_conformant(references: tuple[str, ...]) -> None:
    for schema, body in (
        ("lcm.xsd", xdsb.render_remove_request(RemoveRequest(references=references))),
        ("RMD.xsd", xdsb.render_remove_documents_request(RemoveDocumentsRequest(documents=(ONE,)))),
    ):
        validator = etree.XMLSchema(file=str(contracts.schema_path(schema)))
        assert validator.validate(etree.fromstring(body)), validator.error_log


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("lcm.xsd", xdsb.render_remove_request(RemoveRequest(references=("urn:uuid:1",), queries=1))),
        ("lcm.xsd", xdsb.render_remove_request(RemoveRequest(references=("urn:uuid:1",), deletion_scope="urn:s"))),
        ("RMD.xsd", f'<m:RemoveDocumentsRequest xmlns:m="{RMD}"/>'.encode()),
    ],
)
def test_what_no_request_may_hold_is_not_conformant(schema: str, body: bytes) -> None:
    assert not etree.XMLSchema(file=str(contracts.schema_path(schema))).validate(etree.fromstring(body))
