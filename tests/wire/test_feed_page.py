"""The page about feeds, run as it stands: its settings, its messages, its sender, its commands."""

import sys
import tomllib
from pathlib import Path

import pytest

from tests.documents import CHECKOUT, blocks

from .feeds import adt, feed
from .messages import accepted, entry_for, find_documents, provide, send
from .test_docs_examples import Place, make_place

PAGE = CHECKOUT / "docs" / "feed-patients.md"
OLD, NEW, FED = (f"{name}^^^&1.2.3.4.5&ISO" for name in ("old1", "new1", "4101"))


def settings():
    """Those of the page, on a free port."""
    (text,) = blocks(PAGE, "toml")
    read = tomllib.loads(text)
    assert read["feeds"][0]["port"] == 2575
    read["feeds"][0]["port"] = 0
    return read


@pytest.fixture(scope="module")
def place(start_shared, pki, tmp_path_factory) -> Place:
    return make_place(tmp_path_factory.mktemp("place"), start_shared(**settings()), pki)


def shell(place: Place, line: str) -> str:
    line = line.replace(".venv/bin/mllp_send", str(Path(sys.executable).with_name("mllp_send")))
    line = line.replace("2575", str(place.gateway.feed_ports[0]))
    return place.run(line, XDS_GATEWAY_CONFIG=str(place.gateway.log.parent / "gateway.toml")).decode()


def test_the_page_does_what_it_says(place):
    gateway = place.gateway
    (sender,) = blocks(PAGE, "python")
    a04, add, a40, merge, show, administration = (block for block in blocks(PAGE, "sh") if "iti-64" not in block)
    assert "MSA|AA|EX-1" in shell(place, a04)
    accepted(gateway, provide(b"a letter of 4101", patient=FED))
    assert '<typeCode code="CA"/>' in shell(place, add)
    assert "MSA|AA|EX-2" in shell(place, a40)
    refused = shell(place, merge)
    assert '<typeCode code="CE"/>' in refused
    assert "[rule=ihe.feed.merge.surviving.unknown |" in refused
    told = place.run([sys.executable, "-c", sender.replace("2575", str(gateway.feed_ports[0]))]).decode()
    assert told.count("MSA|AA|") == 3
    assert '<typeCode code="CA"/>' in shell(place, merge)
    assert NEW in shell(place, show)
    accepted(gateway, provide(b"the letter", patient=NEW))
    assert len(send(gateway, find_documents(NEW)).entries) == 2
    assert send(gateway, provide(b"another", patient=OLD).message()).errors == ["XDSUnknownPatientId"]
    assert OLD in shell(place, administration)
    accepted(gateway, provide(b"another", patient=OLD))
    assert [len(send(gateway, find_documents(patient)).entries) for patient in (OLD, NEW, FED)] == [1, 2, 0]


def test_the_example_of_a_changed_link_moves_a_document(place):
    gateway = place.gateway
    wrong, right = (f"{name}1^^^&1.2.3.4.5&ISO" for name in ("wrong", "right"))
    assert feed(gateway, adt("A04", wrong), adt("A04", right)) == ["AA", "AA"]
    entry = entry_for(b"the letter", wrong, slots={"sourcePatientId": "IPP-77^^^&1.2.3.4.6&ISO"})
    accepted(gateway, provide(b"the letter", patient=wrong, entries=(entry,)))
    (line,) = (block for block in blocks(PAGE, "sh") if "iti-64.hl7" in block)
    assert "MSA|AA|a43-1" in shell(place, line)
    assert [len(send(gateway, find_documents(patient)).entries) for patient in (wrong, right)] == [0, 1]
