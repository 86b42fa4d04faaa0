"""References of a message to its documents: only its own parts, nothing is ever fetched (XOP 1.0, security.md M1)."""

from pathlib import Path

import pytest

from .messages import Message, Provide, find_documents, multipart, new_patient, provide, retrieve, send

CANARY = b"canary-of-a-local-file-51c2"

HREFS = (
    "http://127.0.0.1:{port}/x",
    "https://127.0.0.1:{port}/x",
    "HTTP://127.0.0.1:{port}/x",
    "//127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/x",
    "jar:http://127.0.0.1:{port}/x!/y",
    "netdoc://127.0.0.1:{port}/x",
    "cid:http://127.0.0.1:{port}/x",
    "cid:https://127.0.0.1:{port}/x",
    "cid://127.0.0.1:{port}/x",
    "cid:http%3A%2F%2F127.0.0.1:{port}%2Fx",
    "mid:http://127.0.0.1:{port}/x",
    "file://{file}",
    "file:{file}",
    "{file}",
    "..{file}",
    "cid:{file}",
    "cid:file://{file}",
    "cid:..{file}",
    "data:text/plain;base64,Y2FuYXJ5",
    "#Document01",
    "",
    "cid:",
    "cid:%FF",
    "cid:nobody@nowhere",
    "Document01@sender.example",
)


def pointing(provided: Provide, href: str, *, attached: bool) -> Message:
    """The message whose only document is somewhere else."""
    message = multipart("ITI-41", provided.body(), provided.parts() if attached else ())
    return message.replaced(b'href="cid:Document01@sender.example"', f'href="{href}"'.encode())


@pytest.mark.parametrize("attached", [True, False], ids=["with its part", "alone"])
@pytest.mark.parametrize("declared", [True, False], ids=["with hash", "without hash"])
@pytest.mark.parametrize("href", HREFS)
def test_nothing_but_a_part_of_the_message_is_a_document(gateway, trap, tmp_path: Path, href, declared, attached):
    secret = tmp_path / "secret"
    secret.write_bytes(CANARY)
    patient = new_patient()
    provided = provide(CANARY, patient=patient)
    message = pointing(provided, href.format(port=trap.port, file=secret), attached=attached)
    if not declared:
        message = message.replaced(b'name="hash"', b'name="urn:x:hash"').replaced(b'name="size"', b'name="urn:x:size"')
    answer = send(gateway, message)
    assert answer.fault == "Sender" or answer.errors == ["XDSMissingDocument"]
    assert CANARY not in answer.xml
    assert not trap.called
    assert send(gateway, find_documents(patient)).ids == []
    assert send(gateway, retrieve(*provided.unique_ids)).errors == ["XDSDocumentUniqueIdError"]


INCLUDE = b'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:Document01@sender.example"/>'
NO_HREF = b'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include"/>'
OTHER = INCLUDE.replace(b"http://www.w3.org/2004/08/xop/include", b"urn:other")


@pytest.mark.parametrize("content", [NO_HREF, INCLUDE * 2, b"QUJD" + INCLUDE, INCLUDE + b"QUJD", OTHER, b"<Include/>"])
def test_a_document_is_one_reference_or_base64(gateway, content):
    message = provide(b"x").message()
    start = message.body.index(b"<xop:Include")
    end = message.body.index(b"</x:Document>")
    answer = send(gateway, message._replace(body=message.body[:start] + content + message.body[end:]))
    assert answer.fault == "Sender"


def test_an_include_anywhere_else_is_not_followed(gateway, trap):
    include = f'<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="http://127.0.0.1:{trap.port}/x"/>'
    patient = new_patient()
    answer = send(gateway, find_documents(patient).replaced(b"</rim:Value>", include.encode() + b"</rim:Value>"))
    assert answer.status in ("Success", "Failure")
    assert answer.ids == []
    assert not trap.called
