"""No room, or too much at once: refused in the standard's words, and everything else goes on (security.md D5)."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wire.messages import (
    accepted,
    find_documents,
    new_patient,
    provide,
    register,
    registrable,
    replacement,
    retrieve,
    send,
)
from xds_gateway.model import vocabulary as v

# Files of this program end at this size, which is what a full disk or a quota looks like to one file.
LARGEST = 3_000_000
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({LARGEST}, {LARGEST}))
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("form", ["length", "many"])
def test_a_document_that_finds_no_room_is_refused_and_the_rest_goes_on(start_gateway, form):
    gateway = start_gateway(prefix=(sys.executable, "-c", LIMITED))
    patient = new_patient()
    kept = accepted(gateway, provide(b"kept", patient=patient))
    uuid = send(gateway, find_documents(patient, "ObjectRef")).ids[0]
    contents = (b"x" * (LARGEST + 1),) if form == "length" else (b"small", b"y" * (LARGEST + 1), b"small too")
    for _ in range(3):
        too_large = provide(*contents, patient=patient)
        answer = send(gateway, too_large.message())
        assert (answer.status, answer.errors) == ("Failure", ["XDSRepositoryOutOfResources"])
        assert send(gateway, retrieve(*too_large.unique_ids)).documents == {}
    answer = send(
        gateway, replacement(uuid, contents[0], patient).message() if form == "length" else too_large.message()
    )
    assert answer.errors == ["XDSRepositoryOutOfResources"]
    assert send(gateway, find_documents(patient, "ObjectRef", Status=f"('{v.APPROVED}','{v.DEPRECATED}')")).ids == [
        uuid
    ]
    assert send(gateway, retrieve(*kept.unique_ids)).documents == {kept.unique_ids[0]: b"kept"}
    accepted(gateway, provide(b"x" * (LARGEST - 1), patient=patient))
    assert gateway.stop() == 0
    files = [path for path in (gateway.data_folder / "documents").rglob("*") if path.is_file()]
    assert len(files) == 2


def test_more_bytes_in_flight_than_allowed_are_busy_and_none_is_lost(start_gateway):
    limit = 4_000_000
    gateway = start_gateway(
        limits={"spool_in_flight_bytes": limit, "document_bytes": 3_000_000, "body_bytes": 9_000_000}
    )
    made = [provide(bytes([number]) * 2_500_000) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: send(gateway, one.message()), made))
    for one, answer in zip(made, answers, strict=True):
        returned = send(gateway, retrieve(*one.unique_ids)).documents
        if answer.status == "Success":
            assert returned == {one.unique_ids[0]: one.contents[one.entry.id]}
        else:
            assert (answer.errors, returned) == (["XDSRepositoryBusy"], {})
    too_much = provide(b"x" * 2_500_000, b"y" * 2_500_000)
    assert send(gateway, too_much.message()).errors == ["XDSRepositoryBusy"]
    for _ in range(5):  # what was refused gave its bytes back
        accepted(gateway, provide(b"z" * 2_500_000))
    assert send(gateway, register(registrable())).status == "Success"
