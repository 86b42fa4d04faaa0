"""Asking a running gateway what it would do: `explain --against`, `Gateway.explain`, `submit(dry_run=True)`."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.unit.builders import make_entry
from xds_gateway.cli.failures import Status
from xds_gateway.cli.program import run
from xds_gateway.client import Gateway, Misconfigured, Refused, UnexpectedAnswer
from xds_gateway.client.samples import SOURCE_ID, make_sample
from xds_gateway.codec.soap import ENVELOPE_END, render_envelope_start
from xds_gateway.codec.xdsb import render_registry_response
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import RegistryResponse

from .messages import accepted, entry_uuid, find_documents, new_patient, provide, replacement, send
from .test_dry_run import rows


@pytest.fixture
def sdk(gateway, pki, tmp_path) -> Iterator[Gateway]:
    """A client of the running gateway."""
    files = pki.files
    with Gateway(
        gateway.registry_url.replace("127.0.0.1", "localhost"),
        gateway.repository_url.replace("127.0.0.1", "localhost"),
        certificate=files.client_certificate,
        key=files.client_key,
        ca=files.ca,
        journal=tmp_path / "journal",
    ) as client:
        yield client


def captured(message):
    """A message as a tap keeps it."""
    head = f"POST /services/{message.endpoint} HTTP/1.1\r\nContent-Type: {message.headers['Content-Type']}\r\n\r\n"
    return head.encode() + message.body


def wrong():
    return provide(entries=(make_entry(slots={"hash": "a" * 64}),)).message()


# The SDK


def test_a_capture_is_explained_and_not_done(gateway, sdk):
    made = provide(b"only asked")
    before = rows(gateway)
    found = sdk.explain(captured(made.message()))
    assert (found.outcome, found.findings, found.open) == ("accepted", (), ())
    assert f"{made.entry.id}" in {effect.object_id for effect in found.effects}
    assert rows(gateway) == before


def test_a_wrong_capture_is_explained_not_raised(sdk):
    found = sdk.explain(captured(wrong()))
    assert (found.outcome, found.effects) == ("refused", None)
    assert "SHA-256" in found.findings[0].hint


def test_the_registry_is_asked(gateway, sdk):
    patient = new_patient()
    original = accepted(gateway, provide(b"original", patient=patient))
    uuid = entry_uuid(gateway, original.unique_ids[0])
    found = sdk.explain(captured(replacement(uuid, b"new", patient).message()))
    assert [(e.object_id, e.detail) for e in found.effects if e.effect == "deprecate"] == [(uuid, v.DEPRECATED)]
    accepted(gateway, replacement(uuid, b"new", patient))
    found = sdk.explain(captured(replacement(uuid, b"late", patient).message()))
    assert [finding.code for finding in found.findings] == ["XDSRegistryDeprecatedDocumentError"]


@pytest.mark.parametrize("message", [b"hello", b"<a", b""])
def test_what_is_no_capture_is_not_sent(sdk, message):
    with pytest.raises(Misconfigured):
        sdk.explain(message)


def test_a_message_without_a_safe_place_for_the_header_is_not_sent(gateway, sdk):
    made = provide(b"never sent")
    broken = made.message().replaced(b"Transfer-Encoding: binary", b"Transfer-Encoding: base64")
    with pytest.raises(Misconfigured, match="not sent"):
        sdk.explain(captured(broken))


def test_a_submission_is_tried_without_traces(gateway, sdk, tmp_path):
    patient = new_patient()
    before = rows(gateway)
    result = sdk.submit(make_sample(seed=1), patient_id=patient, source_id=SOURCE_ID, dry_run=True)
    told = {effect.object_id for effect in result.planned}
    assert {result.submission_set_uuid, result.entries[0].entry_uuid} <= told
    assert rows(gateway) == before
    assert list((tmp_path / "journal").glob("*.json")) == []
    assert sdk.submit(make_sample(seed=1), patient_id=patient, source_id=SOURCE_ID).planned is None
    assert len(send(gateway, find_documents(patient)).entries) == 1


def test_a_submission_that_would_be_refused_is_refused(sdk):
    document = make_sample(seed=2).changed(language_code="fr_FR")
    with pytest.raises(Refused) as refused:
        sdk.submit(document, patient_id=new_patient(), source_id=SOURCE_ID, dry_run=True)
    assert [error.code for error in refused.value.errors] == ["XDSRegistryMetadataError"]
    assert "Hint: write a hyphen" in refused.value.errors[0].context


# Another product that passes over the header


@contextmanager
def other_product() -> Iterator[str]:
    """The address of a repository that says Success to everything."""
    (answer,) = render_registry_response(RegistryResponse())
    content = render_envelope_start("urn:x", "urn:uuid:1", None) + answer + ENVELOPE_END

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/soap+xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_that_does_not_speak_of_the_dry_run_is_no_success(tmp_path):
    with other_product() as url, Gateway(f"{url}/registry", f"{url}/repository", journal=tmp_path) as client:
        with pytest.raises(UnexpectedAnswer, match="may have done"):
            client.submit(make_sample(seed=3), patient_id=new_patient(), source_id=SOURCE_ID, dry_run=True)
        with pytest.raises(UnexpectedAnswer, match="may have done"):
            client.explain(captured(provide().message()))


# The command


@pytest.fixture
def explain(gateway, pki, tmp_path, capsys, monkeypatch):
    """Runs the command against the gateway; exit status and JSON."""
    monkeypatch.chdir(tmp_path)
    files = pki.files
    keys = ("--cert", str(files.client_certificate), "--key", str(files.client_key), "--ca", str(files.ca))

    def explained(data, *arguments, url=f"https://localhost:{gateway.port}/services"):
        (tmp_path / "capture").write_bytes(data)
        status = run(["explain", "capture", "--against", url, *keys, *arguments, "--json"])
        told = capsys.readouterr()
        return status, json.loads(told.out or told.err)

    return explained


@pytest.mark.parametrize("end", ["", "/", "/repository"])
def test_a_gateway_is_asked_by_the_address_of_its_mount(gateway, explain, end):
    before = rows(gateway)
    url = f"https://localhost:{gateway.port}/services{end}"
    status, told = explain(captured(provide().message()), url=url)
    assert (status, told["outcome"], told["against"]) == (
        Status.DONE,
        "accepted",
        url.removesuffix(end) if end else url,
    )
    assert {effect["effect"] for effect in told["effects"]} == {"register", "know"}
    assert rows(gateway) == before


def test_a_refusal_is_status_1(explain):
    status, told = explain(captured(wrong()))
    assert (status, told["outcome"], told["effects"]) == (Status.REFUSED, "refused", None)
    assert "SHA-256" in told["findings"][0]["hint"]


def test_a_naked_envelope_of_a_query_is_sent(explain):
    status, told = explain(find_documents(new_patient()).body)
    assert (status, told["transaction"], told["outcome"]) == (Status.DONE, "ITI-18", "accepted")


def test_a_gateway_without_dry_runs_says_so(start_gateway, explain):
    other = start_gateway(mounts=[{"path": "/services", "dry_run": False}])
    status, told = explain(captured(provide().message()), url=f"https://localhost:{other.port}/services")
    assert (status, told["outcome"]) == (Status.REFUSED, "unreadable")
    assert "performs no dry runs" in told["findings"][0]["sentence"]
