"""ITI-43 on the wire: documents, what is not here, and whose fault it is (ITI TF-2 3.43)."""

import pytest

from .messages import PLAIN, REPOSITORY, Message, accepted, envelope, plain, provide, retrieve, retrieve_body, send

OTHER = "1.3.6.1.4.1.21367.999"


@pytest.mark.parametrize("wire", ["mtom", "inline"])
@pytest.mark.parametrize(
    ("wanted", "status", "codes"),
    [
        (["known"], "Success", []),
        (["known", "known2"], "Success", []),
        (["known", "unknown"], "PartialSuccess", ["XDSDocumentUniqueIdError"]),
        (["known", "elsewhere"], "PartialSuccess", ["XDSUnknownRepositoryId"]),
        (["unknown", "elsewhere", "known2"], "PartialSuccess", ["XDSDocumentUniqueIdError", "XDSUnknownRepositoryId"]),
        (["unknown"], "Failure", ["XDSDocumentUniqueIdError"]),
        (["elsewhere"], "Failure", ["XDSUnknownRepositoryId"]),
        (["unknown", "unknown"], "Failure", ["XDSDocumentUniqueIdError", "XDSDocumentUniqueIdError"]),
    ],
)
def test_each_document_is_returned_or_explained(gateway, wire, wanted, status, codes):
    provided = accepted(gateway, provide(b"first", b"second"))
    first, second = provided.unique_ids
    asked = {
        "known": (first, REPOSITORY),
        "known2": (second, REPOSITORY),
        "unknown": ("1.2.9", REPOSITORY),
        "elsewhere": (first, OTHER),
    }
    body = b"".join(_request(*asked[name]) for name in wanted)
    whole = retrieve_body(first).replace(_request(first, REPOSITORY), body)
    message = (
        plain("ITI-43", whole) if wire == "inline" else retrieve(first).replaced(_request(first, REPOSITORY), body)
    )
    answer = send(gateway, message)
    assert (answer.status, sorted(answer.errors)) == (status, sorted(codes))
    contents = {first: b"first", second: b"second"}
    assert answer.documents == {asked[name][0]: contents[asked[name][0]] for name in wanted if name.startswith("known")}


def _request(unique_id: str, repository: str) -> bytes:
    inner = retrieve_body(unique_id, repository=repository)
    start = inner.index(b"<x:DocumentRequest>")
    return inner[start : inner.rindex(b"</x:DocumentRequest>") + len(b"</x:DocumentRequest>")]


def test_the_answer_repeats_what_was_asked(gateway):
    provided = accepted(gateway, provide(b"x"))
    answer = send(gateway, retrieve(*provided.unique_ids))
    (response,) = answer.all(".//x:DocumentResponse")
    children = [(child.tag.rsplit("}")[1], child.text) for child in response if child.text]
    assert children == [
        ("RepositoryUniqueId", REPOSITORY),
        ("DocumentUniqueId", provided.unique_ids[0]),
        ("mimeType", "text/plain"),
    ]


@pytest.mark.parametrize(
    ("home", "asked", "codes"),
    [
        (None, None, []),
        (None, "urn:oid:1.2.3", []),
        ("urn:oid:1.2.3", "urn:oid:1.2.3", []),
        ("urn:oid:1.2.3", None, []),
        ("urn:oid:1.2.3", "urn:oid:1.2.4", ["XDSUnknownCommunity"]),
    ],
)
def test_the_home_community_of_a_request_is_checked_where_there_is_one(start_gateway, home, asked, codes):
    gateway = start_gateway(domains=[{"home_community_id": home} if home else {"name": "default"}])
    provided = accepted(gateway, provide(b"x"))
    message = retrieve(*provided.unique_ids)
    if asked:
        element = f"<x:DocumentRequest><x:HomeCommunityId>{asked}</x:HomeCommunityId>".encode()
        message = message.replaced(b"<x:DocumentRequest>", element)
    assert send(gateway, message).errors == codes


@pytest.mark.parametrize(
    ("old", "codes"),
    [
        (b"RepositoryUniqueId", ["XDSUnknownRepositoryId"]),
        (b"DocumentUniqueId", ["XDSDocumentUniqueIdError"]),
    ],
)
def test_a_request_without_an_id_is_refused(gateway, old, codes):
    body = retrieve_body("1.2.3")
    for mark in (b"<x:", b"</x:"):
        body = body.replace(mark + old + b">", mark + b"Nothing>")
    assert send(gateway, plain("ITI-43", body)).errors == codes


def test_a_request_for_nothing_is_a_fault(gateway):
    body = b'<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"/>'
    assert send(gateway, Message("repository", {"Content-Type": PLAIN}, envelope("ITI-43", body))).fault == "Sender"


def test_many_documents_at_once(gateway):
    contents = [b"document %d " % number * 5000 for number in range(60)]
    provided = accepted(gateway, provide(*contents))
    answer = send(gateway, retrieve(*provided.unique_ids))
    assert list(answer.documents.values()) == contents


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
@pytest.mark.parametrize("wire", ["mtom", "inline"])
def test_documents_around_a_chunk_come_back_in_either_form(gateway, size, wire):
    content = bytes(range(251)) * (size // 251) + b"z" * (size % 251)
    provided = accepted(gateway, provide(content))
    message = retrieve(*provided.unique_ids) if wire == "mtom" else plain("ITI-43", retrieve_body(*provided.unique_ids))
    answer = send(gateway, message)
    assert answer.response.whole
    assert answer.documents == {provided.unique_ids[0]: content}


def test_the_same_document_asked_twice(gateway):
    provided = accepted(gateway, provide(b"twice"))
    answer = send(gateway, retrieve(*provided.unique_ids * 2))
    assert answer.status == "Success"
    assert len(answer.all(".//x:DocumentResponse")) == 2
    assert answer.documents == {provided.unique_ids[0]: b"twice"}
