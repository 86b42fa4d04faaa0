"""XML that attacks its reader: refused at little cost, nothing expanded, nothing fetched (security.md X1, X2)."""

from pathlib import Path

import pytest

from .messages import (
    PLAIN,
    Answer,
    Message,
    envelope,
    multipart,
    new_patient,
    plain,
    provide,
    query_body,
    send,
)
from .raw import call

CANARY = "canary-of-a-local-file-8d1f"
APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"


def asked(value: str = "") -> bytes:
    """An envelope of ITI-18, with this text in its PatientId."""
    return envelope("ITI-18", finding()).replace(b"&amp;ISO", b"&amp;ISO" + value.encode())


def provided(value: str = "") -> bytes:
    """An envelope of ITI-41, with this text in a value of its entry."""
    body = provide(b"x").inline_body()
    assert b">letters/0001.xml<" in body
    return envelope("ITI-41", body.replace(b">letters/0001.xml<", b">letters/0001.xml" + value.encode() + b"<"))


def finding() -> bytes:
    """The body of a good FindDocuments."""
    patient = {"$XDSDocumentEntryPatientId": f"'{new_patient()}'", "$XDSDocumentEntryStatus": APPROVED}
    return query_body("FindDocuments", patient, "LeafClass")


def getting(unique_id: str) -> Message:
    """GetDocuments of one document."""
    return plain("ITI-18", query_body("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{unique_id}')"}, "LeafClass"))


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'

#   name: (what stands before the envelope, what stands in a value); {trap} is a URL, {file} a path
ENTITIES = {
    "an empty DOCTYPE": ("<!DOCTYPE Envelope>", ""),
    "a DOCTYPE after a declaration": (f"{_HEAD}<!DOCTYPE Envelope []>", ""),
    "a DOCTYPE after a comment": ("<!-- Envelope --><!DOCTYPE Envelope []>", ""),
    "a DOCTYPE of lines": ("<!DOCTYPE\n\n  Envelope\n [\n ]\n >", ""),
    "a lower-case doctype": ("<!doctype Envelope>", ""),
    "a DOCTYPE of a MiB": (f"<!DOCTYPE Envelope [{'<!-- x -->' * 100_000}]>", ""),
    "an external DTD by http": ('<!DOCTYPE Envelope SYSTEM "{trap}">', ""),
    "an external DTD by PUBLIC": ('<!DOCTYPE Envelope PUBLIC "-//X//Y" "{trap}">', ""),
    "an external DTD by file": ('<!DOCTYPE Envelope SYSTEM "file://{file}">', ""),
    "an internal entity": ('<!DOCTYPE Envelope [<!ENTITY x "y">]>', "&x;"),
    "an entity that is not used": ('<!DOCTYPE Envelope [<!ENTITY x "y">]>', ""),
    "an external entity by file": ('<!DOCTYPE Envelope [<!ENTITY x SYSTEM "file://{file}">]>', "&x;"),
    "an external entity by path": ('<!DOCTYPE Envelope [<!ENTITY x SYSTEM "{file}">]>', "&x;"),
    "an external entity by http": ('<!DOCTYPE Envelope [<!ENTITY x SYSTEM "{trap}">]>', "&x;"),
    "an external entity by ftp": ('<!DOCTYPE Envelope [<!ENTITY x SYSTEM "ftp{ftp}">]>', "&x;"),
    "a parameter entity by http": ('<!DOCTYPE Envelope [<!ENTITY % x SYSTEM "{trap}"> %x;]>', ""),
    "a parameter entity by file": ('<!DOCTYPE Envelope [<!ENTITY % x SYSTEM "file://{file}"> %x;]>', ""),
    "nested parameter entities": (
        "<!DOCTYPE Envelope [<!ENTITY % a \"<!ENTITY &#37; b SYSTEM '{trap}'>\"> %a; %b;]>",
        "",
    ),
    "a billion laughs": (f'<!DOCTYPE Envelope [<!ENTITY l0 "ha">{_LAUGHS}]>', "&l9;"),
    "a quadratic blow-up": (f'<!DOCTYPE Envelope [<!ENTITY x "{"y" * 100_000}">]>', "&x;" * 10_000),
    "a recursive entity": ('<!DOCTYPE Envelope [<!ENTITY x "&y;"><!ENTITY y "&x;">]>', "&x;"),
    "a default attribute": ('<!DOCTYPE Envelope [<!ATTLIST Envelope a CDATA "b">]>', ""),
    "an unparsed entity": (
        '<!DOCTYPE Envelope [<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "file://{file}" NDATA n>]>',
        "",
    ),
    "an undeclared entity": ("", "&undeclared;"),
}


