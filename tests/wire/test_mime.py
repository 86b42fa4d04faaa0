"""MTOM messages as real and odd senders write them: what is accepted comes back byte for byte (RFC 2046, 2387)."""

import base64
import random
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from xds_gateway.codec.xdsb import render_provide_request
from xds_gateway.model.messages import DocumentPart, ProvideRequest

from .messages import (
    ACTIONS,
    Answer,
    Message,
    Provide,
    envelope,
    multipart,
    new_patient,
    plain,
    provide,
    retrieve,
    retrieve_body,
    send,
)
from .mime import BOUNDARY, XOP_TYPE, content_of, mime, part, plain_one, root, round_trip
from .raw import Connection, chunked, request_head

# --- how senders write multipart ----------------------------------------------------------------------------------


def _start_last(p: Provide) -> Message:
    return mime(part(content_of(p)), root(p, "cid:doc@x"))


def _start_between(p: Provide) -> Message:
    return mime(part(content_of(p)), root(p, "cid:doc@x"), part(b"nobody's", "<other>"))


def _no_start(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), part(content_of(p)), parameters='type="application/xop+xml"')


def _preamble_and_epilogue(p: Provide) -> Message:
    preamble = b"This is a multipart message.\r\n--" + BOUNDARY.encode() + b"x\r\n\r\n"
    end = b"--\r\nThe end.\r\n\r\n"
    return mime(root(p, "cid:doc@x"), part(content_of(p)), preamble=preamble, end=end)


def _folded_headers(p: Provide) -> Message:
    headers, content = root(p, "cid:doc@x")
    folded = tuple(line.replace("; ", ";\r\n\t").replace(": ", ":\r\n ") for line in headers)
    return mime((folded, content), part(content_of(p), "\r\n <doc@x>"))


def _percent_in_reference(p: Provide) -> Message:
    return mime(root(p, "cid:doc%40x"), part(content_of(p)))


def _percent_in_content_id(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), part(content_of(p), "<doc%40x>"))


def _no_angle_brackets(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), part(content_of(p), "doc@x"))


def _angle_brackets_in_reference(p: Provide) -> Message:
    return mime(root(p, "cid:%3Cdoc@x%3E"), part(content_of(p)))


def _upper_case_scheme(p: Provide) -> Message:
    return mime(root(p, "CID:doc@x"), part(content_of(p)))


def _dotnet(p: Provide) -> Message:
    content_id = "http://tempuri.org/1/635"
    return mime(root(p, f"cid:{quote(content_id, safe='')}"), part(content_of(p), f"<{content_id}>"))


def _nobody_includes(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), part(b"unused" * 9, "<a>"), part(content_of(p)), part(b"", "<b>"))


def _part_without_id(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), (("Content-Type: text/plain",), b"lost"), part(content_of(p)))


def _lower_case_headers(p: Provide) -> Message:
    headers, content = root(p, "cid:doc@x")
    lower = tuple(line.split(":")[0].lower() + line[line.index(":") :] for line in headers)
    return mime((lower, content), (("content-id:<doc@x>",), content_of(p)))


def _lf_only(p: Provide) -> Message:
    return mime(root(p, "cid:doc@x"), part(content_of(p)), newline=b"\n", end=b"--\n")


def _base64_part(p: Provide) -> Message:
    encoded = base64.encodebytes(content_of(p)).replace(b"\n", b"\r\n")
    return mime(root(p, "cid:doc@x"), part(encoded, "<doc@x>", "Content-Transfer-Encoding: BASE64"))


def _quoted_printable_part(p: Provide) -> Message:
    headers = "Content-Transfer-Encoding: quoted-printable"
    return mime(root(p, "cid:doc@x"), part(_quoted(content_of(p)), "<doc@x>", headers))


def _quoted(content: bytes) -> bytes:
    """Every byte as =XX, with soft line breaks."""
    text = b"".join(b"=%02X" % byte for byte in content)
    return b"=\r\n".join(text[at : at + 72] for at in range(0, len(text), 72))


def _base64_root(p: Provide) -> Message:
    headers, content = root(p, "cid:doc@x")
    encoded = (headers[0], "Content-Transfer-Encoding: base64", headers[2])
    return mime((encoded, base64.b64encode(content)), part(content_of(p)))


def _cxf(p: Provide) -> Message:
    """Apache CXF: an empty line first, colons in the boundary, nothing after the last one, no action anywhere."""
    boundary = "uuid:6f2b0c1e-97a3-4a0c-8d4c-94b3a8f0a9de"
    headers = (
        'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
        "Content-Transfer-Encoding: binary",
        "Content-ID: <root.message@cxf.apache.org>",
    )
    attachment = (
        "Content-Type: application/octet-stream",
        "Content-Transfer-Encoding: binary",
        "Content-ID: <7b0f@urn:ihe:iti:xds-b:2007>",
        'Content-Disposition: attachment;name="Lettre d\'été.txt"',
    )
    message = mime(
        (headers, root(p, "cid:7b0f%40urn%3Aihe%3Aiti%3Axds-b%3A2007")[1]),
        (attachment, content_of(p)),
        boundary=boundary,
        preamble=b"\r\n",
        end=b"--",
        parameters='type="application/xop+xml"; start="<root.message@cxf.apache.org>"',
    )
    return message._replace(headers={**message.headers, "SOAPAction": '""'})


