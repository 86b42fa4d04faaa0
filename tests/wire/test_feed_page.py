"""The page about feeds, run as it stands: its settings, its sender, its commands."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.documents import CHECKOUT, blocks
from tests.gateways import RunningGateway

from .feeds import adt, feed
from .messages import accepted, entry_for, find_documents, provide, send

PAGE = CHECKOUT / "docs" / "feed-patients.md"
OLD, NEW = "old1^^^&1.2.3.4.5&ISO", "new1^^^&1.2.3.4.5&ISO"


def settings():
    """Those of the page, on a free port."""
    (text,) = blocks(PAGE, "toml")
    read = tomllib.loads(text)
    assert read["feeds"][0]["port"] == 2575
    read["feeds"][0]["port"] = 0
    return read


def run(gateway: RunningGateway, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "XDS_GATEWAY_CONFIG": "gateway.toml"}
    done = subprocess.run(
        command, cwd=gateway.log.parent, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shell(gateway: RunningGateway, line: str) -> str:
    program = f"{sys.executable} -m xds_gateway.cli"
    return run(gateway, "bash", "-euc", line.replace(".venv/bin/xds-gateway", program))


def test_the_page_does_what_it_says(start_gateway):
    gateway = start_gateway(**settings())
    (sender,) = blocks(PAGE, "python")
    first, rest = (block for block in blocks(PAGE, "sh") if "xds-gateway" in block)
    told = run(gateway, sys.executable, "-c", sender.replace("2575", str(gateway.feed_ports[0])))
    assert told.count("MSA|AA|") == 3
    assert NEW in shell(gateway, first)
    accepted(gateway, provide(b"the letter", patient=NEW))
    assert send(gateway, provide(b"another", patient=OLD).message()).errors == ["XDSUnknownPatientId"]
    assert OLD in shell(gateway, rest)
    accepted(gateway, provide(b"another", patient=OLD))
    assert [len(send(gateway, find_documents(patient)).entries) for patient in (OLD, NEW)] == [1, 1]


def test_the_example_of_a_changed_link_moves_a_document(start_gateway):
    gateway = start_gateway(**settings())
    wrong, right = (f"{name}1^^^&1.2.3.4.5&ISO" for name in ("wrong", "right"))
    assert feed(gateway, adt("A04", wrong), adt("A04", right)) == ["AA", "AA"]
    entry = entry_for(b"the letter", wrong, slots={"sourcePatientId": "IPP-77^^^&1.2.3.4.6&ISO"})
    accepted(gateway, provide(b"the letter", patient=wrong, entries=(entry,)))
    (line,) = (block for block in blocks(PAGE, "sh") if "iti-64.hl7" in block)
    example = str(CHECKOUT / "docs" / "examples" / "iti-64.hl7")
    line = line.replace("2575", str(gateway.feed_ports[0])).replace("docs/examples/iti-64.hl7", example)
    program = str(Path(sys.executable).with_name("mllp_send"))
    assert "MSA|AA|a43-1" in run(gateway, "bash", "-euc", line.replace(".venv/bin/mllp_send", program))
    assert [len(send(gateway, find_documents(patient)).entries) for patient in (wrong, right)] == [0, 1]