@pytest.fixture
def local_file(tmp_path: Path) -> Path:
    """A file that nobody may read through the gateway."""
    path = tmp_path / "secret"
    path.write_text(CANARY)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("transaction", ["ITI-18", "ITI-41", "ITI-41 in MTOM"])
@pytest.mark.parametrize("name", ENTITIES)
def test_document_types_and_entities_are_refused(gateway, trap, local_file, name, transaction, encoding):
    url = f"http://127.0.0.1:{trap.port}/x"
    before, value = (
        text.replace("{trap}", url).replace("{file}", str(local_file)).replace("{ftp}", url.removeprefix("http"))
        for text in ENTITIES[name]
    )
    text = before + (asked(value) if transaction == "ITI-18" else provided(value)).decode()
    if encoding == "utf-16":
        text = text.replace('encoding="UTF-8"', 'encoding="UTF-16"')
    message = _sent_as(transaction, text.encode(encoding))
    answer = send(gateway, message)
    assert (answer.fault, answer.response.status) == ("Sender", 500)
    assert CANARY not in answer.xml.decode()
    assert not trap.called


def _sent_as(transaction: str, content: bytes) -> Message:
    if transaction != "ITI-41 in MTOM":
        return Message("registry" if transaction == "ITI-18" else "repository", {"Content-Type": PLAIN}, content)
    message = multipart("ITI-41", b"<here/>")
    start = message.body.index(b"<s:Envelope")
    end = message.body.index(b"</s:Envelope>") + len(b"</s:Envelope>")
    return message._replace(body=message.body[:start] + content + message.body[end:])


@pytest.mark.parametrize(
    "block",
    [
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>',
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file://{file}" parse="text"/>',
        '<o:x xmlns:o="urn:o" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:o {url}"/>',
        '<o:x xmlns:o="{url}" xml:base="{url}"/>',
    ],
)
def test_nothing_that_a_message_points_at_is_fetched(gateway, trap, local_file, block):
    filled = block.format(url=f"http://127.0.0.1:{trap.port}/x", file=local_file)
    answer = send(gateway, plain("ITI-18", finding(), Other=filled))
    assert (answer.status, answer.ids) == ("Success", [])
    assert not trap.called


def test_text_that_only_looks_like_a_document_type_is_text(gateway):
    assert send(gateway, getting("@").replaced(b"@", b"<![CDATA[<!DOCTYPE x>&y;]]>")).status == "Success"


# --- bounded work -------------------------------------------------------------------------------------------------


def _header(block: str) -> bytes:
    return envelope("ITI-18", finding(), Other=block)


BOUNDS = {
    #  name                      what fits, what does not (the limits are the defaults)
    "depth": lambda n: _header("<x>" * n + "</x>" * n),
    "attributes": lambda n: _header("<x " + " ".join(f'a{i}=""' for i in range(n)) + "/>"),
    "attribute": lambda n: _header(f'<x a="{"y" * n}"/>'),
    "namespaces": lambda n: _header("".join(f'<x xmlns="urn:{i}"/>' for i in range(n))),
    "elements": lambda n: _header("<x>" + "<y/>" * n + "</x>"),
    "size": lambda n: _header(f"<x>{'y' * n}</x>"),
}


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("depth", 90),
        ("attributes", 500),
        ("attribute", 65_536),
        ("namespaces", 900),
        ("elements", 190_000),
        ("size", 8_000_000),
    ],
)
def test_a_message_within_the_limits_is_read(gateway, name, fits):
    assert send(gateway, Message("registry", {"Content-Type": PLAIN}, BOUNDS[name](fits))).status == "Success"


@pytest.mark.parametrize(
    ("name", "beyond"),
    [
        ("depth", 99), ("depth", 255), ("depth", 1_000), ("depth", 500_000),
        ("attributes", 501), ("attributes", 100_000),
        ("attribute", 65_537), ("attribute", 7_000_000),
        ("namespaces", 1_001), ("namespaces", 100_000),
        ("elements", 200_001), ("elements", 1_000_000),
        ("size", 8_388_608), ("size", 50_000_000),
    ],
)  # fmt: skip
def test_a_message_beyond_a_limit_is_refused_at_little_cost(gateway, name, beyond):
    (worker,) = gateway.workers()
    before = peak_memory(worker)
    answer = send(gateway, Message("registry", {"Content-Type": PLAIN}, BOUNDS[name](beyond)))
    assert answer.fault == "Sender"
    assert peak_memory(worker) - before <= 128 * 2**20