def _axis2(p: Provide) -> Message:
    """Axis2: unquoted boundary, the action inside the root's type."""
    headers = (
        f'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="{ACTIONS["ITI-41"]}"',
        "Content-Transfer-Encoding: binary",
        "Content-ID: <0.urn:uuid:A1@apache.org>",
    )
    message = mime(
        (headers, root(p, "cid:1.urn:uuid:B2@apache.org")[1]), part(content_of(p), "<1.urn:uuid:B2@apache.org>")
    )
    content_type = (
        f"multipart/related; boundary={BOUNDARY}; type=application/xop+xml; start=<0.urn:uuid:A1@apache.org>; "
        f"start-info=application/soap+xml; action={ACTIONS['ITI-41']}"
    )
    return message._replace(headers={"Content-Type": content_type})


def _odd_root_type(p: Provide) -> Message:
    headers = (
        'Content-Type: application/xop+xml;charset="utf-8" ; type="application/soap+xml; action=\\"x\\"";;',
        "Content-ID: <root>",
    )
    return mime((headers, root(p, "cid:doc@x")[1]), part(content_of(p)))


def _inline_in_multipart(p: Provide) -> Message:
    return multipart("ITI-41", p.inline_body())


def _blanks_after_boundaries(p: Provide) -> Message:
    message = plain_one(p)
    delimiter = b"--" + BOUNDARY.encode() + b"\r\n"
    return message.replaced(delimiter, delimiter[:-2] + b" \t \r\n")


SENDERS: dict[str, Callable[[Provide], Message]] = {"as_the_standard": plain_one} | {
    name.strip("_"): value
    for name, value in globals().copy().items()
    if name.startswith("_") and getattr(value, "__annotations__", {}) == {"p": Provide, "return": Message}
}
DOCUMENTS = {
    "text": b"A letter.\r\nSecond line.\n",
    "empty": b"",
    "bytes": bytes(range(256)) * 3,
}


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("sender", SENDERS)
def test_a_senders_way_is_understood_and_the_document_kept(gateway, sender, document):
    provided = provide(DOCUMENTS[document])
    round_trip(gateway, provided, SENDERS[sender](provided))


@pytest.mark.parametrize("sender", ["cxf", "start_last", "base64_part", "lf_only", "preamble_and_epilogue"])
@pytest.mark.parametrize("size", [1, 7, 61, 4096])
def test_the_same_in_chunks_of_any_size(gateway, sender, size):
    provided = provide(b"A letter.\r\n" * 40)
    message = SENDERS[sender](provided)
    body = chunked(message.body[at : at + size] for at in range(0, len(message.body), size))
    headers = {**message.headers, "Transfer-Encoding": "chunked", "Content-Length": None}
    round_trip(gateway, provided, message._replace(headers=headers, body=body))


# --- documents that look like multipart ---------------------------------------------------------------------------

