"""Multipart messages that are broken: a fault of the sender, and nothing is stored (RFC 2046, security.md M2)."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest

from .messages import (
    PLAIN,
    Message,
    Provide,
    find_documents,
    new_patient,
    plain,
    provide,
    retrieve,
    retrieve_body,
    send,
)
from .mime import BOUNDARY, content_of, mime, part, plain_one, root, round_trip
from .raw import Connection, call, request_head


def _dropped(old: bytes, new: bytes = b"") -> Callable[[Provide], Message]:
    return lambda p: plain_one(p).replaced(old, new)


def _typed(content_type: str) -> Callable[[Provide], Message]:
    return lambda p: plain_one(p)._replace(headers={"Content-Type": content_type})


def _headed(*headers: str) -> Callable[[Provide], Message]:
    return lambda p: mime(root(p, "cid:doc@x"), part(content_of(p), "<doc@x>", *headers))


def _encoded(encoding: str, content: bytes) -> Callable[[Provide], Message]:
    headers = f"Content-Transfer-Encoding: {encoding}"
    return lambda p: mime(root(p, "cid:doc@x"), part(content, "<doc@x>", headers))


_B = BOUNDARY.encode()
_END = b"\r\n--" + _B + b"--\r\n"
BROKEN: dict[str, Callable[[Provide], Message]] = {
    "no boundary parameter": _typed('multipart/related; type="application/xop+xml"'),
    "empty boundary": _typed('multipart/related; boundary=""'),
    "a boundary of 71 characters": _typed(f'multipart/related; boundary="{"b" * 71}"'),
    "a boundary that is not there": _typed('multipart/related; boundary="another"'),
    "start names nothing": _typed(f'multipart/related; boundary="{BOUNDARY}"; start="<nothing>"'),
    "no closing delimiter": _dropped(_END),
    "half a closing delimiter": _dropped(_END, _END[:-6]),
    "closing delimiter without dashes": _dropped(_END, b"\r\n--" + _B + b"\r\n"),
    "closed before the root": lambda p: Message("repository", plain_one(p).headers, b"--" + _B + b"--\r\n"),
    "nothing at all": lambda p: Message("repository", plain_one(p).headers, b""),
    "a second message after the first": lambda p: plain_one(p)._replace(body=plain_one(p).body * 2),
    "garbage after the end": lambda p: plain_one(p)._replace(body=plain_one(p).body + b"garbage\r\n" * 5000),
    "a Content-ID twice": lambda p: mime(root(p, "cid:doc@x"), part(content_of(p)), part(b"other")),
    "a Content-ID twice, once encoded": lambda p: mime(root(p, "cid:doc@x"), part(b"x"), part(b"y", "<doc%40x>")),
    "the root's Content-ID twice": lambda p: mime(root(p, "cid:doc@x"), part(content_of(p)), part(b"y", "<root>")),
    "two Content-ID headers": _headed("Content-ID: <again>"),
    "51 headers": _headed(*(f"X-{number}: y" for number in range(50))),
    "a header of 9 KB": _headed(f"X-Long: {'y' * 9000}"),
    "a header of 90 KB in folds": _headed("X-Long: y" + f"\r\n {'y' * 900}" * 100),
    "a header without colon": _headed("no colon here"),
    "a header with a control character": _headed("X-A: b\x00c"),
    "no empty line after headers": _dropped(b"<doc@x>\r\n\r\n", b"<doc@x>\r\n"),
    "1001 parts": lambda p: mime(root(p, "cid:doc@x"), part(content_of(p)), *(((), b"") for _ in range(1000))),
    "an unknown transfer encoding": _encoded("uuencode", b"x"),
    "base64 that is none": _encoded("base64", b"n@t base64"),
    "base64 that ends early": _encoded("base64", b"QUJD\r\nRA"),
    "base64 that goes on after its end": _encoded("base64", b"QQ==QUJD"),
    "quoted-printable that is none": _encoded("quoted-printable", b"=ZZ"),
    "parts before the root over a MiB": lambda p: mime(part(b"x" * (1 << 20) + b"y", "<a>"), root(p, "cid:a")),
    "a preamble without end": lambda p: plain_one(p)._replace(body=b"x" * 20_000 + plain_one(p).body),
    "the root is not XML": lambda p: mime((root(p)[0], b"not XML"), part(content_of(p))),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_multipart_message_is_a_fault_and_stores_nothing(gateway, name):
    patient = new_patient()
    provided = provide(b"A letter of its own.", patient=patient)
    answer = send(gateway, BROKEN[name](provided))
    assert (answer.fault, answer.response.status) == ("Sender", 500)
    assert send(gateway, find_documents(patient)).ids == []
    assert send(gateway, retrieve(*provided.unique_ids)).errors == ["XDSDocumentUniqueIdError"]


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_body_cut_off_anywhere_stores_nothing(gateway, keep):
    patient = new_patient()
    provided = provide(b"A letter of its own." * 500, patient=patient)
    message = plain_one(provided)
    body = message.body[: int(len(message.body) * keep)]
    assert send(gateway, message._replace(body=body)).fault == "Sender"
    with Connection(gateway) as connection:  # announced whole, then the line goes dead
        headers = {**message.headers, "Content-Length": len(message.body)}
        connection.send(request_head(connection, "/services/repository", headers), body)
    assert send(gateway, find_documents(patient)).ids == []


def test_content_types_that_contradict_themselves_are_415(gateway):
    provided = provide()
    for content_type in (
        "multipart/related; boundary=a; boundary=b",
        "multipart",
        "",
        "multipart related; boundary=a",
    ):
        message = plain_one(provided)
        response = call(gateway, "/services/repository", message.body, {"Content-Type": content_type})
        assert response.status == 415


def test_a_part_that_is_missing_is_named(gateway):
    patient = new_patient()
    provided = provide(b"one", b"two", patient=patient)
    answer = send(gateway, mime(root(provided, "cid:doc@x", "cid:lost@x"), part(b"one")))
    assert (answer.status, answer.errors) == ("Failure", ["XDSMissingDocument"])
    assert "lost@x" in answer.contexts[0]
    assert provided.submission.document_entries[1].id in answer.contexts[0]
    assert send(gateway, find_documents(patient)).ids == []


def test_inline_base64_that_is_none_or_too_long_is_refused(start_gateway):
    small = start_gateway(limits={"inline_document": 1000})
    fitting = provide(b"x" * 1000)
    round_trip(small, fitting, fitting.inline())
    for text in (b"n@t base64", b"QUJD=", b"QUJ", base64.b64encode(b"x" * 1001)):
        provided = replace(fitting, submission=provide(b"x" * 1000).submission)
        message = provided.inline().replaced(base64.b64encode(b"x" * 1000), text)
        assert send(small, message).fault == "Sender"


def test_plain_is_the_form_of_a_plain_refusal(gateway):
    answer = send(gateway, plain("ITI-43", retrieve_body("1.2.3")))
    assert (answer.multipart, answer.status) == (False, "Failure")
    assert answer.response.headers["content-type"].startswith(PLAIN)


def test_the_largest_inline_document_by_default(gateway):
    largest = provide(bytes(range(256)) * 20 * 1024)
    round_trip(gateway, largest, largest.inline())
    over = provide(bytes(range(256)) * 20 * 1024 + b"x")
    answer = send(gateway, over.inline())
    assert answer.fault == "Sender"
    assert "inline_document" in (answer.find(".//s:Reason/s:Text") or "")
