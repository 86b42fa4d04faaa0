"""The path of a request in process: its order, and the answer to each kind of failure."""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.actors.test_registry import find, numbered
from tests.unit.builders import CONTENT, REPOSITORY, make_entry, make_parts, make_submission
from tests.unit.domains import make_call, open_domain
from tests.unit.server.exchanges import (
    LIMITS,
    MESSAGE_ID,
    ROWS,
    Bench,
    Body,
    Received,
    chunked,
    envelope,
    make_request,
    mtom,
    multipart,
    plain,
)
from xds_gateway.actors.ports import Prepared, Receipt, Snapshot, Transaction
from xds_gateway.codec import xdsb
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.soap import SOAP11, SOAP12
from xds_gateway.codec.xml import XmlLimits
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import StorageBusy, StorageFull
from xds_gateway.model.messages import (
    DocumentPart,
    DocumentRequest,
    ProvideRequest,
    RemoveDocumentsRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import RegistryObject, Submission
from xds_gateway.model.value_sets import NO_VALUE_SETS, ValueSets
from xds_gateway.server.exchange import ClientGone, HttpRequest

T = TypeVar("T")
MTOM_TYPE = MultipartRenderer("uuid:11111111-2222-4333-8444-555555555555").content_type()
LARGE = bytes(range(256)) * 4096  # 1 MiB


def provide_body(submission: Submission, parts: Sequence[DocumentPart] | None = None) -> bytes:
    kept = make_parts(submission) if parts is None else tuple(parts)
    return xdsb.render_provide_request(ProvideRequest(submission=submission, parts=kept))


def attached(submission: Submission, content: bytes = CONTENT) -> list[tuple[str, bytes]]:
    return [(part.content_id or "", content) for part in make_parts(submission)]


def provided(submission: Submission, content: bytes = CONTENT, **changes: Any) -> HttpRequest:
    """ITI-41 with one attachment for each entry."""
    return mtom("ITI-41", provide_body(submission), attached(submission, content), **changes)


def large(submission_number: int = 1, **entry: Any) -> Submission:
    slots = {"hash": hashlib.sha1(LARGE).hexdigest(), "size": str(len(LARGE)), **entry.pop("slots", {})}
    return numbered(submission_number, entry={"slots": slots, **entry})


def inline(submission: Submission, text: str) -> HttpRequest:
    parts = [DocumentPart(entry.id, None, text) for entry in submission.document_entries]
    return plain("ITI-41", provide_body(submission, parts))


def retrieved(*numbers: int, form: Callable[..., HttpRequest] = mtom) -> HttpRequest:
    documents = tuple(DocumentRequest(REPOSITORY, make_entry(number).unique_id or "") for number in numbers)
    return form("ITI-43", xdsb.render_retrieve_request(RetrieveRequest(documents=documents)))


def outcome(received: Received) -> tuple[str, list[str]]:
    """Status and codes of an answer that is no fault."""
    status, errors = xdsb.parse_registry_response(received.body)
    return status.rsplit(":", 1)[1], [error.code for error in errors]


CREATION_TIME_MISSING = {"slots": {"creationTime": None}}


# ---- the four transactions ----


def test_a_document_goes_in_and_comes_back(bench: Bench) -> None:
    assert outcome(bench.answer(provided(make_submission()))) == ("Success", [])
    received = bench.answer(retrieved(1))
    assert outcome(received) == ("Success", [])
    _, _, (document,) = xdsb.parse_retrieve_response(received.body)
    assert received.parts[document.content_id or ""] == CONTENT
    found = bench.answer(plain("ITI-18", xdsb.render_query_request(find())), "registry")
    assert found.body.get("status") == v.SUCCESS
    assert found.content.count(b"<rim:ExtrinsicObject") == 1


def test_a_submission_without_documents_is_registered(bench: Bench) -> None:
    received = bench.answer(plain("ITI-42", render_submission(make_submission())), "registry")
    assert outcome(received) == ("Success", [])


@pytest.mark.parametrize(
    ("request_", "endpoint", "name", "is_mtom"),
    [
        (lambda: provided(make_submission()), "repository", "ITI-41", True),
        (lambda: provided(numbered(1, entry=CREATION_TIME_MISSING)), "repository", "ITI-41", True),
        (lambda: inline(make_submission(), base64.b64encode(CONTENT).decode()), "repository", "ITI-41", False),
        (lambda: retrieved(1), "repository", "ITI-43", True),
        (lambda: retrieved(1, form=plain), "repository", "ITI-43", False),
        (lambda: plain("ITI-42", render_submission(make_submission())), "registry", "ITI-42", False),
        (lambda: mtom("ITI-42", render_submission(make_submission())), "registry", "ITI-42", False),
        (lambda: plain("ITI-18", xdsb.render_query_request(find())), "registry", "ITI-18", False),
    ],
    ids=["provide", "refused", "inline", "retrieve", "retrieve plain", "register", "register mtom", "query"],
)
def test_an_answer_relates_and_has_the_form_of_its_request(
    tmp_path: Path, request_: Callable[[], HttpRequest], endpoint: str, name: str, is_mtom: bool
) -> None:
    with open_domain(tmp_path) as domain:
        received = Bench(domain).answer(request_(), endpoint)
    assert received.status == 200
    assert received.mtom is is_mtom
    assert (received.header("Action"), received.header("RelatesTo")) == (ROWS[name].response_action, MESSAGE_ID)
    assert received.response.content_length == len(received.content)


@pytest.mark.parametrize("form", [mtom, plain])
@pytest.mark.parametrize("content", [b"", CONTENT, LARGE])
def test_documents_of_any_size_come_back_whole(bench: Bench, content: bytes, form: Callable[..., HttpRequest]) -> None:
    slots = {"hash": hashlib.sha1(content).hexdigest(), "size": str(len(content))}
    submission = numbered(1, entry={"slots": slots})
    assert outcome(bench.answer(provided(submission, content))) == ("Success", [])
    received = bench.answer(retrieved(1, 1, form=form))
    _, _, documents = xdsb.parse_retrieve_response(received.body)
    bytes_ = [
        base64.b64decode(found.inline) if found.inline is not None else received.parts[found.content_id or ""]
        for found in documents
    ]
    assert bytes_ == [content, content]
    assert received.response.content_length == len(received.content)
    assert (received.response.stream is None) is (len(content) <= 1 << 20)


def test_large_documents_are_streamed(bench: Bench) -> None:
    content = LARGE + b"."
    slots = {"hash": hashlib.sha1(content).hexdigest(), "size": str(len(content))}
    bench.answer(provided(numbered(1, entry={"slots": slots}), content))
    for form in (mtom, plain):
        received = bench.answer(retrieved(1, form=form))
        assert received.response.stream is not None
        assert received.response.content_length == len(received.content)


@pytest.mark.parametrize("spaces", ["", "\n", " \t\r\n"])
def test_an_inline_document_is_stored(bench: Bench, spaces: str) -> None:
    text = spaces.join(base64.b64encode(CONTENT).decode())
    assert outcome(bench.answer(inline(make_submission(), text))) == ("Success", [])
    assert bench.domain.documents() == [CONTENT]
    assert bench.domain.spooled() == []


# ---- the order: a stranger never fills the disk ----


def begun_after(bench: Bench, request: HttpRequest, endpoint: str = "repository") -> int:
    bench.answer(request, endpoint)
    assert bench.domain.spooled() == []
    assert bench.domain.documents() == []
    return bench.documents.begun


def with_large(root: bytes) -> HttpRequest:
    return make_request(multipart(root, [("Document01@example.org", LARGE)]), MTOM_TYPE)


@pytest.mark.parametrize(
    "request_",
    [
        lambda: provided(large(1, slots={"creationTime": None}), LARGE),
        lambda: provided(numbered(1, entry=CREATION_TIME_MISSING)),
        lambda: with_large(b"no xml"),
        lambda: with_large(b"<!DOCTYPE x><x/>"),
        lambda: with_large(envelope("ITI-41", provide_body(large()), "urn:example:unknown")),
        lambda: with_large(envelope("ITI-41", render_submission(large()))),
        lambda: with_large(envelope("ITI-41", b"")),
    ],
    ids=["metadata", "small", "no xml", "doctype", "action", "mismatch", "no body"],
)
def test_no_spool_file_for_what_is_refused(tmp_path: Path, request_: Callable[[], HttpRequest]) -> None:
    with open_domain(tmp_path) as domain:
        assert begun_after(Bench(domain), request_()) == 0


def test_no_byte_of_a_refused_document_is_waited_for(bench: Bench) -> None:
    body = Body(
        chunked(
            multipart(
                envelope("ITI-41", provide_body(large(slots={"creationTime": None}))),
                [("Document01@example.org", LARGE)],
            )
        )
    )
    received = bench.answer(make_request(body, MTOM_TYPE))
    assert outcome(received) == ("Failure", ["XDSRegistryMetadataError"])
    assert body.taken < len(body.chunks)


def test_a_caller_without_a_certificate_is_not_even_read(bench: Bench) -> None:
    strict = Bench(bench.domain, certificate_required=True)
    body = Body([b"x"])
    received = strict.answer(make_request(body, MTOM_TYPE))
    assert (received.status, received.content_type) == (403, "text/plain; charset=UTF-8")
    assert body.taken == 0


@pytest.mark.parametrize("after", [1, 4, 12])
def test_a_client_that_goes_away_leaves_nothing(bench: Bench, after: int) -> None:
    data = chunked(multipart(envelope("ITI-41", provide_body(large())), attached(large(), LARGE)))
    request = make_request(Body(data[:after], ClientGone()), MTOM_TYPE)
    with pytest.raises(ClientGone):
        asyncio.run(bench.pipeline.answer(request, bench.mount, "repository"))
    assert bench.domain.spooled() == []
    assert bench.domain.documents() == []
    assert bench.domain.changes() == []


@pytest.mark.parametrize(
    "data",
    [
        multipart(envelope("ITI-41", provide_body(large())), attached(large(), LARGE))[:-200_000],
        multipart(envelope("ITI-41", provide_body(large())), [*attached(large(), LARGE)] * 2),
    ],
    ids=["truncated", "doubled part"],
)
def test_a_broken_message_leaves_nothing(bench: Bench, data: bytes) -> None:
    received = bench.answer(make_request(data, MTOM_TYPE))
    assert received.fault == "Sender"
    assert bench.domain.spooled() == []
    assert bench.domain.documents() == []


@pytest.mark.parametrize("form", [inline, None])
def test_refused_documents_do_not_fill_the_spool(tmp_path: Path, form: Callable[..., HttpRequest] | None) -> None:
    with open_domain(tmp_path, spool_quota=3 * len(CONTENT)) as domain:
        bench = Bench(domain)
        for number in range(1, 6):
            wrong = numbered(number, entry={"slots": {"hash": "0" * 40}})
            request = inline(wrong, base64.b64encode(CONTENT).decode()) if form else provided(wrong)
            assert outcome(bench.answer(request)) == ("Failure", ["XDSRepositoryMetadataError"])
            assert domain.spooled() == []
        assert outcome(bench.answer(provided(numbered(9)))) == ("Success", [])


def test_a_part_that_nobody_includes_is_passed_over(bench: Bench) -> None:
    submission = make_submission()
    request = mtom("ITI-41", provide_body(submission), [("other", LARGE), *attached(submission), ("more", LARGE)])
    assert outcome(bench.answer(request)) == ("Success", [])
    assert bench.documents.begun == 1
    assert bench.domain.documents() == [CONTENT]


def test_one_part_included_twice_is_two_documents(bench: Bench) -> None:
    submission = make_submission(entries=(make_entry(1), make_entry(2)))
    parts = [part._replace(content_id="one") for part in make_parts(submission)]
    received = bench.answer(mtom("ITI-41", provide_body(submission, parts), [("one", CONTENT)]))
    assert outcome(received) == ("Success", [])


def test_a_part_that_is_not_there(bench: Bench) -> None:
    submission = make_submission(entries=(make_entry(1), make_entry(2)))
    received = bench.answer(mtom("ITI-41", provide_body(submission), attached(submission)[:1]))
    assert outcome(received) == ("Failure", ["XDSMissingDocument"])
    assert bench.domain.spooled() == []


# ---- each failure has its answer ----


class FailingStore:
    """A registry store that fails when it must commit."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def prepare(self, objects: Sequence[RegistryObject], receipt: Receipt | None = None) -> Sequence[Prepared]:
        return [Prepared(item, None) for item in objects]

    def value_sets(self) -> ValueSets:
        return NO_VALUE_SETS

    def inspect(self, work: Callable[[Snapshot], T]) -> T:
        return work(MemorySnapshot())

    def write(self, work: Callable[[Transaction], T]) -> T:
        raise self._failure


@pytest.mark.parametrize(
    ("failure", "registry", "repository"),
    [
        (StorageFull("disk"), "XDSRegistryOutOfResources", "XDSRepositoryOutOfResources"),
        (StorageBusy("lock"), "XDSRegistryBusy", "XDSRepositoryBusy"),
        (RuntimeError("patient Durand"), "XDSRegistryError", "XDSRepositoryError"),
        (KeyError("patient Durand"), "XDSRegistryError", "XDSRepositoryError"),
    ],
)
def test_our_own_failures_are_told_in_the_codes_of_the_standard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, failure: Exception, registry: str, repository: str
) -> None:
    caplog.set_level(logging.INFO)
    with open_domain(tmp_path, store=FailingStore(failure)) as domain:
        bench = Bench(domain)
        one = bench.answer(plain("ITI-42", render_submission(make_submission())), "registry")
        two = bench.answer(provided(make_submission()))
        assert (outcome(one), outcome(two)) == (("Failure", [registry]), ("Failure", [repository]))
        assert (one.status, two.status) == (200, 200)
        assert [event.codes for event in domain.journal()] == [(registry,), (repository,)]
    assert b"Durand" not in one.content + two.content
    assert not any("Durand" in record.getMessage() for record in caplog.records)


def test_a_spool_without_room_is_busy(tmp_path: Path) -> None:
    with open_domain(tmp_path, spool_quota=len(CONTENT) - 1) as domain:
        assert outcome(Bench(domain).answer(provided(make_submission()))) == ("Failure", ["XDSRepositoryBusy"])
        assert domain.spooled() == []


class FullJournal:
    """A journal without room."""

    def record(self, *events: object) -> None:
        raise StorageFull("full")


def test_a_read_that_cannot_be_audited_is_refused(tmp_path: Path) -> None:
    with open_domain(tmp_path, journal=FullJournal()) as domain:
        bench = Bench(domain)
        bench.answer(provided(make_submission()))
        received = bench.answer(retrieved(1))
        assert outcome(received) == ("Failure", ["XDSRepositoryOutOfResources"])
        assert CONTENT not in received.content
        found = bench.answer(plain("ITI-18", xdsb.render_query_request(find())), "registry")
        assert outcome(found) == ("Failure", ["XDSRegistryOutOfResources"])
        assert b"ExtrinsicObject" not in found.content


def damage(bench: Bench) -> None:
    for path in (bench.domain.folder / "data" / "documents").glob("??/??/*"):
        path.chmod(0o600)
        path.write_bytes(b"!" + path.read_bytes()[1:])


def test_a_damaged_document_is_an_error_not_an_answer(bench: Bench) -> None:
    bench.answer(provided(numbered(1)))
    damage(bench)
    bench.answer(provided(numbered(2)))
    received = bench.answer(retrieved(1, 2))
    assert outcome(received) == ("PartialSuccess", ["XDSRepositoryError"])
    _, _, documents = xdsb.parse_retrieve_response(received.body)
    assert [found.request.document_unique_id for found in documents] == [make_entry(2).unique_id]
    assert outcome(bench.answer(retrieved(1))) == ("Failure", ["XDSRepositoryError"])


def test_a_damaged_large_document_breaks_off_the_answer(bench: Bench) -> None:
    content = LARGE + b"."
    slots = {"hash": hashlib.sha1(content).hexdigest(), "size": str(len(content))}
    bench.answer(provided(numbered(1, entry={"slots": slots}), content))
    damage(bench)
    with pytest.raises(Exception, match="damaged"):
        bench.answer(retrieved(1))


def remove_when_opened(bench: Bench) -> None:
    """The next document that is opened is removed just before that, after it was found."""
    opened = bench.documents.open

    def removed_first(document: Any) -> Any:
        bench.documents.open = opened
        unique_id = make_entry(1).unique_id or ""
        request = RemoveDocumentsRequest(documents=(DocumentRequest(REPOSITORY, unique_id),))
        bench.domain.actors.removals.remove_documents(make_call("ITI-86"), request)
        return opened(document)

    bench.documents.open = removed_first


def test_a_document_that_is_removed_while_it_is_answered_is_not_here(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.answer(provided(numbered(1)))
    remove_when_opened(bench)
    assert outcome(bench.answer(retrieved(1))) == ("Failure", ["XDSDocumentUniqueIdError"])
    assert "damaged" not in caplog.text


def test_a_large_document_that_is_removed_before_it_is_opened_breaks_off_the_answer(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    content = LARGE + b"."
    slots = {"hash": hashlib.sha1(content).hexdigest(), "size": str(len(content))}
    bench.answer(provided(numbered(1, entry={"slots": slots}), content))
    remove_when_opened(bench)
    with pytest.raises(Exception, match="damaged"):
        bench.answer(retrieved(1))
    assert "damaged" not in caplog.text
    assert outcome(bench.answer(retrieved(1))) == ("Failure", ["XDSDocumentUniqueIdError"])


def soap(inner: str, namespace: str = SOAP12) -> HttpRequest:
    data = f'<s:Envelope xmlns:s="{namespace}">{inner}</s:Envelope>'.encode()
    return make_request(data, "application/soap+xml")


@pytest.mark.parametrize("status", [500, 400])
@pytest.mark.parametrize(
    ("request_", "fault", "told"),  # what the audit is told, once the transaction is known
    [
        (lambda: make_request(b"", "application/soap+xml"), "Sender", []),
        (lambda: make_request(b"<x", "application/soap+xml"), "Sender", []),
        (lambda: make_request(b"<x/>", "application/soap+xml"), "Sender", []),
        (lambda: soap("<s:Body/>"), "Sender", []),
        (lambda: make_request(b"x", "multipart/related"), "Sender", []),
        (lambda: make_request(b"x", "multipart/related; boundary=b"), "Sender", []),
        (lambda: make_request(b"--b\r\n\r\nx", "multipart/related; boundary=b"), "Sender", []),
        (lambda: inline(make_submission(), "not base64!"), "Sender", ["ITI-41"]),
        (lambda: inline(make_submission(), base64.b64encode(bytes(5000)).decode()), "Sender", ["ITI-41"]),
        (lambda: plain("ITI-18", b"<x/>"), "Sender", []),
        (lambda: soap('<s:Header><u xmlns="urn:u" s:mustUnderstand="1"/></s:Header><s:Body/>'), "MustUnderstand", []),
        (lambda: soap("<s:Body/>", "urn:other"), "VersionMismatch", []),
    ],
)
def test_a_message_that_cannot_be_read_is_a_fault(
    tmp_path: Path, request_: Callable[[], HttpRequest], fault: str, told: list[str], status: int
) -> None:
    with open_domain(tmp_path) as domain:
        bench = Bench(domain, sender_fault_status=status)
        received = bench.answer(request_())
        assert received.status == (status if fault == "Sender" else 500)
        assert received.content_type == "application/soap+xml; charset=UTF-8"
        assert received.fault == fault
        assert [event.transaction for event in domain.journal()] == told


def test_a_soap11_caller_is_answered_in_soap11(bench: Bench) -> None:
    data = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body/></s:Envelope>'.encode()
    received = bench.answer(make_request(data, "text/xml; charset=utf-8"))
    assert (received.status, received.content_type) == (500, "text/xml; charset=UTF-8")
    assert received.root.tag == f"{{{SOAP11}}}Envelope"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": ""}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"content-length": str((16 << 20) + 1)}, 413),
    ],
)
def test_what_is_refused_below_soap(bench: Bench, headers: dict[str, str], status: int) -> None:
    received = bench.answer(make_request(b"x", "application/soap+xml", headers=headers))
    assert (received.status, received.content_type) == (status, "text/plain; charset=UTF-8")
    assert received.content.endswith(b"\n")


def test_a_body_that_grows_too_large(bench: Bench) -> None:
    small = replace(LIMITS, receiving=replace(LIMITS.receiving, body=1000))
    received = Bench(bench.domain, limits=small).answer(make_request(Body([b" " * 400] * 3), "application/soap+xml"))
    assert received.status == 413


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (replace(LIMITS, receiving=replace(LIMITS.receiving, envelope=5000)), b"envelope_bytes"),
        (replace(LIMITS, xml=XmlLimits(elements=20)), b"xml_elements"),
        (replace(LIMITS, receiving=replace(LIMITS.receiving, document=10)), b"document_bytes"),
    ],
)
def test_limits_are_named(bench: Bench, limits: Any, told: bytes) -> None:
    received = Bench(bench.domain, limits=limits).answer(provided(make_submission()))
    assert received.fault == "Sender"
    assert told in received.content


def test_a_certificate_that_cannot_be_read_is_no_accident(bench: Bench) -> None:
    received = bench.answer(provided(make_submission(), certificate=b"no DER"))
    assert outcome(received) == ("Success", [])
    (event,) = bench.domain.changes()
    assert event.node.startswith("certificate ")


# ---- the log ----


def test_every_exchange_is_one_line_that_quotes_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "xds_gateway.request")
    bench.answer(provided(make_submission()))
    bench.answer(provided(numbered(2, entry=CREATION_TIME_MISSING)))
    bench.answer(make_request(b"<Durand", "application/soap+xml"))
    lines = [record for record in caplog.records if record.name == "xds_gateway.request"]
    told = [(r.getMessage(), r.transaction, r.message_id, r.status, r.codes) for r in lines]  # type: ignore[attr-defined]
    assert told == [
        ("done", "ITI-41", MESSAGE_ID, 200, ()),
        ("refused", "ITI-41", MESSAGE_ID, 200, ("XDSRegistryMetadataError",)),
        ("refused", None, None, 500, ("xml.well-formed",)),
    ]
    assert not any("Durand" in str(record.__dict__) for record in lines)
