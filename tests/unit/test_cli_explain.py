"""`xds-gateway explain` without a gateway: each form of a capture, each transaction, what is told and how it ends."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tests.documents import CHECKOUT, blocks
from tests.unit.builders import (
    CONTENT,
    make_association,
    make_entry,
    make_parts,
    make_set,
    make_submission,
)
from xds_gateway.cli.explain import KEYS, page
from xds_gateway.cli.failures import Status
from xds_gateway.cli.program import run
from xds_gateway.codec.captures import parse_capture
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.codec.soap import render_request_envelope
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.codec.xdsb import (
    render_provide_request,
    render_query_request,
    render_register_request,
)
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import (
    DocumentPart,
    PlannedEffect,
    ProvideRequest,
    QueryRequest,
)
from xds_gateway.rules.explaining import Explanation

ROWS = {row.name: row for row in TRANSACTIONS}
RENDERER = MultipartRenderer("uuid:capture")
UNKNOWN = "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of its own, without settings from outside."""
    monkeypatch.delenv("XDS_GATEWAY_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def envelope(transaction, body, action=None):
    return render_request_envelope(action or ROWS[transaction].request_action, "urn:x", body, "urn:uuid:1")


def provided(submission, content=CONTENT):
    """ITI-41 as MTOM, one document for each entry."""
    parts = tuple(DocumentPart(e.id, f"{e.id}@x", None) for e in submission.document_entries)
    body = render_provide_request(ProvideRequest(submission=submission, parts=parts))
    attached = b"".join(RENDERER.part_head(part.content_id, "text/plain") + content for part in parts)
    return RENDERER.root_head() + envelope("ITI-41", body) + attached + RENDERER.closing()


def http(transaction, body, content_type):
    endpoint = ROWS[transaction].endpoint
    return f"POST /services/{endpoint} HTTP/1.1\r\nContent-Type: {content_type}\r\n\r\n".encode() + body


def explained(folder, data, *arguments, capsys):
    """Exit status and JSON of a capture."""
    (folder / "capture").write_bytes(data)
    status = run(["explain", "capture", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def query(*parameters):
    request = QueryRequest(query_id=QUERY_IDS["FindDocuments"], return_type="LeafClass", parameters=parameters)
    return render_query_request(request)


GOOD = make_submission(entries=(make_entry(home=None),), submission_set=make_set(home=None))
FOUND = query(("$XDSDocumentEntryPatientId", ("'1^^^&1.2&ISO'",)), ("$XDSDocumentEntryStatus", (f"('{v.APPROVED}')",)))

#   a capture that would be accepted                              transaction   effects
ACCEPTED = {
    "ITI-41 over HTTP": (http("ITI-41", provided(GOOD), RENDERER.content_type()), "ITI-41", True),
    "ITI-41 in MIME": (provided(GOOD), "ITI-41", True),
    "ITI-42 in an envelope": (envelope("ITI-42", render_register_request(GOOD)), "ITI-42", True),
    "ITI-42 naked": (render_register_request(GOOD), "ITI-42", True),
    "ITI-18": (envelope("ITI-18", FOUND), "ITI-18", False),
    "ITI-18 naked": (FOUND, "ITI-18", False),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_good_request_would_be_accepted(folder, capsys, name):
    data, transaction, effects = ACCEPTED[name]
    status, told = explained(folder, data, capsys=capsys)
    assert status == Status.DONE
    assert told.keys() == KEYS.keys()
    assert (told["transaction"], told["outcome"], told["findings"], told["open"]) == (transaction, "accepted", [], [])
    effects_told = {effect["effect"] for effect in told["effects"] or ()}
    assert effects_told == ({"register", "know"} if effects else set())


WRONG_ENTRY = make_entry(slots={"hash": "a" * 64, "languageCode": "fr_FR"}, home=None)
WRONG = make_submission(entries=(WRONG_ENTRY,), submission_set=make_set(home=None))
NO_STATUS = query(("$XDSDocumentEntryPatientId", ("'1^^^&1.2&ISO'",)))

#   a capture that would be refused                  rules                                        word of a hint
REFUSED = {
    "metadata": (provided(WRONG), {"ihe.de.hash.format", "ihe.de.languageCode.format"}, "SHA-256"),
    "naked metadata": (render_register_request(WRONG), {"ihe.de.hash.format", "ihe.de.languageCode.format"}, "fr-FR"),
    "bytes": (provided(GOOD, b"other"), {"ihe.document.hash", "ihe.document.size"}, "very bytes"),
    "a query": (envelope("ITI-18", NO_STATUS), {"ihe.query.required"}, ""),
    "SOAP 1.1": (
        envelope("ITI-18", FOUND).replace(b"http://www.w3.org/2003/05/soap-envelope",
                                          b"http://schemas.xmlsoap.org/soap/envelope/"),
        {None}, "SOAP 1.1",
    ),
    "another action": (envelope("ITI-42", FOUND), {None}, "two transactions"),
    "an action of nobody": (envelope("ITI-42", FOUND, "urn:ihe:iti:2007:RegistryStoredQwery"), {None}, "misspelt"),
    "the other endpoint": (
        http("ITI-41", envelope("ITI-18", FOUND), "application/soap+xml"), {None}, "the other way round",
    ),
    "cut": (envelope("ITI-18", FOUND)[:-20], {None}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_request_would_be_refused(folder, capsys, name):
    data, rules, word = REFUSED[name]
    status, told = explained(folder, data, capsys=capsys)
    assert status == Status.REFUSED
    assert told["outcome"] in ("refused", "unreadable")
    assert {finding["rule"] for finding in told["findings"]} == rules
    assert word in " ".join(finding["hint"] or "" for finding in told["findings"])
    assert all(bool(finding["hint"]) == bool(finding["source"]) for finding in told["findings"])


def test_a_place_in_a_message_is_that_of_the_file(folder, capsys):
    cut = envelope("ITI-18", FOUND)[:-20]
    _, told = explained(folder, cut, capsys=capsys)
    assert f"column {len(cut) + 1})" in told["findings"][0]["sentence"]


def replaced():
    link = make_association("Document01", UNKNOWN, v.RPLC)
    return replace(GOOD, associations=(*GOOD.associations, link))


#   what depends on more than the capture                    rules left open
OPEN = {
    "a registered document": (provided(replaced()), {"ihe.registry.target.unknown"}),
    "documents beside the envelope": (
        envelope("ITI-41", render_provide_request(ProvideRequest(submission=GOOD, parts=make_parts(GOOD)))),
        {"ihe.document.part"},
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_what_depends_on_more_than_the_capture_is_left_open(folder, capsys, name):
    data, rules = OPEN[name]
    status, told = explained(folder, data, capsys=capsys)
    assert (status, told["outcome"], told["findings"]) == (Status.DONE, "accepted", [])
    assert {finding["rule"] for finding in told["open"]} == rules


def test_a_folder_of_the_wire_log_is_a_capture(folder, capsys):
    exchange = folder / "20260314T090000.000000-1-000001"
    exchange.mkdir()
    (exchange / "request").write_bytes(http("ITI-18", envelope("ITI-18", FOUND), "application/soap+xml"))
    assert run(["explain", str(exchange)]) == Status.DONE
    assert "ITI-18" in capsys.readouterr().out


def test_the_settings_of_a_gateway_count(folder, capsys):
    (folder / "gateway.toml").write_text("[limits]\nmime_parts = 1\n")
    status, told = explained(folder, provided(GOOD), "--config", "gateway.toml", capsys=capsys)
    assert (status, told["outcome"]) == (Status.REFUSED, "unreadable")
    assert "more than 1 parts" in told["findings"][0]["sentence"]


def test_nothing_is_left_behind(folder, capsys):
    assert explained(folder, provided(GOOD), capsys=capsys)[0] == Status.DONE
    assert [path.name for path in folder.iterdir()] == ["capture"]


#   command line                                              what the sentence names
USAGE = [
    (["explain"], "FILE"),
    (["explain", "nowhere"], "nowhere cannot be read"),
    (["explain", "text"], "neither an HTTP request, nor MIME, nor XML"),
    (["explain", "text", "--transaction", "ITI-99"], "--transaction is one of ITI-18, "),
    (["explain", "good", "--against", "localhost"], "is not an http or https address"),
    (["explain", "cut", "--against", "http://localhost:1/services"], "it was not sent"),
    (["explain", "good", "--config", "nowhere.toml"], "nowhere.toml does not exist"),
]


@pytest.mark.parametrize(("arguments", "named"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_a_mistake_is_told_in_a_sentence_with_status_2(folder, capsys, arguments, named):
    (folder / "text").write_text("hello")
    (folder / "good").write_bytes(envelope("ITI-18", FOUND))
    (folder / "cut").write_bytes(envelope("ITI-18", FOUND)[:-20])
    assert run(arguments) == Status.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert named in told.err


def test_a_gateway_that_is_not_there_is_status_3(folder, capsys):
    (folder / "good").write_bytes(envelope("ITI-18", FOUND))
    assert run(["explain", "good", "--against", "http://127.0.0.1:9/services"]) == Status.UNREACHABLE
    assert "No answer from" in capsys.readouterr().err


# The page


def printed(renderable, width):
    stream = io.StringIO()
    Console(file=stream, width=width, markup=False, emoji=False, highlight=False).print(renderable)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["ITI-41 in MIME", "metadata", "another action"])
def test_the_page_shows_what_the_json_tells(folder, capsys, name):
    data = (ACCEPTED | REFUSED)[name][0]
    _, told = explained(folder, data, capsys=capsys)
    run(["explain", "capture"])
    shown = " ".join(capsys.readouterr().out.split())
    for finding in told["findings"]:
        assert all(" ".join(value.split())[:40] in shown for key, value in finding.items() if value and key in SHOWN)
    assert all(effect["object_id"] in shown for effect in told["effects"] or ())


SHOWN = ("code", "sentence", "received", "hint", "rule")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_page_fits_the_terminal(width):
    capture = parse_capture(envelope("ITI-18", FOUND))
    effects = (PlannedEffect("register", "Document01", "DocumentEntry " + "2.25.1" * 30), PlannedEffect("odd", "x", ""))
    text = printed(page("capture", capture, None, Explanation("accepted", effects=effects)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "registered" in text


def test_a_capture_cannot_command_the_terminal():
    capture = parse_capture(envelope("ITI-18", FOUND))
    effect = PlannedEffect("register", "\x1b[2J", "[bold]x[/bold]")
    text = printed(page("\x9b.xml", capture, "http://\x1b", Explanation("accepted", effects=(effect,))), 80)
    assert not {"\x1b", "\x9b"} & set(text)
    assert "[bold]x[/bold]" in text


# The explanation page


@pytest.mark.parametrize("number", [0, 1])
def test_the_explanation_is_as_the_page_shows_it(number, capsys, monkeypatch, tmp_path):
    shown = blocks(CHECKOUT / "docs" / "explain.md", "text")[number]
    name = shown.partition(":")[0]
    monkeypatch.chdir(tmp_path)
    run(["explain", str(CHECKOUT / "docs" / "examples" / name)])
    told = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in shown.splitlines() if line not in told] == []