def peak_memory(process: int) -> int:
    """The most memory that a process has had, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-gzip, gzip", "zstd"])
def test_compressed_bodies_are_not_taken(gateway, encoding):
    response = call(
        gateway, "/services/registry", b"\x1f\x8b" * 50, {"Content-Type": PLAIN, "Content-Encoding": encoding}
    )
    assert (response.status, response.headers["accept-encoding"]) == (415, "identity")


# --- encodings ----------------------------------------------------------------------------------------------------

NAME = "Compte rendu d'été à 5 €"
LATIN = "Compte rendu d'été"


def named(name: str) -> tuple[str, str, Message]:
    """A submission with this name on its entry: its uniqueId, its envelope as text, its message."""
    made = provide(b"x")
    message = made.inline()
    text = message.body.decode().replace("Lettre de sortie", name)
    return made.unique_ids[0], text, message


@pytest.mark.parametrize(
    ("content_type", "declaration", "encoding", "name"),
    [
        (PLAIN, "", "utf-8", NAME),
        ("application/soap+xml", "", "utf-8", NAME),
        ("application/soap+xml", '<?xml version="1.0"?>', "utf-8", NAME),
        ('application/soap+xml; charset="UTF-8"', '<?xml version="1.0" encoding="utf-8"?>\n', "utf-8-sig", NAME),
        ("application/soap+xml", '<?xml version="1.0" encoding="UTF-16"?>', "utf-16", NAME),
        ("application/soap+xml; charset=utf-16", "", "utf-16", NAME),
        ("application/soap+xml; charset=utf-16", '<?xml version="1.0" encoding="UTF-16"?>', "utf-16", NAME),
        ("application/soap+xml", '<?xml version="1.0" encoding="ISO-8859-1"?>', "iso-8859-1", LATIN),
        ("application/soap+xml; charset=iso-8859-1", "", "iso-8859-1", LATIN),
        ("application/soap+xml; charset=windows-1252", "", "windows-1252", NAME),
        (
            "application/soap+xml; charset=iso-8859-15",
            '<?xml version="1.0" encoding="iso-8859-15"?>',
            "iso-8859-15",
            NAME,
        ),
    ],
)
def test_a_message_is_read_in_the_encoding_that_it_declares(gateway, content_type, declaration, encoding, name):
    unique_id, text, message = named(name)
    body = (declaration + text).encode(encoding)
    assert send(gateway, Message(message.endpoint, {"Content-Type": content_type}, body)).status == "Success"
    found = send(
        gateway,
        plain("ITI-18", query_body("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{unique_id}')"}, "LeafClass")),
    )
    names = found.entries[0].findall(
        "rim:Name/rim:LocalizedString", {"rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"}
    )
    assert [item.get("value") for item in names] == [name, "Discharge letter"]


@pytest.mark.parametrize(
    ("content_type", "declaration", "encoding"),
    [
        (PLAIN, "", "iso-8859-1"),
        (PLAIN, '<?xml version="1.0" encoding="utf-8"?>', "iso-8859-1"),
        ("application/soap+xml; charset=us-ascii", "", "utf-8"),
        ("application/soap+xml; charset=ebcdic-cp-fr", "", "utf-8"),
        ("application/soap+xml", '<?xml version="1.0" encoding="UTF-7"?>', "utf-7"),
        ("application/soap+xml", '<?xml version="1.0" encoding="utf-32"?>', "utf-32"),
        ("application/soap+xml", '<?xml version="1.0" encoding="nothing-known"?>', "utf-8"),
        ("application/soap+xml", "", "utf-16-le"),
        ("application/soap+xml", "", "utf-16-be"),
        ("application/soap+xml; charset=utf-16", "", "utf-8"),
    ],
)
def test_a_message_in_another_encoding_than_it_declares_is_refused(gateway, content_type, declaration, encoding):
    _, text, message = named(LATIN)
    body = (declaration + text).encode(encoding)
    response = call(gateway, f"/services/{message.endpoint}", body, {"Content-Type": content_type})
    assert Answer(response).fault == "Sender"


def test_an_envelope_has_no_processing_instruction(gateway):
    for text in ("<?php echo 1?>" + asked().decode(), asked().decode().replace("<s:Header>", "<s:Header><?x y?>")):
        assert send(gateway, Message("registry", {"Content-Type": PLAIN}, text.encode())).fault == "Sender"