_B = BOUNDARY.encode()
_RANDOM = random.Random(41)
LOOK_ALIKES = {
    "boundary within a line": b"x--" + _B,
    "boundary and more": b"\r\n--" + _B + b"x\r\n",
    "boundary and blanks and more": b"a\r\n--" + _B + b"  x\r\n",
    "boundary at the end": b"\r\n--" + _B[:-1],
    "half a boundary": b"\r\n--" + _B[:5] + b"\r\n",
    "boundary after LF": b"\n--" + _B + b"\n",
    "boundary after CR": b"\r--" + _B + b"\r",
    "closing and more": b"\r\n--" + _B + b"--x\r\n",
    "one dash": b"\r\n-" + _B + b"\r\n",
    "a part head": b"\r\n--other\r\nContent-Type: text/plain\r\n\r\n",
    "CR runs": b"\r\r\r\n\r\r\n\n\r" * 50,
    "begins with CRLF": b"\r\n\r\nx",
    "ends with CRLF": b"x\r\n\r\n",
    "ends with CR": b"x\r",
    "ends with dashes": b"x\r\n--",
    "NUL": b"\0" * 70,
    "an MTOM message": mime(((), b"x"), boundary="inner").body,
    "one MiB": _RANDOM.randbytes(1 << 20),
    "one MiB and one": _RANDOM.randbytes((1 << 20) + 1),
    "three MiB of CRLF": b"\r\n" * (3 << 19),
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_boundary_look_alikes_are_content(gateway, name):
    provided = provide(LOOK_ALIKES[name])
    round_trip(gateway, provided, plain_one(provided))


@pytest.mark.parametrize(
    "name", ["boundary and more", "CR runs", "ends with CR", "begins with CRLF", "half a boundary"]
)
def test_look_alikes_keep_their_bytes_however_they_arrive(gateway, name):
    provided = provide(LOOK_ALIKES[name])
    message = plain_one(provided)
    headers = {**message.headers, "Transfer-Encoding": "chunked", "Content-Length": None}
    body = chunked(message.body[at : at + 1] for at in range(len(message.body)))
    round_trip(gateway, provided, message._replace(headers=headers, body=body))


# --- several documents --------------------------------------------------------------------------------------------


def test_one_attachment_may_serve_two_entries(gateway):
    provided = provide(b"the same", b"the same")
    round_trip(gateway, provided, mime(root(provided, "cid:doc@x", "cid:doc%40x"), part(b"the same")))


def test_attachments_may_come_in_any_order(gateway):
    provided = provide(b"one", b"two", b"three")
    pieces = [part(content, f"<{number}@x>") for number, content in enumerate(provided.contents.values())]
    round_trip(gateway, provided, mime(*pieces[::-1], root(provided, *(f"cid:{n}@x" for n in range(3)))))


def test_a_document_inline_beside_one_attached(gateway):
    provided = provide(b"inline \x00", b"attached \xff")
    first, second = provided.contents
    parts = (
        DocumentPart(first, None, base64.b64encode(b"inline \x00").decode()),
        DocumentPart(second, "doc@x", None),
    )
    body = render_provide_request(ProvideRequest(submission=provided.submission, parts=parts))
    headers, _ = root(provided)
    round_trip(gateway, provided, mime((headers, envelope("ITI-41", body)), part(b"attached \xff")))


def test_five_hundred_parts_that_nobody_includes(gateway):
    provided = provide(b"x")
    unused = [part(b"unused", f"<unused{number}>") for number in range(500)]
    round_trip(gateway, provided, mime(root(provided, "cid:doc@x"), *unused, part(b"x")))


# --- the HTTP around it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expect", ["100-continue", "100-Continue"])
def test_a_sender_that_waits_for_100_continue_gets_it_before_its_body(gateway, expect):
    provided = provide(b"waited")
    message = plain_one(provided)
    headers = {**message.headers, "Content-Length": len(message.body), "Expect": expect}
    with Connection(gateway) as connection:
        connection.send(request_head(connection, "/services/repository", headers))
        assert connection.head()[0] == 100
        connection.send(message.body)
        assert Answer(connection.response()).status == "Success"
    assert send(gateway, retrieve(*provided.unique_ids)).documents == {provided.unique_ids[0]: b"waited"}


# --- the caller's form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_inline_base64_comes_in_and_out_in_a_plain_envelope(gateway, document):
    content = DOCUMENTS[document]
    provided = provide(content)
    answer = send(gateway, provided.inline())
    assert (answer.status, answer.multipart, answer.contexts) == ("Success", False, [])
    returned = send(gateway, plain("ITI-43", retrieve_body(*provided.unique_ids)))
    assert (returned.multipart, returned.documents) == (False, {provided.unique_ids[0]: content})
    assert not returned.all(".//xop:Include")
    assert returned.response.content_type == "application/soap+xml"


@pytest.mark.parametrize("wrapping", [lambda t: t, lambda t: "\n  " + "\r\n".join(re.findall(".{1,76}", t)) + "\n"])
def test_inline_base64_may_be_broken_into_lines(gateway, wrapping):
    provided = provide(b"0123456789" * 30)
    text = base64.b64encode(content_of(provided)).decode()
    round_trip(gateway, provided, provided.inline().replaced(text.encode(), wrapping(text).encode()))


def test_a_multipart_caller_gets_multipart_with_the_type_of_each_document(gateway):
    patient = new_patient()
    provided = provide(b"one", b"", patient=patient)
    assert send(gateway, provided.message()).multipart
    answer = send(gateway, retrieve(*provided.unique_ids))
    headers = answer.response.headers["content-type"]
    assert answer.documents == dict(zip(provided.unique_ids, (b"one", b""), strict=True))
    assert len(answer.all(".//xop:Include")) == 2
    assert 'type="application/xop+xml"' in headers
    assert 'start-info="application/soap+xml"' in headers
    assert f'action="{ACTIONS["ITI-43"]}Response"' in headers
    assert answer.response.body.count(b"\r\nContent-Type: text/plain\r\n") == 2


def test_a_failure_of_a_multipart_caller_is_multipart_too(gateway):
    answer = send(gateway, retrieve("1.2.3"))
    assert (answer.multipart, answer.status, len(answer.parts)) == (True, "Failure", 1)


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_retrieve_may_be_multipart_with_one_part_or_with_parts_of_no_use(gateway, pieces):
    provided = provide(b"kept")
    send(gateway, provided.message())
    headers = (f"Content-Type: {XOP_TYPE}", "Content-ID: <root>")
    asked = (headers, envelope("ITI-43", retrieve_body(*provided.unique_ids)))
    answer = send(gateway, mime(*(asked, part(b"of no use"))[:pieces]))
    assert answer.documents == {provided.unique_ids[0]: b"kept"}
